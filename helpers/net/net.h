/* Networks of several containers: a holder in a user namespace of its own has a network namespace for each, with a bridge;
 * containers that it joins to them have user namespaces nested in its. docs/helper-protocol.md, "Networks". */
#pragma once
#include "helper.h"
struct ops { const struct record *r; uint32_t n; };
/* rtnetlink(7), in the network namespace of this process; 0, or -1 with errno. */
int link_bridge(const char *name, const char *mac);
int link_veth(const char *name, const char *inside, const char *mac, const char *mtu, const char *bridge, int ns);
int link_delete(const char *name), link_up(const char *name, const char *mtu), link_segment(const char *name, const char *size);
int link_address(const char *name, const char *address, const char *prefix);
int link_route(const char *destination, const char *gateway, const char *name, const char *metric);
/* Walks operations in a child, in namespace *ns (-1: a new one, which it becomes); what it opens comes to `opened`. NULL, or why not. */
char *work(struct ops ops, int *ns, int inside, void (*opened)(char kind, int fd, void *arg), void *arg);
/* Names: the process that answers, and the sockets on which it is asked. */
struct asked { int udp[2], tcp[2]; }; /* one per family; -1 */
void names_program(const struct record *argv), names_say(const char *p, size_t n), names_ended(pid_t pid);
void names_watch(const struct asked *a, const char *net), names_act(const struct asked *a, const char *net);
void names_watch_own(void), names_act_own(void), names_drop(struct asked *a, const char *net);
void names_replay(void); /* of the holder: all that is known, for a new process */
int guest_enter(const struct request *q); /* -1 with errno */
void watch_net(int fd); bool hit_net(int fd);
_Noreturn void hold(int listener, int lock, const char *socket);
