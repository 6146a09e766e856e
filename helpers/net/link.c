/* What `ip` does, by rtnetlink(7). */
#include "net.h"
#include <arpa/inet.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
struct message { struct nlmsghdr h; char body[1024]; };
static void *end_of(struct message *m) { return (char *)m + NLMSG_ALIGN(m->h.nlmsg_len); }
static void grow(struct message *m, size_t n) { m->h.nlmsg_len = NLMSG_ALIGN(m->h.nlmsg_len) + (uint32_t)n; }
/* An attribute, or with p NULL the beginning of one that contains others (closed by `close_nest`). */
static struct rtattr *put(struct message *m, int type, const void *p, size_t n) {
    struct rtattr *a = end_of(m); size_t room = sizeof *m - NLMSG_ALIGN(m->h.nlmsg_len);
    if (RTA_SPACE(n) > room) _exit(FAIL); /* lengths are checked before: cannot be */
    *a = (struct rtattr){.rta_type = (unsigned short)type, .rta_len = (unsigned short)RTA_LENGTH(n)};
    if (n) memcpy(RTA_DATA(a), p, n);
    return grow(m, RTA_ALIGN(RTA_LENGTH(n))), a;
}
static void put_text(struct message *m, int type, const char *s) { put(m, type, s, strlen(s) + 1); }
static void put_number(struct message *m, int type, uint32_t v) { put(m, type, &v, sizeof v); }
static void close_nest(struct message *m, struct rtattr *a) { a->rta_len = (unsigned short)((char *)end_of(m) - (char *)a); }
static struct message begin(int type, int flags, const void *head, size_t n) {
    struct message m = {.h = {.nlmsg_len = NLMSG_HDRLEN, .nlmsg_type = (unsigned short)type, .nlmsg_flags = (unsigned short)(NLM_F_REQUEST | NLM_F_ACK | flags)}};
    memcpy(m.body, head, n); grow(&m, n); return m;
}
/* Sends it and waits for the acknowledgement. */
static int talk(struct message *m) {
    struct { struct nlmsghdr h; struct nlmsgerr e; char rest[2048]; } answer;
    AUTO fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    if (fd < 0 || send(fd, m, m->h.nlmsg_len, 0) < 0) return -1;
    ssize_t n = recv(fd, &answer, sizeof answer, 0);
    if (n < (ssize_t)(NLMSG_HDRLEN + sizeof answer.e) || answer.h.nlmsg_type != NLMSG_ERROR) return fail(EPROTO);
    return answer.e.error ? fail(-answer.e.error) : 0;
}
static int put_mac(struct message *m, const char *mac) {
    unsigned b[6]; unsigned char raw[6];
    if (!*mac) return 0;
    if (sscanf(mac, "%2x:%2x:%2x:%2x:%2x:%2x", b, b + 1, b + 2, b + 3, b + 4, b + 5) != 6) return fail(EINVAL);
    for (int i = 0; i < 6; i++) raw[i] = (unsigned char)b[i];
    return put(m, IFLA_ADDRESS, raw, sizeof raw), 0;
}
static bool long_name(const char *name) { return !*name || strlen(name) >= IFNAMSIZ; }
int link_bridge(const char *name, const char *mac) {
    struct ifinfomsg head = {.ifi_family = AF_UNSPEC};
    struct message m = begin(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &head, sizeof head);
    if (long_name(name)) return fail(EINVAL);
    put_text(&m, IFLA_IFNAME, name);
    if (put_mac(&m, mac)) return -1;
    struct rtattr *info = put(&m, IFLA_LINKINFO, NULL, 0);
    put_text(&m, IFLA_INFO_KIND, "bridge"); close_nest(&m, info); return talk(&m);
}
/* One end stays here as a port of the bridge, the other comes to being in the namespace `ns`. */
int link_veth(const char *name, const char *inside, const char *mac, const char *mtu, const char *bridge, int ns) {
    struct ifinfomsg head = {.ifi_family = AF_UNSPEC, .ifi_flags = IFF_UP, .ifi_change = IFF_UP}, other = {.ifi_family = AF_UNSPEC};
    struct message m = begin(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &head, sizeof head);
    if (long_name(name) || long_name(inside)) return fail(EINVAL);
    put_text(&m, IFLA_IFNAME, name); put_number(&m, IFLA_MTU, (uint32_t)atol(mtu));
    put_number(&m, IFLA_MASTER, if_nametoindex(bridge));
    struct rtattr *info = put(&m, IFLA_LINKINFO, NULL, 0); put_text(&m, IFLA_INFO_KIND, "veth");
    struct rtattr *data = put(&m, IFLA_INFO_DATA, NULL, 0), *peer = put(&m, VETH_INFO_PEER, NULL, 0);
    memcpy(end_of(&m), &other, sizeof other); grow(&m, sizeof other);
    put_text(&m, IFLA_IFNAME, inside); put_number(&m, IFLA_MTU, (uint32_t)atol(mtu)); put_number(&m, IFLA_NET_NS_FD, (uint32_t)ns);
    if (put_mac(&m, mac)) return -1;
    close_nest(&m, peer); close_nest(&m, data); close_nest(&m, info); return talk(&m);
}
int link_delete(const char *name) {
    struct ifinfomsg head = {.ifi_family = AF_UNSPEC, .ifi_index = (int)if_nametoindex(name)};
    struct message m = begin(RTM_DELLINK, 0, &head, sizeof head);
    return head.ifi_index ? talk(&m) : -1;
}
int link_up(const char *name, const char *mtu) {
    struct ifinfomsg head = {.ifi_family = AF_UNSPEC, .ifi_index = (int)if_nametoindex(name), .ifi_flags = IFF_UP, .ifi_change = IFF_UP};
    struct message m = begin(RTM_NEWLINK, 0, &head, sizeof head);
    if (*mtu) put_number(&m, IFLA_MTU, (uint32_t)atol(mtu));
    return head.ifi_index ? talk(&m) : -1;
}
/* The longest packet that is handed on as one, Ethernet headers not counted, before it is cut to the MTU (IPv4, Linux 6.3). */
#ifndef IFLA_GSO_IPV4_MAX_SIZE
#define IFLA_GSO_IPV4_MAX_SIZE 63
#endif
int link_segment(const char *name, const char *size) {
    struct ifinfomsg head = {.ifi_family = AF_UNSPEC, .ifi_index = (int)if_nametoindex(name)};
    struct message m = begin(RTM_NEWLINK, 0, &head, sizeof head);
    put_number(&m, IFLA_GSO_IPV4_MAX_SIZE, (uint32_t)atol(size)); return head.ifi_index ? talk(&m) : -1;
}
/* Bytes of an address; its family, 0 if it is none. */
static int parse(const char *text, unsigned char raw[16], unsigned *size) {
    int family = strchr(text, ':') ? AF_INET6 : AF_INET;
    return *size = family == AF_INET ? 4 : 16, inet_pton(family, text, raw) == 1 ? family : 0;
}
/* Without duplicate address detection: addresses are given out by one side only, and work at once. */
int link_address(const char *name, const char *address, const char *prefix) {
    unsigned char raw[16]; unsigned n; int family = parse(address, raw, &n);
    struct ifaddrmsg head = {.ifa_family = (unsigned char)family, .ifa_prefixlen = (unsigned char)atoi(prefix), .ifa_index = if_nametoindex(name)};
    struct message m = begin(RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE, &head, sizeof head);
    if (!family) return fail(EINVAL);
    put(&m, IFA_LOCAL, raw, n), put(&m, IFA_ADDRESS, raw, n);
    if (family == AF_INET6) put_number(&m, IFA_FLAGS, IFA_F_NODAD);
    if (family == AF_INET && atoi(prefix) < 31) {
        uint32_t host; memcpy(&host, raw, 4); host = htonl(ntohl(host) | (0xffffffffu >> atoi(prefix))); put(&m, IFA_BROADCAST, &host, 4);
    }
    return head.ifa_index ? talk(&m) : -1;
}
/* DESTINATION is ADDRESS/PREFIX, or `default` and `default6`. */
int link_route(const char *destination, const char *gateway, const char *name, const char *metric) {
    unsigned char raw[16], via[16]; unsigned n = 0, nvia = 0; char copy[64] = {0}; strncpy(copy, destination, sizeof copy - 1);
    char *slash = strchr(copy, '/'); bool all = !strncmp(copy, "default", 7);
    if (slash) *slash++ = 0;
    int family = all ? (copy[7] ? AF_INET6 : AF_INET) : parse(copy, raw, &n);
    struct rtmsg head = {.rtm_family = (unsigned char)family, .rtm_dst_len = (unsigned char)(slash ? atoi(slash) : 0), .rtm_table = RT_TABLE_MAIN,
                         .rtm_protocol = RTPROT_STATIC, .rtm_type = RTN_UNICAST, .rtm_scope = *gateway ? RT_SCOPE_UNIVERSE : RT_SCOPE_LINK};
    struct message m = begin(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE, &head, sizeof head);
    if (!family || (*gateway && parse(gateway, via, &nvia) != family)) return fail(EINVAL);
    if (!all) put(&m, RTA_DST, raw, n);
    if (*gateway) put(&m, RTA_GATEWAY, via, nvia);
    put_number(&m, RTA_OIF, if_nametoindex(name)); put_number(&m, RTA_PRIORITY, (uint32_t)atol(metric)); return talk(&m);
}
