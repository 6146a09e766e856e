/* Operations on the process itself: names, limits, ids, privileges, and what it executes. */
#include "ops.h"

#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <grp.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>

#define DEFAULT_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

int op_unshare(struct walk *w, const struct arg *a, int n)
{
    (void)w, (void)n;
    return unshare((int)a[0].v);
}

int op_hostname(struct walk *w, const struct arg *a, int n)
{
    (void)w, (void)n;
    return sethostname(a[0].s, a[0].n);
}

int op_domainname(struct walk *w, const struct arg *a, int n)
{
    (void)w, (void)n;
    return setdomainname(a[0].s, a[0].n);
}

int op_loopback(struct walk *w, const struct arg *a, int n)
{
    struct ifreq r = { .ifr_name = "lo" };
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    (void)w, (void)a, (void)n;
    if (fd < 0 || ioctl(fd, SIOCGIFFLAGS, &r))
        return -1;
    r.ifr_flags |= IFF_UP;
    return ioctl(fd, SIOCSIFFLAGS, &r) || close(fd);
}

int op_oomscore(struct walk *w, const struct arg *a, int n)
{
    int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
    (void)w, (void)n;
    return fd < 0 || write(fd, a[0].s, a[0].n) < 0 || close(fd);
}

int op_rlimit(struct walk *w, const struct arg *a, int n)
{
    struct rlimit now, want = { (rlim_t)a[1].v, (rlim_t)a[2].v }; /* -1 is RLIM_INFINITY, the largest value */
    (void)w, (void)n;
    if (getrlimit((__rlimit_resource_t)a[0].v, &now))
        return -1;
    want.rlim_max = want.rlim_max < now.rlim_max ? want.rlim_max : now.rlim_max;
    want.rlim_cur = want.rlim_cur < want.rlim_max ? want.rlim_cur : want.rlim_max;
    return setrlimit((__rlimit_resource_t)a[0].v, &want);
}

int op_umask(struct walk *w, const struct arg *a, int n)
{
    (void)n;
    w->umask = (mode_t)a[0].v; /* when it execs; until then modes are what the plan says */
    return 0;
}

int op_session(struct walk *w, const struct arg *a, int n)
{
    (void)w, (void)a, (void)n;
    return setsid() < 0;
}

/* Only what was made for this container: never /dev/null or another device of the host. */
int op_owner(struct walk *w, const struct arg *a, int n)
{
    struct stat st;
    (void)w, (void)n;
    for (int fd = 0; fd < 3; fd++)
        if (fstat(fd, &st) == 0 && (S_ISFIFO(st.st_mode) || isatty(fd)) && fchown(fd, (uid_t)a[0].v, (gid_t)a[1].v))
            return -1;
    return 0;
}

int op_bound(struct walk *w, const struct arg *a, int n)
{
    (void)w, (void)n;
    for (unsigned long c = 0; c < 64; c++)
        if (prctl(PR_CAPBSET_READ, c, 0, 0, 0) == 1 && !((unsigned long long)a[0].v >> c & 1) &&
            prctl(PR_CAPBSET_DROP, c, 0, 0, 0))
            return -1;
    return 0;
}

static int capabilities(unsigned long long e, unsigned long long p, unsigned long long i)
{
    struct __user_cap_header_struct h = { _LINUX_CAPABILITY_VERSION_3, 0 };
    struct __user_cap_data_struct d[2];
    for (int k = 0; k < 2; k++)
        d[k] = (struct __user_cap_data_struct){ (uint32_t)(e >> 32 * k), (uint32_t)(p >> 32 * k), (uint32_t)(i >> 32 * k) };
    return (int)syscall(SYS_capset, &h, d);
}

