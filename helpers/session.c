/*
 * Output goes to the log and to every client; nothing more is read until all have taken it, so a slow client slows the
 * command and loses nothing, and a dead one is dropped. Input is acknowledged packet by packet ('a'): a client never has
 * more than one under way, so that a signal behind it is never stuck in the socket.
 */
#include "session.h"
#include <sys/ioctl.h>
#include <termios.h>

#define EACH(c) struct client *c = s->client; c < s->client + CLIENTS; c++
static struct pollfd polled[96];
static nfds_t npolled;

void watch(int fd, short events) {
    if (fd >= 0 && npolled < 96) polled[npolled++] = (struct pollfd){fd, events, 0};
}

void watch_wait(void) {
    while (poll(polled, npolled, -1) < 0 && errno == EINTR) {}
}

short hit(int fd) {
    for (nfds_t i = 0; fd >= 0 && i < npolled; i++)
        if (polled[i].fd == fd && polled[i].revents) return polled[i].revents;
    return 0;
}

/* A terminal cannot be closed from here: it gets its end-of-file character, twice since one may only end a line. */
static void end_stdin(struct session *s) {
    struct termios t;
    if (s->in < 0) return;
    if (!s->tty) close(s->in), s->in = -1;
    else if (tcgetattr(s->in, &t) == 0 && t.c_lflag & ICANON)
        (void)!write(s->in, (char[]){(char)t.c_cc[VEOF], (char)t.c_cc[VEOF]}, 2);
}

static void drop(struct session *s, struct client *c) {
    close(c->fd);
    if (c->first && !s->tty) end_stdin(s);
    *c = (struct client){.fd = -1};
}

bool session_add(struct session *s, int fd, const char *streams, bool first) {
    for (EACH(c)) {
        if (c->fd >= 0) continue;
        *c = (struct client){.fd = fd, .first = first, .pos = s->queue.n};
        c->want = (strchr(streams, 'o') ? 1 : 0) | (strchr(streams, 'e') ? 2 : 0);
        return true;
    }
    close(fd);
    return false;
}

/* False: it would block. A client that cannot be written to is gone. */
static bool put(struct session *s, struct client *c, const void *p, size_t n) {
    bool sent = send(c->fd, p, n, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0;
    if (!sent && (errno == EAGAIN || errno == ENOBUFS)) return false;
    if (!sent) drop(s, c);
    return true;
}

static void flush(struct session *s, struct client *c) {
    if (c->go && s->live) {
        if (!put(s, c, (char[]){'g', (char)s->tty}, 2)) return;
        c->go = false;
    }
    if (c->ack) {
        if (!put(s, c, "a", 1)) return;
        c->ack = false;
    }
    for (uint32_t n; c->fd >= 0 && c->pos < s->queue.n; c->pos += n + 4) {
        const char *p = s->queue.p + c->pos;
        memcpy(&n, p, 4);
        if ((p[4] == 'x' || c->want & (p[4] == 'o' ? 1 : 2)) && !put(s, c, p + 4, n)) return;
    }
}

static void flush_all(struct session *s) {
    bool behind = false;
    for (EACH(c)) {
        if (c->fd >= 0) flush(s, c);
        behind |= c->fd >= 0 && c->pos < s->queue.n;
    }
    for (EACH(c)) c->pos = behind ? c->pos : 0;
    if (!behind) s->queue.n = 0;
}

static bool pending(const struct session *s, const struct client *c) {
    return c->fd >= 0 && (c->pos < s->queue.n || c->ack || (c->go && s->live));
}

static void enqueue(struct session *s, char type, uint32_t n) { /* n bytes are there already, from offset 5 */
    char *p = s->queue.p + s->queue.n;
    n++;
    memcpy(p, &n, 4);
    p[4] = type;
    s->queue.n += n + 4;
}

/* True when something came. */
static bool read_out(struct session *s, int i) {
    buf_room(&s->queue, PACKET + 5);
    char *p = s->queue.p + s->queue.n + 5;
    ssize_t n = read(s->out[i], p, PACKET);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) return false;
    if (n <= 0) close(s->out[i]), s->out[i] = -1;
    if (n > 0) log_write(s->log, i, p, (size_t)n), enqueue(s, i ? 'r' : 'o', (uint32_t)n);
    return n > 0;
}

