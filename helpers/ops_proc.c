/* Operations on the process itself: names, limits, ids, privileges, and what it executes. */
#include "helper.h"
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <net/if.h>
#define DEFAULT_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
OP(unshare) { return unshare((int)a[0].v); }
OP(hostname) { return sethostname(a[0].s, a[0].n); }
OP(domainname) { return setdomainname(a[0].s, a[0].n); }
OP(session) { return setsid() < 0; }
OP(nonewprivs) { return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); }
OP(umask) { return w->umask = (mode_t)a[0].v, 0; } /* when it execs: until then modes are what the plan says */
OP(loopback) {
    struct ifreq r = {.ifr_name = "lo"};
    AUTO fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || ioctl(fd, SIOCGIFFLAGS, &r)) return -1;
    r.ifr_flags |= IFF_UP; return ioctl(fd, SIOCSIFFLAGS, &r);
}
OP(oomscore) {
    AUTO fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
    return fd < 0 || write(fd, a[0].s, a[0].n) < 0;
}
/* -1 is RLIM_INFINITY, the largest value. */
OP(rlimit) {
    struct rlimit now;
    if (prlimit(0, (__rlimit_resource_t)a[0].v, NULL, &now)) return -1;
    rlim_t hard = (rlim_t)a[2].v < now.rlim_max ? (rlim_t)a[2].v : now.rlim_max, soft = (rlim_t)a[1].v < hard ? (rlim_t)a[1].v : hard;
    return prlimit(0, (__rlimit_resource_t)a[0].v, &(struct rlimit){soft, hard}, NULL);
}
/* Only what was made for this container: never /dev/null or another device of the host. */
OP(owner) {
    struct stat st;
    for (int fd = 0; fd < 3; fd++)
        if (fstat(fd, &st) == 0 && (S_ISFIFO(st.st_mode) || isatty(fd)) && fchown(fd, (uid_t)a[0].v, (gid_t)a[1].v)) return -1;
    return 0;
}
OP(bound) {
    for (unsigned long c = 0; c < 64 && prctl(PR_CAPBSET_READ, c, 0, 0, 0) >= 0; c++)
        if (!((uint64_t)a[0].v >> c & 1) && prctl(PR_CAPBSET_DROP, c, 0, 0, 0)) return -1;
    return 0;
}
static int capset_(uint64_t e, uint64_t p, uint64_t i) {
    struct __user_cap_header_struct h = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct d[2] = {{(uint32_t)e, (uint32_t)p, (uint32_t)i},
                                          {(uint32_t)(e >> 32), (uint32_t)(p >> 32), (uint32_t)(i >> 32)}};
    return (int)syscall(SYS_capset, &h, d);
}
OP(caps) {
    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    if (capset_((uint64_t)a[0].v, (uint64_t)a[1].v, (uint64_t)a[2].v)) return -1;
    for (unsigned long c = 0; c < 64; c++)
        if ((uint64_t)a[3].v >> c & 1 && prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, c, 0, 0)) return -1;
    return 0;
}
/* Capabilities survive the change, so that operations after this one still may; `caps` decides what remains. */
OP(ids) {
    struct __user_cap_header_struct h = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct d[2]; uid_t uid = (uid_t)a[0].v; gid_t gid = (gid_t)a[1].v, groups[256];
    if (n - 2 > 256) return fail(EINVAL);
    for (int i = 2; i < n; i++) groups[i - 2] = (gid_t)a[i].v;
    if (syscall(SYS_setgroups, (size_t)(n - 2), groups) && (n > 2 || errno != EPERM)) return -1;
    prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0);
    if (setresgid(gid, gid, gid) || setresuid(uid, uid, uid) || syscall(SYS_capget, &h, d)) return -1;
    prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0); prctl(PR_SET_DUMPABLE, 0, 0, 0, 0); tie_to_parent();
    uint64_t kept = d[0].permitted | (uint64_t)d[1].permitted << 32;
    return capset_(kept, kept, d[0].inheritable | (uint64_t)d[1].inheritable << 32);
}
OP(seccomp) {
    struct sock_filter *code = malloc(a[0].n + 1); /* aligned, unlike a field */
    if (!code || a[0].n % sizeof *code || a[0].n / sizeof *code > BPF_MAXINSNS) return fail(EINVAL);
    memcpy(code, a[0].s, a[0].n);
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &(struct sock_fprog){(unsigned short)(a[0].n / sizeof *code), code});
}
OP(env) {
    size_t old = 0;
    while (w->env_set && w->env[old]) old++;
    char **all = calloc(old + (size_t)n + 1, sizeof *all);
    if (!all) return -1;
    for (size_t i = 0; i < old; i++) all[i] = w->env[i];
    for (int i = 0; i < n; i++) all[old++] = (char *)(uintptr_t)a[i].s;
    return w->env = all, w->env_set = true, 0;
}
/* As shells search: the first that can be executed; "permission denied" for one that is there wins over "not found". */
static int search(const char *program, char **argv, char **env) {
    const char *dir = DEFAULT_PATH; int result = ENOENT;
    for (char **e = env; *e; e++) if (!strncmp(*e, "PATH=", 5)) dir = *e + 5;
    if (strchr(program, '/') || !*program) dir = NULL, execve(program, argv, env), result = errno;
    for (size_t n; dir; dir = dir[n] ? dir + n + 1 : NULL) {
        n = strcspn(dir, ":"); execve(text("%.*s%s%s", (int)n, dir, n ? "/" : "./", program), argv, env);
        if (errno == EACCES) result = EACCES;
        else if (errno != ENOENT && errno != ENOTDIR) return -1;
    }
    return fail(result);
}
OP(exec) {
    char *none[] = {NULL}, **argv = calloc((size_t)n + 1, sizeof *argv);
    if (!argv) return -1;
    for (int i = 1; i < n; i++)
        argv[i - 1] = w->service && !strcmp(a[i].s, "{pid}") ? text("%llu", w->target) : (char *)(uintptr_t)a[i].s;
    umask(w->umask); close_range_of(3, ~0u, CLOSE_CLOEXEC);
    for (int i = 0; i < KEEPS; i++) fcntl(w->keep[i], F_SETFD, 0);
    signals_default(); tie_to_parent();
    if (!send_packet(w->sync, 'X', NULL, 0, -1)) _exit(FAIL); /* our parent died before it could have killed us */
    return search(w->detail = a[0].s, argv, w->env ? w->env : none);
}
