/* TCP: bytes go from socket to socket through a pipe, without a copy. A direction has a pipe only while something is on its
 * way; all pipes of quick connections are one. */
#include "ports.h"
enum { CHUNK = 1 << 20, ROUNDS = 16, BIG_PIPES = 4, POOL = 4, FDS_EACH = 6 };
struct conn;
struct end {
    struct source s;
    struct conn *conn;
    bool in, out;    /* may have something to read, may have room: until EAGAIN (edge-triggered) */
    bool eof, shut;  /* it has sent its last byte; it has been told of the other's */
    int pipe[2];
    size_t held;     /* bytes from it in the pipe */
};
struct conn {
    struct end outer, inner;
    struct conn *next; /* in `ready` or `dead` */
    uint16_t port; sa_family_t family; bool proxy;
    unsigned nth;      /* address inside that is tried */
    bool connecting, queued, over;
};
static struct conn *ready, *dead;
static int pool[POOL][2]; static unsigned pooled, big;
static bool pipe_take(struct end *e) {
    if (pooled) return memcpy(e->pipe, pool[--pooled], sizeof e->pipe), true;
    if (pipe2(e->pipe, O_NONBLOCK | O_CLOEXEC)) return e->pipe[0] = -1, false;
    if (big < BIG_PIPES && fcntl(e->pipe[1], F_SETPIPE_SZ, CHUNK) > 0) big++; /* few: all pipes of a user share one limit */
    return true;
}
static void pipe_give(struct end *e) {
    if (e->pipe[0] < 0) return;
    if (!e->held && pooled < POOL) memcpy(pool[pooled++], e->pipe, sizeof e->pipe);
    else {
        if (fcntl(e->pipe[1], F_GETPIPE_SZ) >= CHUNK) big--;
        close(e->pipe[0]), close(e->pipe[1]);
    }
    e->pipe[0] = -1, e->held = 0;
}
static void queue(struct conn *c) { if (!c->queued && !c->over) c->queued = true, c->next = ready, ready = c; }
/* With a reset both sides see that something was cut off, as they would without us. */
static void end(struct conn *c, bool reset) {
    if (c->over) return;
    for (struct end *e = &c->outer; e; e = e == &c->outer ? &c->inner : NULL) {
        if (reset && e->s.fd >= 0) setsockopt(e->s.fd, SOL_SOCKET, SO_LINGER, &(struct linger){1, 0}, sizeof(struct linger));
        pipe_give(e); close_kept(&e->s.fd);
    }
    c->over = true, used_fds -= FDS_EACH;
    if (!c->queued) c->next = dead, dead = c;
    listeners_pause(false);
}
/* 1: there may be more; 0: it waits for an event; -1: one side is broken. */
static int move(struct end *from, struct end *to) {
    int result = 1;
    for (int i = 0; result == 1 && i < ROUNDS; i++) {
        ssize_t n;
        if (!to->out || (!from->held && (from->eof || !from->in))) result = 0;
        else if (from->held) {
            n = splice(from->pipe[0], NULL, to->s.fd, NULL, from->held, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
            if (n > 0) from->held -= (size_t)n;
            else if (n < 0 && errno == EAGAIN) to->out = false;
            else if (n == 0 || errno != EINTR) result = -1;
        } else if (from->pipe[0] < 0 && !pipe_take(from)) result = -1;
        else {
            n = splice(from->s.fd, NULL, from->pipe[1], NULL, CHUNK, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
            if (n > 0) from->held = (size_t)n;
            else if (n == 0) from->eof = true;
            else if (errno == EAGAIN) from->in = false;
            else if (errno != EINTR) result = -1;
        }
    }
    if (!from->held) pipe_give(from);
    if (from->eof && !from->held && !to->shut) to->shut = true, shutdown(to->s.fd, SHUT_WR);
    return result;
}
static void pump(struct conn *c) {
    if (c->over || c->connecting) return;
    int a = move(&c->outer, &c->inner), b = a < 0 ? -1 : move(&c->inner, &c->outer);
    if (a < 0 || b < 0) end(c, true);
    else if (c->outer.shut && c->inner.shut) end(c, false);
    else if (a || b) queue(c);
}
bool tcp_pump(void) {
    struct conn *list = ready; ready = NULL;
    for (struct conn *c = list, *next; c; c = next) {
        next = c->next, c->queued = false;
        if (c->over) c->next = dead, dead = c;
        else pump(c);
    }
    return ready;
}
void tcp_sweep(void) {
    for (struct conn *next; dead; dead = next) next = dead->next, free(dead);
}
static void on_end(struct source *s, uint32_t events) {
    struct end *e = (struct end *)s;
    if (e->conn->over) return;
    if (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) e->in = true;
    if (events & (EPOLLOUT | EPOLLHUP | EPOLLERR)) e->out = true;
    queue(e->conn);
}
/* PROXY protocol version 2 (haproxy's proxy-protocol.txt, section 2.2): who the client really is. */
static bool introduce(struct conn *c) {
    union address peer = {0}, own = {0}; socklen_t n = sizeof peer, m = sizeof own; unsigned char p[52] = "\r\n\r\n\0\r\nQUIT\n\x21";
    if (getpeername(c->outer.s.fd, &peer.any, &n) || getsockname(c->outer.s.fd, &own.any, &m)) return false;
    bool six = peer.any.sa_family == AF_INET6; size_t each = six ? 16 : 4, all = 16 + 2 * each + 4;
    p[13] = six ? 0x21 : 0x11, p[15] = (unsigned char)(all - 16);
    memcpy(p + 16, six ? (void *)&peer.v6.sin6_addr : (void *)&peer.v4.sin_addr, each);
    memcpy(p + 16 + each, six ? (void *)&own.v6.sin6_addr : (void *)&own.v4.sin_addr, each);
    memcpy(p + all - 4, &peer.v4.sin_port, 2), memcpy(p + all - 2, &own.v4.sin_port, 2);
    return send(c->inner.s.fd, p, all, MSG_NOSIGNAL) == (ssize_t)all; /* the first bytes of a connection: there is room */
}
static void on_connected(struct conn *c) {
    const uint32_t all = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
    bool waited = c->connecting; c->connecting = false, c->inner.s.on = on_end;
    if ((c->proxy && !introduce(c)) || (!waited && !poll_add(&c->inner.s, all)) || !poll_add(&c->outer.s, all)) end(c, true);
    else c->inner.in = c->inner.out = c->outer.in = c->outer.out = true, queue(c);
}
static void connect_next(struct conn *c);
static void on_connecting(struct source *s, uint32_t events UNUSED) {
    struct conn *c = ((struct end *)s)->conn; int error = 0; socklen_t n = sizeof error;
    if (c->over) return;
    if (getsockopt(s->fd, SOL_SOCKET, SO_ERROR, &error, &n) == 0 && error == 0 && events & EPOLLOUT) return on_connected(c);
    close_kept(&s->fd), s->fd = -1; connect_next(c);
}
/* Where nobody listens the next address is tried; after the last one the client is told by a reset. */
static void connect_next(struct conn *c) {
    union address a; const int on = 1, most = WAITING; struct source *s = &c->inner.s;
    for (c->connecting = false; inside_address(c->nth++, c->family, c->port, &a); close_kept(&s->fd), s->fd = -1) {
        s->fd = socket(a.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), s->on = on_connecting;
        if (s->fd < 0) break;
        setsockopt(s->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        setsockopt(s->fd, SOL_SOCKET, SO_SNDBUF, &most, sizeof most); /* the receive buffer grows by itself if nobody sets it */
        if (connect(s->fd, &a.any, length_of(&a)) == 0) return on_connected(c);
        c->connecting = errno == EINPROGRESS;
        if (c->connecting && poll_add(s, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET)) return;
    }
    end(c, true);
}
void tcp_accept(struct source *s, uint32_t events UNUSED) {
    const struct listener *l = (struct listener *)s;
    for (int i = 0; i < BATCH; i++) {
        int fd = used_fds + FDS_EACH > most_fds ? (errno = EMFILE, -1) : accept4(s->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        struct conn *c = fd < 0 ? NULL : calloc(1, sizeof *c);
        if (!c) {
            close_kept(&fd);
            if (fd >= 0 || errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) return listeners_pause(true);
            if (errno == EAGAIN) return;
            continue;
        }
        used_fds += FDS_EACH;
        *c = (struct conn){.outer = {.s = {fd, on_end}, .conn = c, .pipe = {-1, -1}}, .port = l->inside, .family = l->family, .proxy = l->proxy,
                           .inner = {.s = {-1, on_end}, .conn = c, .pipe = {-1, -1}}};
        connect_next(c);
    }
}
