/*
 * Output goes to the log and to every client; nothing more is read until all have taken it, so a slow client slows the
 * command and loses nothing, and a dead one is dropped. Input is acknowledged packet by packet ('a'): a client never has
 * more than one under way, so that a signal behind it is never stuck in the socket.
 */
#include "session.h"

#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <termios.h>

#define DRAIN_MAX (1 << 20) /* more than a pipe holds */

static struct pollfd polled[96];
static nfds_t npolled;

void watch(int fd, short events)
{
    if (fd >= 0 && npolled < 96)
        polled[npolled++] = (struct pollfd){ fd, events, 0 };
}

short hit(int fd)
{
    for (nfds_t i = 0; fd >= 0 && i < npolled; i++)
        if (polled[i].fd == fd && polled[i].revents)
            return polled[i].revents;
    return 0;
}

/* The set stays for hit() until the next wait has been prepared. */
int watch_wait(void)
{
    int n;
    do
        n = poll(polled, npolled, -1);
    while (n < 0 && errno == EINTR);
    return n;
}

static void watch_reset(void)
{
    npolled = 0;
}

void session_init(struct session *s)
{
    s->in = s->out[0] = s->out[1] = s->listen = s->log = -1;
    for (int i = 0; i < CLIENTS; i++)
        s->client[i].fd = -1;
}

static void end_stdin(struct session *s)
{
    struct termios t;
    if (s->in < 0)
        return;
    if (s->tty) { /* a terminal cannot be closed from here; twice, since the first only ends a line that has begun */
        char eof[2];
        if (tcgetattr(s->in, &t) == 0 && t.c_lflag & ICANON && (eof[0] = eof[1] = (char)t.c_cc[VEOF]))
            (void)!write(s->in, eof, 2);
        return;
    }
    close(s->in);
    s->in = -1;
}

static void drop(struct session *s, struct client *c)
{
    close(c->fd);
    if (c->first && !s->tty)
        end_stdin(s);
    *c = (struct client){ .fd = -1 };
}

static void set_streams(struct client *c, const char *streams, size_t n)
{
    c->want = (memchr(streams, 'o', n) ? 1 : 0) | (memchr(streams, 'e', n) ? 2 : 0);
}

bool session_add(struct session *s, int fd, const char *streams, bool first)
{
    for (struct client *c = s->client; c < s->client + CLIENTS; c++) {
        if (c->fd >= 0)
            continue;
        c->fd = fd;
        c->first = first;
        c->pos = first ? 0 : s->queue.n;
        set_streams(c, streams, strlen(streams));
        return true;
    }
    close(fd);
    return false;
}

