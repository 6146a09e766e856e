/* Questions for names. They come to sockets in the networks; a process of tsbox answers them. It is started by the first
 * question, knows what it is told, and asks others from the machine's own network. */
#include "net.h"
#include <arpa/inet.h>
#include <endian.h>
enum { PENDING = 512, CONNECTIONS = 32, QUESTION = 4096 };
static struct record program; /* its command line, copied */
static pid_t answerer; static int channel = -1;
static struct pending { uint32_t token; int fd; struct sockaddr_in6 to; socklen_t n; } pending[PENDING];
static uint32_t last;
static struct connection { int fd; const char *net; uint32_t serial; size_t n; unsigned char p[QUESTION + 2]; } *connections[CONNECTIONS];
void names_program(const struct record *argv) {
    if (program.n) return;
    program.n = argv->n, program.f = calloc(argv->n, sizeof *program.f);
    for (uint32_t i = 0; program.f && i < argv->n; i++) program.f[i] = (struct field){strdup(argv->f[i].p), argv->f[i].n};
}
static void end_program(void) { close_kept(&channel); channel = -1; }
void names_ended(pid_t pid) { if (pid == answerer) answerer = 0, end_program(); }
static void start_program(void) {
    int pair[2], none = -1; char **argv = calloc(program.n + 1, sizeof *argv);
    if (program.n < 2 || !argv || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair)) return;
    for (uint32_t i = 1; i < program.n; i++) argv[i - 1] = (char *)(uintptr_t)program.f[i].p;
    answerer = fork();
    if (answerer == 0) {
        place(3, (int[]){pair[1], open_null(), open_null()}, &none); setsid(); signals_default(); close_range_of(3, ~0u, 0);
        tie_to_parent(); execve(argv[0], argv, environ); _exit(127);
    }
    close(pair[1]); free(argv); channel = pair[0]; names_replay();
}
void names_say(const char *p, size_t n) {
    if (channel >= 0 && !write_all(channel, p, n)) end_program();
}
static void ask(uint32_t token, const char *net, const struct sockaddr_in6 *from, const char *way, const void *p, size_t n) {
    char source[64] = ""; struct buf b = {0};
    if (channel < 0) start_program();
    inet_ntop(from->sin6_family, from->sin6_family == AF_INET ? (const void *)&((const struct sockaddr_in *)(const void *)from)->sin_addr : &from->sin6_addr, source, sizeof source);
    event_open(&b, "query"); const char *t = text("%u", token);
    event_field(&b, t, strlen(t)), event_field(&b, net, strlen(net)), event_field(&b, source, strlen(source));
    event_field(&b, way, strlen(way)), event_field(&b, p, n);
    event_close(&b); names_say(b.p, b.n); free(b.p); free((void *)(uintptr_t)t);
}
static void on_udp(int fd, const char *net) {
    char p[QUESTION]; struct pending *at; ssize_t n;
    for (int i = 0; i < 64; i++) {
        struct sockaddr_in6 from = {0}; socklen_t size = sizeof from;
        if ((n = recvfrom(fd, p, sizeof p, MSG_DONTWAIT, (void *)&from, &size)) <= 0) return;
        at = &pending[++last % PENDING]; *at = (struct pending){last, fd, from, size}; ask(last, net, &from, "udp", p, (size_t)n);
    }
}
static void close_connection(int i) { close(connections[i]->fd); free(connections[i]); connections[i] = NULL; }
static void on_tcp(int fd, const char *net) {
    int made = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK), i = 0;
    if (made < 0) return;
    while (i < CONNECTIONS && connections[i]) i++;
    if (i == CONNECTIONS) close_connection(i = (int)(++last % CONNECTIONS)); /* somebody keeps them all: the next has a turn */
    if (!(connections[i] = calloc(1, sizeof **connections))) { close(made); return; }
    connections[i]->fd = made, connections[i]->net = net, connections[i]->serial = ++last;
}
/* Each question has its length before it (RFC 1035, 4.2.2). */
static void on_connection(int i) {
    struct connection *c = connections[i]; struct sockaddr_in6 from = {0}; socklen_t size = sizeof from;
    ssize_t k = read(c->fd, c->p + c->n, sizeof c->p - c->n);
    if (k < 0 && errno == EAGAIN) return;
    if (k <= 0 || getpeername(c->fd, (void *)&from, &size)) { close_connection(i); return; }
    for (c->n += (size_t)k; c->n >= 2;) {
        size_t want = (size_t)c->p[0] << 8 | c->p[1];
        if (want > QUESTION) { close_connection(i); return; }
        if (c->n < want + 2) return;
        struct pending *at = &pending[++last % PENDING]; *at = (struct pending){last, -1 - i, {.sin6_flowinfo = c->serial}, 0};
        ask(last, c->net, &from, "tcp", c->p + 2, want); memmove(c->p, c->p + want + 2, c->n -= want + 2);
    }
}
/* `answer TOKEN BYTES` */
static void give(const struct record *r) {
    char head[2]; uint32_t token = r && r->n == 3 ? (uint32_t)strtoul(r->f[1].p, NULL, 10) : 0;
    struct pending *at = &pending[token % PENDING];
    if (!token || at->token != token || !r->f[2].n) return;
    at->token = 0; int i = -1 - at->fd;
    if (at->fd >= 0) { sendto(at->fd, r->f[2].p, r->f[2].n, MSG_DONTWAIT, (void *)&at->to, at->n); return; }
    if (!connections[i] || connections[i]->serial != at->to.sin6_flowinfo || r->f[2].n > 65535) return;
    head[0] = (char)(r->f[2].n >> 8), head[1] = (char)r->f[2].n;
    if (send(connections[i]->fd, head, 2, MSG_NOSIGNAL | MSG_MORE) != 2 || send(connections[i]->fd, r->f[2].p, r->f[2].n, MSG_NOSIGNAL) != (ssize_t)r->f[2].n) close_connection(i);
}
static void on_answer(void) {
    struct frame f;
    if (frame_read(channel, &f)) { end_program(); return; }
    give(f.n ? f.r : NULL);
    if (f.n) free((char *)(uintptr_t)f.r->f[0].p - 8); /* the payload: two lengths, then its first field */
    free(f.r);
}
void names_watch(const struct asked *a, const char *net) {
    (void)net; for (int i = 0; i < 2; i++) watch_net(a->udp[i]), watch_net(a->tcp[i]);
}
void names_act(const struct asked *a, const char *net) {
    for (int i = 0; i < 2; i++) { if (hit_net(a->udp[i])) on_udp(a->udp[i], net); if (hit_net(a->tcp[i])) on_tcp(a->tcp[i], net); }
}
void names_watch_own(void) {
    watch_net(channel); for (int i = 0; i < CONNECTIONS; i++) if (connections[i]) watch_net(connections[i]->fd);
}
void names_act_own(void) {
    if (hit_net(channel)) on_answer();
    for (int i = 0; i < CONNECTIONS; i++) if (connections[i] && hit_net(connections[i]->fd)) on_connection(i);
}
/* Of a network that goes. */
void names_drop(struct asked *a, const char *net) {
    for (int i = 0; i < CONNECTIONS; i++) if (connections[i] && connections[i]->net == net) close_connection(i);
    for (int i = 0; i < 2; i++) {
        for (int k = 0; k < PENDING; k++) if (pending[k].token && pending[k].fd >= 0 && pending[k].fd == a->udp[i]) pending[k].token = 0;
        close_kept(&a->udp[i]), close_kept(&a->tcp[i]);
    }
}
