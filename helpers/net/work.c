/* Operations on a network namespace. The holder itself stays in the machine's (its way back would be barred): a child does them. */
#include "net.h"
#include <arpa/inet.h>
struct job { int sync, inside; };
/* The sockets of a name server: both kinds, on one address. IP_FREEBIND: it may be so new that it is not usable yet. */
static int do_listen(const struct job *j, const char *address) {
    bool six = strchr(address, ':'); struct sockaddr_in6 s6 = {.sin6_family = AF_INET6, .sin6_port = htons(53)};
    struct sockaddr_in s4 = {.sin_family = AF_INET, .sin_port = htons(53)};
    if (inet_pton(six ? AF_INET6 : AF_INET, address, six ? (void *)&s6.sin6_addr : &s4.sin_addr) != 1) return fail(EINVAL);
    for (int i = 0; i < 2; i++) {
        AUTO fd = socket(six ? AF_INET6 : AF_INET, (i ? SOCK_STREAM : SOCK_DGRAM) | SOCK_CLOEXEC | SOCK_NONBLOCK, 0); int one = 1;
        setsockopt(fd, SOL_IP, 15 /* IP_FREEBIND */, &one, sizeof one); setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
        if (fd < 0 || bind(fd, six ? (void *)&s6 : (void *)&s4, six ? sizeof s6 : sizeof s4) || (i && listen(fd, 64))) return -1;
        if (!send_packet(j->sync, i ? 't' : 'u', six ? "6" : "4", 1, fd)) return -1;
    }
    return 0;
}
static int do_write(const char *path, const char *content) {
    AUTO fd = open(path, O_WRONLY | O_CLOEXEC); struct statfs fs;
    return fd < 0 || fstatfs(fd, &fs) || (fs.f_type != MAGIC_PROC && fail(EXDEV)) || write(fd, content, strlen(content)) < 0 ? -1 : 0;
}
/* Runs a program with INPUT as its standard input; what it says is the reason if it fails. */
static int do_run(const struct record *r, char **why) {
    int in[2], out[2], status = -1, none = -1; static char said[1024]; size_t n = 0; char **argv = calloc(r->n, sizeof *argv);
    if (!argv || pipe2(in, O_CLOEXEC) || pipe2(out, O_CLOEXEC)) return -1;
    for (uint32_t i = 2; i < r->n; i++) argv[i - 2] = (char *)(uintptr_t)r->f[i].p;
    pid_t pid = fork();
    if (pid == 0) {
        place(3, (int[]){in[0], out[1], out[1]}, &none); signals_default(); close_range_of(3, ~0u, 0);
        execve(argv[0], argv, (char *[]){"PATH=/usr/sbin:/usr/bin:/sbin:/bin", NULL}); dprintf(1, "cannot be executed"); _exit(127);
    }
    close(in[0]), close(out[1]); signal(SIGPIPE, SIG_IGN);
    bool sent = write_all(in[1], r->f[1].p, r->f[1].n); close(in[1]);
    for (ssize_t k; (k = read(out[0], said + n, sizeof said - 1 - n)) > 0;) n += (size_t)k;
    close(out[0]); waitpid(pid, &status, 0); (void)sent;
    if (status) *why = text("%s: %s", argv[0], said);
    return status ? fail(ECHILD) : 0;
}
static int perform(const struct job *j, const struct record *r, char **why) {
    const char *op = r->f[0].p, *a[6] = {"", "", "", "", "", ""};
    for (uint32_t i = 1; i < r->n && i < 7; i++) a[i - 1] = r->f[i].p;
    if (!strcmp(op, "bridge")) return link_bridge(a[0], a[1]);
    if (!strcmp(op, "veth")) return link_veth(a[0], a[1], a[2], a[3], a[4], j->inside);
    if (!strcmp(op, "unlink")) return link_delete(a[0]);
    if (!strcmp(op, "inside")) return setns(j->inside, CLONE_NEWNET);
    if (!strcmp(op, "segment")) return link_segment(a[0], a[1]);
    if (!strcmp(op, "up")) return link_up(a[0], a[1]);
    if (!strcmp(op, "address")) return link_address(a[0], a[1], a[2]);
    if (!strcmp(op, "route")) return link_route(a[0], a[1], a[2], a[3]);
    if (!strcmp(op, "write")) return do_write(a[0], a[1]);
    if (!strcmp(op, "listen")) return do_listen(j, a[0]);
    if (!strcmp(op, "run") && r->n > 2) return do_run(r, why);
    return fail(ENOSYS);
}
static _Noreturn void child(struct ops ops, int ns, struct job j) {
    char *why = NULL;
    if (ns >= 0 ? setns(ns, CLONE_NEWNET) : unshare(CLONE_NEWNET)) why = text("network namespace: %s", strerror(errno));
    AUTO own = ns >= 0 || why ? -1 : open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
    if (own >= 0) send_packet(j.sync, 'n', NULL, 0, own);
    for (uint32_t i = 0; !why && i < ops.n; i++) {
        const struct record *r = &ops.r[i]; bool may = r->f[0].p[0] == '?';
        struct record plain = *r; struct field f0 = r->f[0]; struct field *all = calloc(r->n, sizeof *all);
        if (!all) { why = text("no memory"); break; }
        memcpy(all, r->f, r->n * sizeof *all); f0.p += may, all[0] = f0, plain.f = all;
        if (perform(&j, &plain, &why) && !may && !why) why = text("%s %s: %s", f0.p, r->n > 1 ? r->f[1].p : "", strerror(errno));
        if (may) why = NULL;
    }
    send_packet(j.sync, why ? 'F' : 'k', why, why ? strlen(why) : 0, -1); _exit(0);
}
char *work(struct ops ops, int *ns, int inside, void (*opened)(char kind, int fd, void *arg), void *arg) {
    int sync[2], fd; char p[2048], *why = NULL; ssize_t n;
    if (socket_pair(sync)) return text("socketpair: %s", strerror(errno));
    pid_t pid = fork();
    if (pid == 0) close(sync[0]), child(ops, *ns, (struct job){sync[1], inside});
    close(sync[1]);
    while ((n = recv_packet(sync[0], p, sizeof p - 1, &fd)) > 0) {
        p[n] = 0;
        if (p[0] == 'n') *ns = fd, opened('n', fd, arg);
        else if (p[0] == 'u' || p[0] == 't') opened((char)(p[0] + (p[1] == '6' ? 'A' - 'a' : 0)), fd, arg);
        else { why = p[0] == 'F' ? text("%s", p + 1) : NULL; break; }
    }
    if (n <= 0) why = text("the process that sets up the network was killed");
    close(sync[0]); if (pid > 0) waitpid(pid, NULL, 0);
    return why;
}