/* The command is dead: what it wrote is in the pipes. Background children of an exec may write for ever, hence the bound. */
void session_drain(struct session *s) {
    for (int i = 0; i < 2; i++) {
        for (int k = 0; s->out[i] >= 0 && k < 256 && read_out(s, i);) k++;
        if (s->out[i] >= 0) close(s->out[i]);
        s->out[i] = -1;
    }
    if (s->in >= 0) close(s->in), s->in = -1;
    flush_all(s);
}

void session_end(struct session *s, int status) {
    buf_room(&s->queue, 9);
    memcpy(s->queue.p + s->queue.n + 5, (char[]){(char)status, 0, 0, 0}, 4);
    enqueue(s, 'x', 4);
    flush_all(s);
}

bool session_idle(const struct session *s) {
    for (int i = 0; i < CLIENTS; i++)
        if (pending(s, &s->client[i])) return false;
    return true;
}

/* What nobody reads any more counts as taken. */
static void feed(struct session *s, struct client *c) {
    while (c->in_at < c->in_n) {
        ssize_t n = s->in < 0 ? 0 : write(s->in, c->in + c->in_at, c->in_n - c->in_at);
        if (n < 0 && errno == EAGAIN) return;
        c->in_at = n > 0 ? c->in_at + (size_t)n : c->in_n;
    }
    if (c->in_n) c->in_at = c->in_n = 0, c->ack = true;
    if (c->eof && c->first) end_stdin(s);
    c->eof = false;
}

static void client_in(struct session *s, struct client *c) {
    static char p[PACKET + 2];
    ssize_t n = recv(c->fd, p, PACKET + 1, MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (n <= 0 || (p[0] == 'i' && c->in_n)) return drop(s, c);
    p[n] = 0;
    unsigned char *u = (unsigned char *)p;
    struct winsize size = {.ws_row = (unsigned short)(u[1] | u[2] << 8), .ws_col = (unsigned short)(u[3] | u[4] << 8)};
    if (p[0] == 'i') memcpy(c->in, p, (size_t)n), c->in_at = 1, c->in_n = (size_t)n;
    if (p[0] == 'h') c->want = (strchr(p, 'o') ? 1 : 0) | (strchr(p, 'e') ? 2 : 0), c->go = true;
    if (p[0] == 'e') c->eof = true;
    if (p[0] == 'w' && n == 5 && s->tty && s->in >= 0) ioctl(s->in, TIOCSWINSZ, &size);
    if (p[0] == 's' && n == 2 && s->pid > 0) kill(s->pid, u[1]);
    feed(s, c);
}

void session_watch(struct session *s) {
    bool feeding = false;
    npolled = 0;
    for (EACH(c)) {
        watch(c->fd, (short)(POLLIN | (pending(s, c) ? POLLOUT : 0)));
        feeding |= c->fd >= 0 && c->in_n;
    }
    for (int i = 0; i < 2 && s->queue.n == 0; i++) watch(s->out[i], POLLIN);
    watch(feeding ? s->in : -1, POLLOUT);
    watch(s->listen, POLLIN);
}

void session_pump(struct session *s) {
    for (int i = 0; i < 2 && s->queue.n == 0; i++)
        if (hit(s->out[i])) read_out(s, i);
    for (EACH(c)) {
        if (hit(c->fd) & (POLLIN | POLLHUP | POLLERR)) client_in(s, c);
        else if (c->in_n) feed(s, c);
    }
    flush_all(s);
    int fd = hit(s->listen) ? accept4(s->listen, NULL, NULL, SOCK_CLOEXEC) : -1;
    if (fd >= 0) session_add(s, fd, "", false);
}
