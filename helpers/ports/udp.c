/* UDP: a connected socket inside for each client, forgotten when it has been silent for a while. */
#include "ports.h"
enum { SILENCE = 90 /* seconds, docker's */, BUCKETS = 1024, MOST_FLOWS = 4096 };
struct flow {
    struct source s;
    struct listener *from;
    union address client;
    char to[CMSG_SPACE(sizeof(struct in6_pktinfo))]; size_t nto; /* the address of ours that the client knows, as sendmsg(2) wants it */
    struct flow *chain, *older, *newer;
    time_t seen;
    bool over;
};
static struct flow *bucket[BUCKETS], *oldest, *newest, *ended;
static unsigned nflows;
static char packet[65536];
static time_t now(void) { struct timespec t; clock_gettime(CLOCK_MONOTONIC, &t); return t.tv_sec; }
static struct flow **bucket_of(const struct listener *l, const union address *a) {
    uintptr_t h = (uintptr_t)l / 64 + a->v4.sin_port;
    const unsigned char *p = a->any.sa_family == AF_INET6 ? a->v6.sin6_addr.s6_addr : (const void *)&a->v4.sin_addr;
    for (int i = a->any.sa_family == AF_INET6 ? 16 : 4; i--;) h = h * 31 + p[i];
    return &bucket[h % BUCKETS];
}
static void unlink_age(struct flow *f) {
    *(f->older ? &f->older->newer : &oldest) = f->newer, *(f->newer ? &f->newer->older : &newest) = f->older;
}
static void link_age(struct flow *f) {
    f->seen = now(), f->newer = NULL, f->older = newest, *(newest ? &newest->newer : &oldest) = f, newest = f;
}
static void end(struct flow *f) {
    struct flow **at = bucket_of(f->from, &f->client);
    while (*at != f) at = &(*at)->chain;
    *at = f->chain, f->chain = ended, ended = f, f->over = true;
    unlink_age(f), close(f->s.fd), nflows--, used_fds--;
}
void udp_sweep(void) {
    for (struct flow *next; ended; ended = next) next = ended->chain, free(ended);
}
int udp_expire(void) {
    time_t t = oldest ? now() : 0;
    while (oldest && t - oldest->seen >= SILENCE) end(oldest);
    return oldest ? (int)(oldest->seen + SILENCE - t) * 1000 : -1;
}
void udp_forget(const struct listener *l) {
    for (struct flow *f = oldest, *next; f; f = next) if (next = f->newer, f->from == l) end(f);
}
static void answer(struct source *s, uint32_t events UNUSED) {
    struct flow *f = (struct flow *)s;
    for (int i = 0; i < BATCH && !f->over; i++) {
        ssize_t n = recv(s->fd, packet, sizeof packet, 0);
        if (n < 0) return; /* EAGAIN; or that nobody listens (ICMP): the client would not be told without us either */
        struct msghdr m = {.msg_name = &f->client, .msg_namelen = length_of(&f->client), .msg_iov = &(struct iovec){packet, (size_t)n},
                           .msg_iovlen = 1, .msg_control = f->nto ? f->to : NULL, .msg_controllen = f->nto};
        if (i == 0) unlink_age(f), link_age(f);
        sendmsg(f->from->s.fd, &m, MSG_NOSIGNAL);
    }
}
static struct flow *begin(struct listener *l, const union address *client) {
    union address a;
    if (nflows >= MOST_FLOWS || used_fds >= most_fds) { if (!oldest) return NULL; end(oldest); }
    struct flow *f = inside_address(0, l->family, l->inside, &a) ? calloc(1, sizeof *f) : NULL, **at = bucket_of(l, client);
    int fd = f ? socket(a.any.sa_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0) : -1;
    if (f) *f = (struct flow){.s = {fd, answer}, .from = l, .client = *client};
    if (fd < 0 || connect(fd, &a.any, length_of(&a)) || !poll_add(&f->s, EPOLLIN)) return close_kept(&fd), free(f), NULL;
    f->chain = *at, *at = f, link_age(f), nflows++, used_fds++;
    return f;
}
static struct flow *flow_of(struct listener *l, const union address *client) {
    for (struct flow *f = *bucket_of(l, client); f; f = f->chain)
        if (f->from == l && !memcmp(&f->client, client, length_of(client))) return unlink_age(f), link_age(f), f;
    return begin(l, client);
}
/* Which of our addresses the datagram came to: the answer must come from it. */
static void remember(struct flow *f, struct msghdr *m) {
    struct cmsghdr *c = CMSG_FIRSTHDR(m);
    if (!c || m->msg_controllen > sizeof f->to) return;
    if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
        struct in_pktinfo *p = (void *)CMSG_DATA(c);
        p->ipi_spec_dst = p->ipi_addr, p->ipi_ifindex = 0;
    }
    memcpy(f->to, m->msg_control, f->nto = m->msg_controllen);
}
void udp_receive(struct source *s, uint32_t events UNUSED) {
    struct listener *l = (struct listener *)s; char control[64] __attribute__((aligned(8)));
    for (int i = 0; i < BATCH; i++) {
        union address client = {0};
        struct msghdr m = {.msg_name = &client, .msg_namelen = sizeof client, .msg_iov = &(struct iovec){packet, sizeof packet},
                           .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
        ssize_t n = recvmsg(s->fd, &m, 0); struct flow *f = n < 0 ? NULL : flow_of(l, &client);
        if (n < 0 && errno != ECONNREFUSED) return;
        if (!f) continue;
        if (!f->nto) remember(f, &m);
        if (send(f->s.fd, packet, (size_t)n, MSG_NOSIGNAL) < 0 && errno == ECONNREFUSED) /* of the one before */
            send(f->s.fd, packet, (size_t)n, MSG_NOSIGNAL);
    }
}