/* Capabilities survive the change, so that operations after this one still may; `caps` decides what remains. */
int op_ids(struct walk *w, const struct arg *a, int n)
{
    struct __user_cap_header_struct h = { _LINUX_CAPABILITY_VERSION_3, 0 };
    struct __user_cap_data_struct d[2];
    gid_t groups[256];
    (void)w;
    errno = EINVAL;
    if (n - 2 > 256)
        return -1;
    for (int i = 2; i < n; i++)
        groups[i - 2] = (gid_t)a[i].v;
    if (syscall(SYS_setgroups, (size_t)(n - 2), groups) && (n > 2 || errno != EPERM))
        return -1;
    prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0);
    if (setresgid((gid_t)a[1].v, (gid_t)a[1].v, (gid_t)a[1].v) || setresuid((uid_t)a[0].v, (uid_t)a[0].v, (uid_t)a[0].v))
        return -1;
    prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0);
    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    tie_to_parent();
    if (syscall(SYS_capget, &h, d))
        return -1;
    d[0].effective = d[0].permitted;
    d[1].effective = d[1].permitted;
    return (int)syscall(SYS_capset, &h, d);
}

int op_nonewprivs(struct walk *w, const struct arg *a, int n)
{
    (void)w, (void)a, (void)n;
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

int op_seccomp(struct walk *w, const struct arg *a, int n)
{
    struct sock_filter *code = malloc(a[0].n + 1); /* aligned, unlike a field */
    (void)w, (void)n;
    errno = EINVAL;
    if (!code || a[0].n % sizeof *code || a[0].n / sizeof *code > BPF_MAXINSNS)
        return -1;
    memcpy(code, a[0].s, a[0].n);
    struct sock_fprog program = { (unsigned short)(a[0].n / sizeof *code), code };
    int bad = prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
    free(code);
    return bad;
}

int op_caps(struct walk *w, const struct arg *a, int n)
{
    (void)w, (void)n;
    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    if (capabilities((unsigned long long)a[0].v, (unsigned long long)a[1].v, (unsigned long long)a[2].v))
        return -1;
    for (unsigned long c = 0; c < 64; c++)
        if ((unsigned long long)a[3].v >> c & 1 && prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, c, 0, 0))
            return -1;
    return 0;
}

int op_env(struct walk *w, const struct arg *a, int n)
{
    if (!w->env_set)
        w->env = NULL, w->nenv = 0;
    w->env_set = true;
    char **all = realloc(w->env, (w->nenv + (size_t)n + 1) * sizeof *all);
    if (!all)
        return -1;
    for (int i = 0; i < n; i++)
        all[w->nenv++] = (char *)(uintptr_t)a[i].s;
    all[w->nenv] = NULL;
    w->env = all;
    return 0;
}

static const char *variable(char **env, const char *name)
{
    size_t n = strlen(name);
    const char *found = NULL;
    for (; env && *env; env++)
        if (!strncmp(*env, name, n) && (*env)[n] == '=')
            found = *env + n + 1;
    return found;
}

/* As shells search: the first that can be executed; "permission denied" for one that is there wins over "not found". */
static void search(const char *program, char **argv, char **env)
{
    char path[8192];
    const char *dir = variable(env, "PATH");
    int result = ENOENT;
    if (strchr(program, '/') || !*program) {
        execve(program, argv, env);
        return;
    }
    for (dir = dir ? dir : DEFAULT_PATH; dir; dir = strchr(dir, ':') ? strchr(dir, ':') + 1 : NULL) {
        size_t n = strcspn(dir, ":");
        if (n + strlen(program) + 3 > sizeof path)
            continue;
        memcpy(path, dir, n);
        strcat(strcpy(path + n, n ? "/" : "./"), program);
        execve(path, argv, env);
        if (errno == EACCES)
            result = EACCES;
        else if (errno != ENOENT && errno != ENOTDIR)
            return;
    }
    errno = result;
}

int op_exec(struct walk *w, const struct arg *a, int n)
{
    char *none[] = { NULL }, **argv = calloc((size_t)n + 1, sizeof *argv);
    if (!argv)
        return -1;
    for (int i = 1; i < n; i++)
        argv[i - 1] = w->service && !strcmp(a[i].s, "{pid}") ? num((unsigned long long)w->target) : (char *)(uintptr_t)a[i].s;
    umask(w->umask);
    cloexec_from(3);
    for (int i = 0; i < w->nkeep; i++)
        fcntl(w->keep[i], F_SETFD, 0);
    signals_default();
    tie_to_parent();
    if (!send_packet(w->sync, 'X', NULL, 0, -1)) /* our parent died before it could have killed us */
        _exit(FAIL);
    search(a[0].s, argv, w->env ? w->env : none);
    w->detail = a[0].s;
    free(argv);
    return -1;
}
