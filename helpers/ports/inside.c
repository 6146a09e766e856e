/* The container's own addresses, as rtnetlink(7) tells them: one that is not loopback, so that what is published never seems
 * to come from 127.0.0.1, and what listens there alone is not published. They come and go with networks. */
#include "ports.h"
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
enum { MOST = 64, LOOPBACK = 1 };
static union address known[MOST];
static unsigned nknown;
static struct source news;
static bool stale = true;
static void on_news(struct source *s, uint32_t events UNUSED) {
    char p[8192];
    stale = true;
    while (recv(s->fd, p, sizeof p, MSG_DONTWAIT) > 0 || errno == ENOBUFS || errno == EINTR) {}
}
static int open_netlink(unsigned groups) {
    struct sockaddr_nl a = {.nl_family = AF_NETLINK, .nl_groups = groups};
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
    if (fd >= 0 && bind(fd, (struct sockaddr *)&a, sizeof a)) close_kept(&fd), fd = -1;
    return fd;
}
bool inside_open(int epoll UNUSED) {
    news = (struct source){open_netlink(RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR), on_news};
    return news.fd >= 0 && poll_add(&news, EPOLLIN);
}
static void learn(const struct nlmsghdr *h) {
    const struct ifaddrmsg *m = NLMSG_DATA(h); int left = (int)IFA_PAYLOAD(h); union address a = {.any.sa_family = m->ifa_family};
    if (h->nlmsg_type != RTM_NEWADDR || m->ifa_scope != RT_SCOPE_UNIVERSE || m->ifa_index == LOOPBACK || nknown == MOST) return;
    for (const struct rtattr *r = IFA_RTA(m); RTA_OK(r, left); r = RTA_NEXT(r, left)) {
        bool local = r->rta_type == IFA_LOCAL || (r->rta_type == IFA_ADDRESS && m->ifa_family == AF_INET6);
        if (local && m->ifa_family == AF_INET && RTA_PAYLOAD(r) == 4) memcpy(&a.v4.sin_addr, RTA_DATA(r), 4), known[nknown++] = a;
        if (local && m->ifa_family == AF_INET6 && RTA_PAYLOAD(r) == 16) memcpy(&a.v6.sin6_addr, RTA_DATA(r), 16), known[nknown++] = a;
    }
}
static void refresh(void) {
    struct { struct nlmsghdr h; struct ifaddrmsg m; } ask = {
        {.nlmsg_len = sizeof ask, .nlmsg_type = RTM_GETADDR, .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP}, {.ifa_family = AF_UNSPEC}};
    static char p[16384] __attribute__((aligned(8))); ssize_t n; AUTO fd = open_netlink(0);
    nknown = 0, stale = false;
    if (fd < 0 || send(fd, &ask, sizeof ask, 0) < 0) return (void)(stale = true);
    while ((n = recv(fd, p, sizeof p, 0)) > 0) /* the kernel has the answer ready: it never waits */
        for (struct nlmsghdr *h = (void *)p; NLMSG_OK(h, (unsigned)n); h = NLMSG_NEXT(h, n)) learn(h);
}
/* Addresses of the client's own family come first. */
bool inside_address(unsigned nth, sa_family_t first, uint16_t port, union address *out) {
    if (nth == 0 && stale) refresh();
    for (int other = 0; other < 2; other++)
        for (unsigned i = 0; i < nknown; i++) {
            if ((known[i].any.sa_family == first) == other || nth-- > 0) continue;
            *out = known[i]; out->v4.sin_port = htons(port); return true; /* sin6_port is in the same place */
        }
    return false;
}
