/* The last walls before a command runs, and the look back at whether they stand. */
#include "../helper.h"
#include <linux/capability.h>
enum { NR_LANDLOCK_CREATE = 444, NR_LANDLOCK_ADD = 445, NR_LANDLOCK_RESTRICT = 446, ABI_ASKED = 1, BENEATH = 1 };
enum { FS_EXECUTE = 1, FS_WRITE = 2, FS_READ = 4, FS_TRUNCATE = 1 << 14, FS_IOCTL = 1 << 15 }; /* what means something for a file */
struct ruleset { uint64_t fs, net, scoped; };
struct __attribute__((packed)) beneath_rule { uint64_t access; int32_t parent; };
static int allow(int ruleset, int fd, uint64_t access) {
    return (int)newcall(NR_LANDLOCK_ADD, ruleset, BENEATH, &(struct beneath_rule){access, fd}, 0);
}
/* Fields: what to scope (LANDLOCK_SCOPE_*), and whether a kernel that cannot is an error.
 * What is not beneath the container's root by way of its mounts cannot be opened, whoever hands out a descriptor of it. ABI 1
 * would forbid every rename between directories. Stdin may be the machine's /dev/null, which programs open again by name. */
OP(landlock) {
    struct stat st; long abi = newcall(NR_LANDLOCK_CREATE, NULL, 0, ABI_ASKED);
    if (abi < 2) return abi < 0 ? -1 : fail(EOPNOTSUPP);
    struct ruleset r = {(1ull << (abi < 3 ? 14 : abi < 5 ? 15 : 16)) - 1, 0, (uint64_t)a[0].v};
    if (r.scoped && abi < 6 && a[1].v) return fail(EOPNOTSUPP);
    if (abi < 6) r.scoped = 0;
    AUTO set = (int)newcall(NR_LANDLOCK_CREATE, &r, r.scoped ? sizeof r : 8, 0);
    AUTO root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (set < 0 || root < 0 || allow(set, root, r.fs)) return -1;
    bool null = fstat(0, &st) == 0 && S_ISCHR(st.st_mode) && st.st_rdev == makedev(1, 3);
    if (null && allow(set, 0, r.fs & (FS_EXECUTE | FS_WRITE | FS_READ | FS_TRUNCATE | FS_IOCTL))) return -1;
    return (int)newcall(NR_LANDLOCK_RESTRICT, set, 0);
}
/* The caller's session keyring stays outside. Kernels without keys have none to hide. */
OP(keyring) {
    enum { JOIN_SESSION = 1 };
    return syscall(SYS_keyctl, JOIN_SESSION, NULL) < 0 && errno != ENOSYS;
}
static int lines(const char *s) { int n = 0; for (; *s; s++) n += *s == '\n'; return n; }
/* True when the file has these lines `INSIDE OUTSIDE COUNT` in whatever order, and no other. */
static bool same_map(const char *path, const char *expected) {
    char p[16384]; size_t n = 0; unsigned long long in, out, count; int found = 0; AUTO fd = open(path, O_RDONLY | O_CLOEXEC);
    for (ssize_t k; fd >= 0 && n < sizeof p - 1 && (k = read(fd, p + n, sizeof p - 1 - n)) > 0;) n += (size_t)k;
    p[n] = 0;
    for (char *save, *line = strtok_r(p, "\n", &save); line; line = strtok_r(NULL, "\n", &save), found++) {
        if (sscanf(line, "%llu %llu %llu", &in, &out, &count) != 3) return false;
        if (!strstr(expected, text("\n%llu %llu %llu\n", in, out, count))) return false;
    }
    return found == lines(expected) - 1;
}
/* On the host's procfs, before `pivot`: what newuidmap wrote is what was asked for. Each list begins and ends with a newline. */
OP(idmap) {
    if (!same_map("/proc/self/uid_map", a[0].s)) return w->detail = "uid map", fail(EPERM);
    return same_map("/proc/self/gid_map", a[1].s) ? 0 : (w->detail = "gid map", fail(EPERM));
}
/* A question that the filter itself refuses is answered by that: there is a filter. */
static int wrong(struct walk *w, const char *what) { return w->detail = what, fail(EPERM); }
static int check_caps(struct walk *w, const struct arg *a) {
    struct __user_cap_header_struct h = {_LINUX_CAPABILITY_VERSION_3, 0}; struct __user_cap_data_struct d[2];
    if (syscall(SYS_capget, &h, d)) return 0;
    uint64_t e = d[0].effective | (uint64_t)d[1].effective << 32, p = d[0].permitted | (uint64_t)d[1].permitted << 32;
    uint64_t i = d[0].inheritable | (uint64_t)d[1].inheritable << 32;
    if (e & ~(uint64_t)a[2].v || p & ~(uint64_t)a[3].v || i & ~(uint64_t)a[4].v) return wrong(w, "capabilities");
    for (unsigned long c = 0; c < 64; c++) {
        if (!((uint64_t)a[5].v >> c & 1) && prctl(PR_CAPBSET_READ, c, 0, 0, 0) == 1) return wrong(w, "bounding set");
        if (!((uint64_t)a[6].v >> c & 1) && prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, c, 0, 0) == 1) return wrong(w, "ambient set");
    }
    return 0;
}
/* uid, gid, then masks: effective, permitted, inheritable, bounding, ambient; no_new_privs, filter: 0 or 1. */
OP(selfcheck) {
    uid_t u[3] = {0}, uid = (uid_t)a[0].v; gid_t g[3] = {0}, gid = (gid_t)a[1].v; struct stat st;
    bool asked = getresuid(u, u + 1, u + 2) == 0 && getresgid(g, g + 1, g + 2) == 0;
    if (asked && (u[0] != uid || u[1] != uid || u[2] != uid || g[0] != gid || g[1] != gid || g[2] != gid)) return wrong(w, "ids");
    if (check_caps(w, a)) return -1;
    if (a[7].v && prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 0) return wrong(w, "no_new_privs");
    if (a[8].v && prctl(PR_GET_SECCOMP, 0, 0, 0, 0) == 0) return wrong(w, "system call filter");
    for (int fd = 0; fd < 3; fd++) if (fstat(fd, &st) == 0 && S_ISDIR(st.st_mode)) return wrong(w, "descriptors");
    close_range_of(3, ~0u, CLOSE_CLOEXEC);
    for (int fd = 3; fd < 64; fd++) { /* those that tsbox itself may have had; exec closes them */
        int flags = fcntl(fd, F_GETFD); bool kept = false;
        for (int i = 0; i < KEEPS; i++) kept |= w->keep[i] == fd;
        if (flags >= 0 && !(flags & FD_CLOEXEC) && !kept) return wrong(w, "descriptors");
    }
    return 0;
}
