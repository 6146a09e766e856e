/* Paths inside a container, resolved beneath its root. An image is hostile: any component may be a symbolic link, and a
 * volume shared with a running container may change while we walk (CVE-2021-30465, CVE-2024-45310). So ".." is never
 * opened: the descriptors of the way down are kept and popped. Answers are those of openat2(RESOLVE_IN_ROOT), which cannot
 * create what is missing and which old kernels lack. */
#include "helper.h"
enum { DEPTH = 200, LINKS = 40 };
struct trail { int fd[DEPTH], n, links; char rest[2 * PATH_MAX]; }; /* rest: what is still to be walked */
static void pop_to(struct trail *t, int n) { while (t->n > n) close_kept(&t->fd[--t->n]); }
/* Replaces a link by its text, relative to where we are or to the root. Magic links of procfs are refused, as by openat2. */
static int follow(struct trail *t, int link, size_t used) {
    char target[2 * PATH_MAX]; struct statfs fs; ssize_t n = readlinkat(link, "", target, PATH_MAX);
    if (n <= 0 || (size_t)n + strlen(t->rest + used) + 1 > sizeof target) return fail(n > 0 ? ENAMETOOLONG : ENOENT);
    strcpy(target + n, t->rest + used);
    if (fstatfs(link, &fs) == 0 && fs.f_type == MAGIC_PROC && (*target == '/' || memchr(target, ':', (size_t)n))) return fail(ELOOP);
    if (*target == '/') pop_to(t, 1);
    return strcpy(t->rest, target), 0;
}
/* Opens one component; one that is missing is created: directories on the way, at the end what is wanted. */
static int component(struct trail *t, const char *name, bool last, int how, const struct made *make) {
    static const struct made usual = {0755, 0, 0};
    int top = t->fd[t->n - 1], fd = openat(top, name, O_PATH | O_NOFOLLOW | O_CLOEXEC), bad = 0;
    if (fd >= 0 || errno != ENOENT || !(how & (B_MKDIR | B_MKFILE))) return fd;
    if (!make || (!last && how & B_MKFILE)) make = &usual;
    if (last && how & B_MKFILE) {
        AUTO made = openat(top, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, make->mode & 0666);
        bad = made < 0;
    } else if (!(bad = mkdirat(top, name, make->mode)) && (make->uid || make->gid))
        bad = fchownat(top, name, make->uid, make->gid, AT_SYMLINK_NOFOLLOW);
    return bad && errno != EEXIST ? -1 : openat(top, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
}
/* Takes one component off t->rest. Returns 0: go on, 1: *out is the answer, -1. */
static int step(struct trail *t, int oflags, int how, const struct made *make, int *out) {
    char *p = t->rest + strspn(t->rest, "/"), name[NAME_MAX + 1] = ".";
    size_t n = strcspn(p, "/"), used = (size_t)(p - t->rest) + n;
    bool slash = p[n] == '/', last = p[n + strspn(p + n, "/")] == 0, up = n == 2 && !memcmp(p, "..", 2);
    bool here = up || n == 0 || (n == 1 && *p == '.'); struct stat st;
    if (n > NAME_MAX) return fail(ENAMETOOLONG);
    if (!here) memcpy(name, p, n), name[n] = 0;
    if (up && t->n > 1) pop_to(t, t->n - 1);
    AUTO fd = here ? fcntl(t->fd[t->n - 1], F_DUPFD_CLOEXEC, 3) : component(t, name, last, how, make);
    if (fd < 0 || fstat(fd, &st)) return -1;
    if (S_ISLNK(st.st_mode)) return how & B_NOLINKS || ++t->links > LINKS ? fail(ELOOP) : follow(t, fd, used);
    if (!S_ISDIR(st.st_mode) && (!last || slash || oflags & O_DIRECTORY)) return fail(ENOTDIR);
    if (last) *out = oflags & O_PATH ? fcntl(fd, F_DUPFD_CLOEXEC, 3)
                                     : openat(t->fd[t->n - 1], name, oflags | O_NOFOLLOW | O_CLOEXEC);
    if (last) return *out < 0 ? -1 : 1;
    if (t->n == DEPTH) return fail(ENAMETOOLONG);
    if (!here) t->fd[t->n++] = fd, fd = -1;
    memmove(t->rest, t->rest + used, strlen(t->rest + used) + 1); return 0;
}
/* A descriptor of `path` beneath `root`; AT_FDCWD: a path of the host. `make`: mode and owner of what is created. */
int beneath(int root, const char *path, int oflags, int how, const struct made *make) {
    struct trail t = {.n = 1}; int out = -1, r = 0;
    if (root == AT_FDCWD) return open(path, oflags | O_CLOEXEC);
    if (strlen(path) >= PATH_MAX || !*path) return fail(*path ? ENAMETOOLONG : ENOENT);
    strcpy(t.rest, path);
    if ((t.fd[0] = fcntl(root, F_DUPFD_CLOEXEC, 3)) < 0) return -1;
    while (r == 0) r = step(&t, oflags, how, make, &out);
    return pop_to(&t, 0), out;
}
/* The directory that holds the last component, and that component: never ".", ".." or empty. */
int beneath_parent(int root, const char *path, int how, const char **name) {
    const char *slash = strrchr(path, '/');
    *name = slash ? slash + 1 : path;
    if (!**name || !strcmp(*name, ".") || !strcmp(*name, "..")) return fail(EINVAL);
    return beneath(root, text("%.*s.", (int)(*name - path), path), O_PATH | O_DIRECTORY, how, NULL);
}
