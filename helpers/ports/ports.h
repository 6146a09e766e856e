/* `builtin`: published ports. Listens outside, connects inside the container's network namespace, moves bytes by splice(2).
 * One process, one epoll loop; docs/helper-protocol.md draws it. */
#pragma once
#include "../helper.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
enum { MOST_LISTENERS = 16384, BATCH = 64 };
/* Bytes that may wait on the way to the container, from it, and unsent to the client. The kernel's own tuning lets megabytes pile up
 * between processes of one machine, and whoever reads them at last finds none in the processor's cache: a third of all the time. The buffer
 * towards the client stays the kernel's, which may be far away. Below 128 KiB two segments of the loopback do not fit, and each waits 40 ms for
 * its acknowledgement. */
enum { WAITING = 256 << 10 };
/* What an epoll event points to: every such thing begins with it. */
struct source { int fd; void (*on)(struct source *s, uint32_t events); };
union address { struct sockaddr any; struct sockaddr_in v4; struct sockaddr_in6 v6; };
struct listener {
    struct source s;
    struct listener *next;
    char ip[INET6_ADDRSTRLEN];
    uint16_t outside, inside; /* ports */
    sa_family_t family;
    bool udp, proxy, paused;
};
extern struct listener *listeners;
extern unsigned most_fds, used_fds; /* of connections and flows */
static inline socklen_t length_of(const union address *a) { return a->any.sa_family == AF_INET6 ? sizeof a->v6 : sizeof a->v4; }
/* listen.c */
struct listener *listener_open(const char *proto, const char *ip, unsigned first, unsigned last, unsigned inside, const char *flags);
struct listener *listener_keep(int fd, const char *line); /* one that came through the control socket */
bool listener_watch(struct listener *l);
void listener_line(const struct listener *l, char *to, size_t n);
void listener_drop(struct listener *l), listeners_pause(bool pause), listeners_sweep(void);
/* inside.c: the container's own addresses */
bool inside_open(int epoll);
bool inside_address(unsigned nth, sa_family_t first, uint16_t port, union address *out); /* false: there are no more */
/* tcp.c */
void tcp_accept(struct source *s, uint32_t events);
bool tcp_pump(void); /* goes on with what was put off; true while there is more */
void tcp_sweep(void); /* after a batch of events: nothing points to what has ended any more */
/* udp.c */
void udp_receive(struct source *s, uint32_t events), udp_forget(const struct listener *l), udp_sweep(void);
int udp_expire(void); /* milliseconds until the next flow is too old; -1: there is none */
/* forward.c */
bool poll_add(struct source *s, uint32_t events), poll_change(struct source *s, uint32_t events);
int forward_late(char **argv), port_client(int argc, char **argv);
bool confine(void); /* sandbox.c: no capabilities, no new ones, few system calls */