/* False: it would block. A client that cannot be written to is gone. */
static bool put(struct session *s, struct client *c, const void *p, size_t n)
{
    if (send(c->fd, p, n, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0)
        return true;
    if (errno == EAGAIN || errno == ENOBUFS)
        return false;
    drop(s, c);
    return true;
}

static void flush(struct session *s, struct client *c)
{
    char go[2] = { 'g', (char)s->tty };
    if (c->go && s->live) {
        if (!put(s, c, go, 2))
            return;
        c->go = false;
    }
    if (c->ack && c->fd >= 0) {
        if (!put(s, c, "a", 1))
            return;
        c->ack = false;
    }
    while (c->fd >= 0 && c->pos < s->queue.n) {
        uint32_t n;
        const char *p = s->queue.p + c->pos;
        memcpy(&n, p, 4);
        unsigned wanted = p[4] == 'o' ? c->want & 1 : p[4] == 'r' ? c->want & 2 : 1;
        if (wanted && !put(s, c, p + 4, n))
            return;
        c->pos += c->fd >= 0 ? n + 4 : 0;
    }
}

static void flush_all(struct session *s)
{
    bool behind = false;
    for (struct client *c = s->client; c < s->client + CLIENTS; c++) {
        if (c->fd >= 0)
            flush(s, c);
        behind |= c->fd >= 0 && c->pos < s->queue.n;
    }
    for (struct client *c = s->client; !behind && c < s->client + CLIENTS; c++)
        c->pos = 0;
    s->queue.n = behind ? s->queue.n : 0;
}

static bool pending(const struct session *s, const struct client *c)
{
    return c->fd >= 0 && (c->pos < s->queue.n || c->ack || (c->go && s->live));
}

/* True when something came. The slave of a pty may be closed and opened again as long as the command lives. */
static bool read_out(struct session *s, int i)
{
    buf_room(&s->queue, PACKET + 5);
    char *p = s->queue.p + s->queue.n;
    ssize_t n = read(s->out[i], p + 5, PACKET);
    bool listening = false;
    if (n <= 0) {
        if (n < 0 && (errno == EAGAIN || errno == EINTR))
            return false;
        close(s->out[i]);
        s->out[i] = -1;
        return false;
    }
    log_write(s->log, i, p + 5, (size_t)n);
    for (int c = 0; c < CLIENTS; c++)
        listening |= s->client[c].fd >= 0;
    if (listening) {
        uint32_t len = (uint32_t)n + 1;
        memcpy(p, &len, 4);
        p[4] = i ? 'r' : 'o';
        s->queue.n += len + 4;
    }
    return true;
}

/* The command is dead: what it wrote is in the pipes. Background children of an exec may write for ever, hence a bound. */
void session_drain(struct session *s)
{
    for (int i = 0; i < 2; i++) {
        for (int k = 0; s->out[i] >= 0 && k < DRAIN_MAX / 4096 && read_out(s, i); k++)
            ;
        if (s->out[i] >= 0)
            close(s->out[i]);
        s->out[i] = -1;
    }
    if (s->in >= 0)
        close(s->in);
    s->in = -1;
    flush_all(s);
}

void session_end(struct session *s, unsigned status)
{
    char packet[9] = { 5, 0, 0, 0, 'x', (char)status, 0, 0, 0 };
    uint32_t len = 5;
    memcpy(packet, &len, 4);
    buf_add(&s->queue, packet, sizeof packet);
    flush_all(s);
}

bool session_idle(const struct session *s)
{
    bool idle = true;
    for (int i = 0; i < CLIENTS; i++)
        idle &= !pending(s, &s->client[i]);
    return idle;
}

static void feed(struct session *s, struct client *c)
{
    while (c->in_at < c->in_n) {
        ssize_t n = s->in < 0 ? -2 : write(s->in, c->in + c->in_at, c->in_n - c->in_at);
        if (n == -1 && errno == EAGAIN)
            return;
        c->in_at = n > 0 ? c->in_at + (size_t)n : c->in_n; /* nobody reads it any more: taken */
    }
    if (c->in_n) {
        c->in_at = c->in_n = 0;
        c->ack = true;
    }
    if (c->eof && c->first)
        end_stdin(s);
    c->eof = false;
}

static void control(struct session *s, struct client *c, const unsigned char *p, ssize_t n)
{
    struct winsize size = { 0 };
    if (p[0] == 'h') {
        set_streams(c, (const char *)p, (size_t)n);
        c->go = true;
    }
    if (p[0] == 'e')
        c->eof = true;
    if (p[0] == 'w' && n == 5 && s->tty && s->in >= 0) {
        size.ws_row = (unsigned short)(p[1] | p[2] << 8);
        size.ws_col = (unsigned short)(p[3] | p[4] << 8);
        ioctl(s->in, TIOCSWINSZ, &size);
    }
    if (p[0] == 's' && n == 2 && s->pid > 0)
        kill(s->pid, p[1]);
}

static void client_in(struct session *s, struct client *c)
{
    static char packet[PACKET + 1];
    ssize_t n = recv(c->fd, packet, sizeof packet, MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0 || (packet[0] == 'i' && c->in_n)) {
        drop(s, c);
        return;
    }
    if (packet[0] == 'i') {
        c->in_at = 1;
        c->in_n = (size_t)n;
        memcpy(c->in, packet, (size_t)n);
    } else
        control(s, c, (unsigned char *)packet, n);
    feed(s, c);
}

void session_watch(struct session *s)
{
    bool feeding = false;
    watch_reset();
    for (struct client *c = s->client; c < s->client + CLIENTS; c++) {
        watch(c->fd, (short)(POLLIN | (pending(s, c) ? POLLOUT : 0)));
        feeding |= c->fd >= 0 && c->in_n;
    }
    for (int i = 0; i < 2 && s->queue.n == 0; i++)
        watch(s->out[i], POLLIN);
    if (feeding)
        watch(s->in, POLLOUT);
    watch(s->listen, POLLIN);
}

void session_pump(struct session *s)
{
    for (int i = 0; i < 2 && s->queue.n == 0; i++)
        if (hit(s->out[i]))
            read_out(s, i);
    for (struct client *c = s->client; c < s->client + CLIENTS; c++) {
        if (c->fd >= 0 && hit(c->fd) & (POLLIN | POLLHUP | POLLERR))
            client_in(s, c);
        else if (c->in_n)
            feed(s, c);
    }
    flush_all(s);
    if (hit(s->listen)) {
        int fd = accept4(s->listen, NULL, NULL, SOCK_CLOEXEC);
        if (fd >= 0)
            session_add(s, fd, "", false);
    }
}
