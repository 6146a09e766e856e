/* tsbox: network: holds the network namespaces of a store as long as some container is connected here. */
#include "net.h"
#include <sys/file.h>
#include <sys/un.h>
struct paper { int users; struct frame f; char p[]; }; /* a request, as long as something refers to its texts */
struct net {
    struct net *next; struct paper *paper;
    const char *id;
    int ns, users, ready, out, stop; /* ready, out: pipes of the uplink; stop: its exit pipe, whose end it sees */
    pid_t uplink; struct record argv; time_t since; bool failed; char said[512];
    struct asked asked;
};
struct peer { struct peer *next; struct paper *paper; struct net *net; const char *link; struct ops names; };
struct client { struct client *next; struct paper *paper; int fd, ns; const char *id; bool owed; struct peer *peers;
                struct client *on; }; /* whose interfaces its request is about */
static struct paper *now; /* the one that is looked at */
static struct net *nets;
static struct client *clients;
static struct pollfd *polled; static size_t npolled, room;
static void look(int fd, short events) {
    if (npolled == room && !(polled = realloc(polled, (room = room * 2 + 16) * sizeof *polled))) _exit(FAIL);
    if (fd >= 0) polled[npolled++] = (struct pollfd){fd, events, 0};
}
void watch_net(int fd) { look(fd, POLLIN); }
bool hit_net(int fd) {
    for (size_t i = 0; fd >= 0 && i < npolled; i++) if (polled[i].fd == fd) return polled[i].revents;
    return false;
}
static struct paper *use(struct paper *p) { if (p) p->users++; return p; }
static void unuse(struct paper *p) { if (p && !--p->users) free(p->f.r), free(p); }
static void shut(int *fd) { close_kept(fd); *fd = -1; }
static struct net *find_net(const char *id) {
    struct net *n = nets;
    while (n && strcmp(n->id, id)) n = n->next;
    return n;
}
static struct client *find_client(const char *id) {
    struct client *c = clients;
    while (c && (!c->id || strcmp(c->id, id))) c = c->next;
    return c;
}
/* The uplink joins the namespace by descriptor 5, says that it is ready on 3, and ends with 4. */
static void start_uplink(struct net *n) {
    int ready[2], out[2], stop[2], none = -1; static char *env[] = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin", NULL};
    char **argv = calloc(n->argv.n + 1, sizeof *argv);
    if (!argv || n->argv.n < 2 || pipe2(ready, O_CLOEXEC) || pipe2(out, O_CLOEXEC | O_NONBLOCK) || pipe2(stop, O_CLOEXEC)) return;
    for (uint32_t i = 1; i < n->argv.n; i++) argv[i - 1] = (char *)(uintptr_t)n->argv.f[i].p;
    n->since = time(NULL), n->uplink = fork();
    if (n->uplink == 0) {
        fcntl(out[1], F_SETFL, 0); place(6, (int[]){open_null(), out[1], out[1], ready[1], stop[0], n->ns}, &none);
        setsid(); signals_default(); close_range_of(6, ~0u, 0); tie_to_parent();
        execve(argv[0], argv, env); dprintf(1, "%s: %s", argv[0], strerror(errno)); _exit(127);
    }
    close(ready[1]), close(out[1]), close(stop[0]); n->ready = ready[0], n->out = out[0], n->stop = stop[1];
}
static void opened(char kind, int fd, void *arg) {
    struct net *n = arg;
    if (kind == 'n' && n->argv.n) start_uplink(n); /* beside the rest of the work */
    if (kind == 'u' || kind == 'U') n->asked.udp[kind == 'U'] = fd;
    if (kind == 't' || kind == 'T') n->asked.tcp[kind == 'T'] = fd;
}
static void drop_net(struct net *n) {
    for (struct net **at = &nets; *at; at = &(*at)->next) if (*at == n) { *at = n->next; break; }
    names_drop(&n->asked, n->id); shut(&n->ready), shut(&n->out), shut(&n->stop), shut(&n->ns);
    if (n->uplink > 0) kill(n->uplink, SIGTERM);
    unuse(n->paper), free(n);
}
static char *make_net(const struct record *head, struct ops ops) {
    struct net *n = calloc(1, sizeof *n);
    *n = (struct net){.next = nets, .paper = use(now), .id = head->f[1].p, .ns = -1, .ready = -1, .out = -1, .stop = -1, .asked = {{-1, -1}, {-1, -1}}};
    if (ops.n && !strcmp(ops.r[0].f[0].p, "uplink")) n->argv = ops.r[0], ops.r++, ops.n--;
    nets = n;
    return work(ops, &n->ns, -1, opened, n);
}
/* What the process that answers must know of an interface: `name ADDRESS NAME…`, told as `name CONTAINER NET ADDRESS NAME…`. */
static void tell(const struct client *c, const struct peer *p) {
    for (uint32_t i = 0; i < p->names.n; i++) {
        const struct record *r = &p->names.r[i]; struct buf b = {0};
        event_open(&b, "name"); event_field(&b, c->id, strlen(c->id)); event_field(&b, p->net->id, strlen(p->net->id));
        for (uint32_t k = 1; k < r->n; k++) event_field(&b, r->f[k].p, r->f[k].n);
        event_close(&b); names_say(b.p, b.n); free(b.p);
    }
}
void names_replay(void) {
    for (struct client *c = clients; c; c = c->next) for (struct peer *p = c->peers; p; p = p->next) tell(c, p);
}
static void forget(const struct client *c, const struct net *n) {
    struct buf b = {0}; event(&b, "forget", c->id, n ? n->id : NULL, NULL); names_say(b.p, b.n); free(b.p);
}
static void drop_peer(struct peer **at) {
    struct peer *p = *at; *at = p->next, p->net->users--; unuse(p->paper), free(p);
}
static void drop_unused(void) {
    for (struct net *n = nets, *next; n; n = next) if (next = n->next, n->users == 0) drop_net(n);
}
/* `attach NET LINK` with its operations: interfaces, addresses, routes; `name` records last. */
static char *attach_to(struct client *c, const struct record *head, struct ops ops) {
    struct net *n = head->n > 2 ? find_net(head->f[1].p) : NULL; struct ops names = ops;
    if (!n || c->ns < 0) return text("%s", "there is nothing to attach to");
    while (names.n && strcmp(names.r[0].f[0].p, "name")) names.r++, names.n--;
    ops.n -= names.n;
    char *why = work(ops, &n->ns, c->ns, opened, n);
    if (why) { (void)!work((struct ops){&(struct record){(struct field[]){{"?unlink", 7}, head->f[2]}, 2}, 1}, &n->ns, c->ns, opened, n); return why; }
    struct peer *p = calloc(1, sizeof *p);
    *p = (struct peer){c->peers, use(now), n, head->f[2].p, names}; c->peers = p, n->users++; tell(c, p); return NULL;
}
static char *detach_from(struct client *c, const struct record *head, struct ops ops) {
    struct peer **at = &c->peers; (void)ops;
    while (*at && strcmp((*at)->net->id, head->f[1].p)) at = &(*at)->next;
    if (!*at) return text("it is not connected");
    struct net *n = (*at)->net; struct field f[] = {{"unlink", 6}, {(*at)->link, (uint32_t)strlen((*at)->link)}};
    (void)!work((struct ops){&(struct record){f, 2}, 1}, &n->ns, c->ns, opened, n);
    /* what comes with it: routes of the networks that stay */
    char *why = ops.n ? work(ops, &n->ns, c->ns, opened, n) : NULL;
    forget(c, n); drop_peer(at); return why;
}
static bool is_head(const struct record *r) {
    static const char *const heads[] = {"container", "for", "resolver", "network", "attach", "detach", NULL};
    for (int i = 0; heads[i]; i++) if (!strcmp(r->f[0].p, heads[i])) return true;
    return false;
}
/* One request. `on`: whose interfaces; the client itself, or with `for` the one of that name. NULL, or why not. */
static char *perform(struct client *c, const struct frame *f, struct client **on) {
    char *why = NULL; *on = c;
    for (uint32_t i = 0, next; !why && i < f->n; i = next) {
        const struct record *r = &f->r[i]; const char *name = r->f[0].p;
        for (next = i + 1; next < f->n && !is_head(&f->r[next]); next++) {}
        struct ops ops = {r + 1, next - i - 1};
        if (r->n < 2) return text("malformed request");
        if (!strcmp(name, "container")) { if (!c->id) c->id = r->f[1].p, c->paper = use(now); }
        else if (!strcmp(name, "for")) { if (!(*on = find_client(r->f[1].p))) why = text("this container was not started on a network of its own"); }
        else if (!strcmp(name, "resolver")) names_program(r);
        else if (!strcmp(name, "network")) { if (!find_net(r->f[1].p)) why = make_net(r, ops); }
        else if (!strcmp(name, "attach")) why = attach_to(*on, r, ops);
        else if (!strcmp(name, "detach")) why = detach_from(*on, r, ops);
        else why = text("unknown request %s", name);
    }
    return why;
}
static void answer(struct client *c, const char *why) {
    c->owed = false; send_packet(c->fd, why ? 'F' : 'k', why, why ? strlen(why) : 0, -1);
}
/* To who waits for an uplink: the first that failed of the networks that it is about, or that all of them are ready. */
static void answer_waiting(void) {
    for (struct client *c = clients; c; c = c->next) {
        bool wait = false; const char *why = NULL;
        if (!c->owed) continue;
        for (struct peer *p = c->on ? c->on->peers : NULL; p; p = p->next) {
            if (p->net->failed) why = text("%s: %s", p->net->argv.f[1].p, p->net->said);
            wait |= p->net->ready >= 0 && !p->net->failed;
        }
        if (why || !wait) answer(c, why);
    }
}
static void drop_client(struct client *c) {
    for (struct client **at = &clients; *at; at = &(*at)->next) if (*at == c) { *at = c->next; break; }
    for (struct client *o = clients; o; o = o->next) if (o->on == c) o->on = NULL;
    if (c->peers) forget(c, NULL);
    while (c->peers) drop_peer(&c->peers);
    shut(&c->fd), shut(&c->ns); unuse(c->paper), free(c);
}
static void on_client(struct client *c) {
    static char p[PACKET + 1]; int fd; struct client *on = c; ssize_t n = recv_packet(c->fd, p, sizeof p, &fd);
    if (n <= 0) { drop_client(c), drop_unused(); return; }
    if (fd >= 0) shut(&c->ns), c->ns = fd;
    if (n < 9 || p[0] != 'a' || !(now = calloc(1, sizeof *now + (size_t)n))) { answer(c, "malformed request"); return; }
    memcpy(now->p, p + 9, (size_t)n - 9); now->users = 1; /* after 'a', magic and length */
    char *why = frame_decode(now->p, (size_t)n - 9, &now->f) ? text("malformed request") : perform(c, &now->f, &on);
    c->owed = true, c->on = on; unuse(now);
    if (why) answer(c, why);
    drop_unused(); answer_waiting();
}
/* Its last words. */
static void hear(struct net *n) {
    for (ssize_t k; n->out >= 0 && (k = read(n->out, n->said, sizeof n->said - 1)) >= 0;) { if (k > 0) n->said[k] = 0; else shut(&n->out); }
}
static void on_uplink(struct net *n) {
    char byte;
    if (hit_net(n->out)) hear(n);
    if (hit_net(n->ready)) {
        bool said = read(n->ready, &byte, 1) == 1;
        if (said) shut(&n->ready);
        else if (n->since) hear(n), n->failed = true;
        answer_waiting(); if (!said) shut(&n->ready);
    }
}
/* One that worked and died is started again; at most once in two seconds. */
static void on_dead(pid_t pid) {
    names_ended(pid);
    for (struct net *n = nets; n; n = n->next) {
        if (n->uplink != pid) continue;
        bool was = n->ready < 0 && !n->failed; n->uplink = 0, hear(n), shut(&n->stop), shut(&n->out);
        if (was && time(NULL) - n->since >= 2) shut(&n->ready), start_uplink(n);
    }
}
/* Nobody is connected. Who connects holds the lock until the kernel has put him in the queue: so either we see him, or he finds nobody. */
static int leave_or_accept(int listener, int lock, const char *socket) {
    flock(lock, LOCK_EX);
    int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    if (fd < 0) { unlink(socket); _exit(0); }
    return flock(lock, LOCK_UN), fd;
}
static void add_client(int fd) {
    AUTO user = open("/proc/self/ns/user", O_RDONLY | O_CLOEXEC); struct client *c = calloc(1, sizeof *c);
    if (!c || user < 0 || !send_packet(fd, 'u', NULL, 0, user)) { close(fd); free(c); return; }
    *c = (struct client){.next = clients, .fd = fd, .ns = -1}; clients = c;
}
void hold(int listener, int lock, const char *socket) {
    static const int signals[] = {SIGCHLD, SIGPIPE, SIGHUP, SIGINT, 0}; int events = signals_block(signals), status;
    for (bool begun = false;; begun = true) {
        if (!clients && begun) add_client(leave_or_accept(listener, lock, socket));
        npolled = 0; look(listener, POLLIN), look(events, POLLIN);
        for (struct client *c = clients; c; c = c->next) look(c->fd, POLLIN);
        for (struct net *n = nets; n; n = n->next) look(n->ready, POLLIN), look(n->out, POLLIN), names_watch(&n->asked, n->id);
        names_watch_own();
        poll(polled, npolled, -1);
        for (struct net *n = nets; n; n = n->next) on_uplink(n), names_act(&n->asked, n->id);
        names_act_own();
        for (struct client *c = clients, *next; c; c = next) if (next = c->next, hit_net(c->fd)) on_client(c);
        struct signalfd_siginfo info; while (read(events, &info, sizeof info) == sizeof info) {}
        for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;) on_dead(pid);
        if (hit_net(listener)) { int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC); if (fd >= 0) add_client(fd); }
    }
}
