/* The loop of the forwarder, its control socket, and who talks to it. */
#include "ports.h"
enum { READY = 3, EXIT = 4, NOBODY = 3 /* status: no forwarder answers */ };
unsigned most_fds, used_fds;
static int epoll_fd;
bool poll_add(struct source *s, uint32_t events) {
    return epoll_ctl(epoll_fd, EPOLL_CTL_ADD, s->fd, &(struct epoll_event){events, {.ptr = s}}) == 0;
}
bool poll_change(struct source *s, uint32_t events) {
    return epoll_ctl(epoll_fd, EPOLL_CTL_MOD, s->fd, &(struct epoll_event){events, {.ptr = s}}) == 0;
}
static struct listener *find(const char *line) {
    char own[128];
    for (struct listener *l = listeners; l; l = l->next) {
        listener_line(l, own, sizeof own);
        *strrchr(own, ' ') = 0; /* without its flags */
        if (!strcmp(line, own)) return l;
    }
    return NULL;
}
static void list(int fd) {
    struct buf b = {0}; char line[128];
    for (struct listener *l = listeners; l; l = l->next) {
        listener_line(l, line, sizeof line); buf_add(&b, line, strlen(line));
        if (b.n > PACKET - 256) send_packet(fd, 'l', b.p, b.n, -1), b.n = 0;
    }
    send_packet(fd, 'l', b.p, b.n, -1); free(b.p);
}
/* a LINE with a socket: serve it; r LINE: no longer; l: all of them. Answers k, or n. */
static void command(int fd, char *p, int passed) {
    struct listener *l = p[0] == 'a' && passed >= 0 ? listener_keep(passed, p + 1) : p[0] == 'r' ? find(p + 1) : NULL;
    bool done = p[0] == 'l';
    if (p[0] == 'l') list(fd);
    if (p[0] == 'a' && l) done = listener_watch(l);
    if (p[0] == 'r' && l) listener_drop(l), done = true;
    if (p[0] == 'a' && !l) close_kept(&passed);
    send_packet(fd, done ? 'k' : 'n', NULL, 0, -1);
}
static void on_command(struct source *s, uint32_t events UNUSED) {
    char p[256]; int passed; ssize_t n = recv_packet(s->fd, p, sizeof p - 1, &passed);
    if (n > 0) return p[n] = 0, command(s->fd, p, passed);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
    close(s->fd), free(s);
}
static void on_control(struct source *s, uint32_t events UNUSED) {
    int fd = accept4(s->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK); struct source *client = fd < 0 ? NULL : calloc(1, sizeof *client);
    if (client) *client = (struct source){fd, on_command};
    if (fd >= 0 && (!client || !poll_add(client, EPOLLIN))) close(fd), free(client);
}
static _Noreturn void on_exit_(struct source *s UNUSED, uint32_t events UNUSED) { _exit(0); }
static unsigned raise_limit(void) {
    struct rlimit r;
    if (getrlimit(RLIMIT_NOFILE, &r)) return 256;
    r.rlim_cur = r.rlim_max; setrlimit(RLIMIT_NOFILE, &r);
    return r.rlim_max > 1 << 20 ? 1 << 20 : (unsigned)r.rlim_max;
}
/* Random ports are told by their number in the plan: INDEX PORT for each. */
static void tell_ready(int fd) {
    struct buf b = {0}; char line[128];
    for (struct listener *l = listeners; l; l = l->next) listener_line(l, line, sizeof line), buf_add(&b, line, strlen(line));
    if (b.n) write_all(fd, b.p, b.n);
    else write_all(fd, "\n", 1);
    free(b.p), close(fd);
}
static _Noreturn void serve(void) {
    struct epoll_event e[BATCH];
    for (;;) {
        bool more = tcp_pump(); int silence = udp_expire();
        tcp_sweep(), udp_sweep(), listeners_sweep();
        int n = epoll_wait(epoll_fd, e, BATCH, more ? 0 : silence);
        for (int i = 0; i < n; i++) { struct source *s = e[i].data.ptr; s->on(s, e[i].events); }
    }
}
/* Inside by now. `control` listens; the end of `gone` (a pipe or a pidfd) is ours. Does not return if all is well. */
static int forward(int control, int gone, int ready) {
    static struct source c, g; unsigned fds = raise_limit(), mine = 64; bool ok = (epoll_fd = epoll_create1(EPOLL_CLOEXEC)) >= 0;
    c = (struct source){control, on_control}, g = (struct source){gone, (void (*)(struct source *, uint32_t))on_exit_};
    signals_default(); signal(SIGPIPE, SIG_IGN);
    ok = ok && inside_open(epoll_fd) && poll_add(&c, EPOLLIN) && (gone < 0 || poll_add(&g, EPOLLIN));
    for (struct listener *l = listeners; ok && l; l = l->next, mine++) ok = listener_watch(l);
    most_fds = fds > mine + 64 ? fds - mine : 64;
    if (!ok || !confine()) return -1;
    tell_ready(ready); serve();
}
OP(forward) {
    int control = unix_socket(a[0].s, true); /* before it is somebody else, who may have no way there */
    if (control < 0 || op_join(w, (struct arg[]){{"", 0, CLONE_NEWUSER | CLONE_NEWNET}}, 1) || !send_packet(w->sync, 'X', NULL, 0, -1)) return -1;
    tie_to_parent(), close(w->sync);
    return forward(control, EXIT, READY);
}
/* argv: tsbox: forward ID PID START SOCKET. For a container that had no ports when it began: a process of its own, which ends with pid 1. */
int forward_late(char **argv) {
    int ready[2], proc = open_proc(strtoull(argv[3], NULL, 10), strtoull(argv[4], NULL, 10)); char byte;
    int pidfd = proc < 0 ? -1 : (int)newcall(NR_PIDFD_OPEN, atoi(argv[3]), 0);
    if (pidfd < 0 || pipe2(ready, O_CLOEXEC)) return 1;
    pid_t pid = fork();
    if (pid) return close(ready[1]), pid < 0 || read(ready[0], &byte, 1) != 1;
    struct walk w = {.id = argv[2], .service = true, .target = strtoull(argv[3], NULL, 10), .start = strtoull(argv[4], NULL, 10)};
    int null = open_null(), control = unix_socket(argv[5], true);
    for (int i = 0; i < 3; i++) dup2(null, i);
    setsid(), title("ports", argv[2]);
    if (control >= 0 && !op_join(&w, (struct arg[]){{"", 0, CLONE_NEWUSER | CLONE_NEWNET}}, 1))
        prctl(PR_SET_PDEATHSIG, 0), forward(control, pidfd, ready[1]);
    _exit(1);
}
static int talk(int fd, char type, const char *line, int pass) {
    static char p[PACKET + 1]; int none;
    if (!send_packet(fd, type, line, strlen(line), pass)) return NOBODY;
    for (ssize_t n; (n = recv_packet(fd, p, sizeof p, &none)) > 0;) {
        if (p[0] == 'l') { if (!write_all(1, p + 1, (size_t)n - 1)) return 1; }
        else return p[0] == 'k' ? 0 : 1;
    }
    return NOBODY;
}
/* argv: tsbox: port SOCKET list | rm PROTO IP PORT INSIDE | add PROTO IP FIRST LAST INSIDE FLAGS. Of `add`, the line of what is served is
 * printed, or the errno that kept it from listening. */
int port_client(int argc, char **argv) {
    AUTO fd = unix_socket(argv[2], false); char line[128];
    if (fd < 0) return NOBODY;
    if (!strcmp(argv[3], "list")) return talk(fd, 'l', "", -1);
    if (!strcmp(argv[3], "rm") && argc == 8) return talk(fd, 'r', text("%s %s %s %s", argv[4], argv[5], argv[6], argv[7]), -1);
    if (strcmp(argv[3], "add") || argc != 10) return FAIL;
    struct listener *l = listener_open(argv[4], argv[5], (unsigned)atoi(argv[6]), (unsigned)atoi(argv[7]), (unsigned)atoi(argv[8]), argv[9]);
    if (!l) return dprintf(1, "%d\n", errno), 2;
    listener_line(l, line, sizeof line); int status = talk(fd, 'a', line, l->s.fd);
    if (status == 0) write_all(1, line, strlen(line));
    return status;
}
