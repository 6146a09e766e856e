/* Output goes to the log and to every client; nothing more is read until all have taken it: a slow client slows the command
 * and loses nothing, a dead one is dropped. Input is acknowledged packet by packet ('a'): no client has more than one under
 * way, so that a signal behind it is never stuck in the socket. */
#include "session.h"
#define EACH(c) struct client *c = session.client; c < session.client + 16; c++
struct session session;
static struct pollfd polled[96];
static nfds_t npolled;
void watch(int fd, short events) { polled[npolled] = (struct pollfd){fd, events, 0}, npolled += fd >= 0 && npolled < 95; }
void watch_wait(void) { while (poll(polled, npolled, -1) < 0 && errno == EINTR) {} }
short hit(int fd) {
    for (nfds_t i = 0; fd >= 0 && i < npolled; i++) if (polled[i].fd == fd && polled[i].revents) return polled[i].revents;
    return 0;
}
void drop_fd(int *fd) { close_kept(fd), *fd = -1; }
/* A terminal cannot be closed from here: it gets its end-of-file character, twice since one may only end a line. */
static void end_stdin(void) {
    struct termios t;
    if (!session.tty) drop_fd(&session.in);
    else if (tcgetattr(session.in, &t) == 0 && t.c_lflag & ICANON)
        (void)!write(session.in, (char[]){(char)t.c_cc[VEOF], (char)t.c_cc[VEOF]}, 2);
}
static void drop(struct client *c) {
    if (c->first && !session.tty) end_stdin();
    if (c->first) SAY("left"); /* its front has ended, whatever becomes of the command */
    close(c->fd); memset(c, 0, offsetof(struct client, in));
}
void session_add(int fd, const char *streams, bool first) {
    struct client *c = session.client;
    while (c < session.client + 16 && c->fd) c++;
    if (c == session.client + 16) return (void)close(fd);
    c->fd = fd, c->first = first, c->pos = session.queue.n, c->want[0] = strchr(streams, 'o'), c->want[1] = strchr(streams, 'e');
}
/* False: it would block. A client that cannot be written to is gone. */
static bool put(struct client *c, const void *p, size_t n) {
    if (!c->fd || send(c->fd, p, n, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0) return true;
    return errno == EAGAIN || errno == ENOBUFS ? false : (drop(c), true);
}
static bool pending(const struct client *c) { return c->fd && (c->pos < session.queue.n || c->ack || (c->go && session.live)); }
static void flush(struct client *c) {
    if (c->go && session.live && put(c, (char[]){'g', (char)session.tty}, 2)) c->go = false;
    if (c->ack && put(c, "a", 1)) c->ack = false;
    for (uint32_t n; c->fd && c->pos < session.queue.n; c->pos += n + 4) {
        const char *p = memcpy(&n, session.queue.p + c->pos, 4) ? session.queue.p + c->pos + 4 : NULL;
        if ((*p == 'x' || c->want[*p == 'r']) && !put(c, p, n)) return;
    }
}
/* p may be the place in the queue where it goes. */
void session_queue(char type, const void *p, uint32_t n) {
    buf_room(&session.queue, n + 5);
    char *to = session.queue.p + session.queue.n;
    memmove(to + 5, p, n); memcpy(to, &(uint32_t){n + 1}, 4);
    to[4] = type; session.queue.n += n + 5;
}
/* True when something came. */
static bool read_out(int i) {
    buf_room(&session.queue, PACKET + 5);
    char *p = session.queue.p + session.queue.n + 5; ssize_t n = read(session.out[i], p, PACKET);
    if (n > 0) log_write(session.log, i, p, (size_t)n), session_queue(i ? 'r' : 'o', p, (uint32_t)n);
    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) drop_fd(&session.out[i]);
    return n > 0;
}
/* The command is dead: what it wrote is in the pipes. Background children of an exec may write for ever, hence the bound. */
void session_end(void) {
    for (int i = 0, k = 0; i < 2; drop_fd(&session.out[i++]), k = 0)
        while (session.out[i] >= 0 && k++ < 256 && read_out(i)) {}
    drop_fd(&session.in);
}
/* What nobody reads any more counts as taken. */
static void feed(struct client *c) {
    while (c->in_at < c->in_n) {
        ssize_t n = session.in < 0 ? 0 : write(session.in, c->in + c->in_at, c->in_n - c->in_at);
        if (n < 0 && errno == EAGAIN) return;
        c->in_at = n > 0 ? c->in_at + (size_t)n : c->in_n;
    }
    if (c->in_n) c->in_at = c->in_n = 0, c->ack = true;
    if (c->eof && c->first) end_stdin();
    c->eof = false;
}
static void client_in(struct client *c) {
    static char p[PACKET + 2]; unsigned char *u = (unsigned char *)p;
    ssize_t n = recv(c->fd, p, PACKET + 1, MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (n <= 0 || (p[0] == 'i' && c->in_n)) return drop(c);
    p[n] = 0;
    struct winsize size = {.ws_row = (unsigned short)(u[1] | u[2] << 8), .ws_col = (unsigned short)(u[3] | u[4] << 8)};
    if (p[0] == 'i') memcpy(c->in, p, (size_t)n), c->in_at = 1, c->in_n = (size_t)n;
    if (p[0] == 'h') c->want[0] = strchr(p, 'o'), c->want[1] = strchr(p, 'e'), c->go = true;
    if (p[0] == 'e') c->eof = true;
    if (p[0] == 'w' && n == 5 && session.tty) ioctl(session.in, TIOCSWINSZ, &size);
    if (p[0] == 's' && n == 2 && session.pid > 0) kill(session.pid, u[1]);
    feed(c);
}
void session_watch(void) {
    bool feeding = false; npolled = 0;
    for (EACH(c)) watch(c->fd ? c->fd : -1, (short)(POLLIN | (pending(c) ? POLLOUT : 0))), feeding |= c->in_n > 0;
    for (int i = 0; i < 2 && session.queue.n == 0; i++) watch(session.out[i], POLLIN);
    watch(feeding ? session.in : -1, POLLOUT); watch(session.listen, POLLIN);
}
/* After a wait; true when every client has got all there is. */
bool session_pump(void) {
    bool done = true;
    for (int i = 0; i < 2 && session.queue.n == 0; i++) if (hit(session.out[i])) read_out(i);
    for (EACH(c)) {
        if (hit(c->fd) & (POLLIN | POLLHUP | POLLERR)) client_in(c);
        else if (c->in_n) feed(c);
        flush(c);
        done &= !pending(c);
    }
    for (EACH(c)) if (done && c->fd) c->pos = 0;
    if (done) session.queue.n = 0;
    int fd = hit(session.listen) ? accept4(session.listen, NULL, NULL, SOCK_CLOEXEC) : -1;
    if (fd >= 0) session_add(fd, "", false);
    return done;
}
