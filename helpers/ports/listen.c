/* Sockets that listen on the host: made before the process enters the container's namespaces, or passed to it later. */
#include "ports.h"
struct listener *listeners;
static unsigned count; static struct listener *removed; static bool paused;
static bool parse_ip(const char *ip, unsigned port, union address *a) {
    *a = (union address){0};
    if (inet_pton(AF_INET, ip, &a->v4.sin_addr) == 1) return a->v4.sin_family = AF_INET, a->v4.sin_port = htons((uint16_t)port), true;
    if (inet_pton(AF_INET6, ip, &a->v6.sin6_addr) == 1) return a->v6.sin6_family = AF_INET6, a->v6.sin6_port = htons((uint16_t)port), true;
    return false;
}
static uint16_t bound_port(int fd) {
    union address a = {0}; socklen_t n = sizeof a;
    return getsockname(fd, &a.any, &n) ? 0 : ntohs(a.any.sa_family == AF_INET6 ? a.v6.sin6_port : a.v4.sin_port);
}
/* Connections inherit keep-alive, no-delay and what may wait unsent from the socket that listens. Answers to datagrams leave from the
 * address they came to. */
static int open_socket(const union address *a, bool udp) {
    bool six = a->any.sa_family == AF_INET6; const int on = 1, most = WAITING;
    int fd = socket(a->any.sa_family, (udp ? SOCK_DGRAM : SOCK_STREAM) | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) return -1;
    if (six) setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
    if (udp) setsockopt(fd, six ? IPPROTO_IPV6 : IPPROTO_IP, six ? IPV6_RECVPKTINFO : IP_PKTINFO, &on, sizeof on);
    else setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on), setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on),
         setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on), setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &most, sizeof most);
    if (bind(fd, &a->any, length_of(a)) == 0 && (udp || listen(fd, 65535) == 0)) return fd; /* the kernel cuts it to somaxconn */
    return close_kept(&fd), -1;
}
static struct listener *keep(int fd, const char *ip, unsigned inside, bool udp, bool proxy) {
    struct listener *l = calloc(1, sizeof *l); union address a;
    if (!l || ++count > MOST_LISTENERS || !parse_ip(ip, 0, &a)) return NULL;
    *l = (struct listener){.s = {fd, udp ? udp_receive : tcp_accept}, .next = listeners, .outside = bound_port(fd),
                           .inside = (uint16_t)inside, .family = a.any.sa_family, .udp = udp, .proxy = proxy};
    snprintf(l->ip, sizeof l->ip, "%s", ip); return listeners = l;
}
/* The first port of first…last that is free; 0: any. Flags: p PROXY protocol v2; s the host port of the one before. NULL and errno. */
struct listener *listener_open(const char *proto, const char *ip, unsigned first, unsigned last, unsigned inside, const char *flags) {
    union address a; bool udp = !strcmp(proto, "udp"); int fd = -1;
    if (strchr(flags, 's')) first = last = listeners ? listeners->outside : 0;
    if (first > last || last > 65535 || !inside || inside > 65535) return errno = EINVAL, NULL;
    for (unsigned port = first; fd < 0 && port <= last; port++) {
        if (!parse_ip(ip, port, &a)) return errno = EINVAL, NULL;
        if ((fd = open_socket(&a, udp)) < 0 && errno != EADDRINUSE) return NULL;
    }
    return fd < 0 ? NULL : keep(fd, ip, inside, udp, strchr(flags, 'p'));
}
/* A line as listener_line writes it. */
struct listener *listener_keep(int fd, const char *line) {
    char proto[4], ip[INET6_ADDRSTRLEN], flags[8] = ""; unsigned outside, inside;
    if (sscanf(line, "%3s %45s %u %u %7s", proto, ip, &outside, &inside, flags) < 4) return NULL;
    fcntl(fd, F_SETFL, O_NONBLOCK); return keep(fd, ip, inside, !strcmp(proto, "udp"), strchr(flags, 'p'));
}
void listener_line(const struct listener *l, char *to, size_t n) {
    snprintf(to, n, "%s %s %u %u %s\n", l->udp ? "udp" : "tcp", l->ip, l->outside, l->inside, l->proxy ? "p" : "-");
}
bool listener_watch(struct listener *l) { return poll_add(&l->s, EPOLLIN); }
/* Connections that it has accepted go on. */
void listener_drop(struct listener *l) {
    struct listener **at = &listeners;
    while (*at && *at != l) at = &(*at)->next;
    if (!*at) return;
    udp_forget(l); close(l->s.fd); *at = l->next, l->next = removed, removed = l, l->s.fd = -1, count--;
}
/* After a batch of events, of which one may still be its. */
void listeners_sweep(void) { for (struct listener *next; removed; removed = next) next = removed->next, free(removed); }
/* No descriptors left: who connects waits in the backlog instead of keeping us busy. */
void listeners_pause(bool pause) {
    if (!pause && !paused) return;
    for (struct listener *l = listeners; l; l = l->next)
        if (l->paused != pause && poll_change(&l->s, pause ? 0 : EPOLLIN)) l->paused = pause;
    paused = pause;
}
/* The first operation on ports leaves no descriptor of the supervisor's open: a lock that it holds would stay held. */
OP(listen) {
    if (!listeners) close_range_of(5, (unsigned)w->sync - 1, 0), close_range_of((unsigned)w->sync + 1, ~0u, 0);
    if (listener_open(a[0].s, a[1].s, (unsigned)a[2].v, (unsigned)a[3].v, (unsigned)a[4].v, a[5].s)) return 0;
    bool without = errno == EAFNOSUPPORT || errno == EADDRNOTAVAIL || (errno == EADDRINUSE && strchr(a[5].s, 's'));
    return strchr(a[5].s, '6') && without ? 0 : -1; /* 6: for a machine with IPv6 */
}
