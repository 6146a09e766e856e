/*
 * Paths inside a container, resolved beneath its root. An image is hostile: any component may be a symbolic link, and a
 * volume shared with a running container may change while we walk (CVE-2021-30465, CVE-2024-45310). Where the kernel has
 * openat2 it resolves; what must be created, and old kernels, go through walk(), which never opens "..": it keeps the
 * descriptors of the way down and pops them.
 */
#include "helper.h"

#include <limits.h>
#include <sys/vfs.h>

#define DEPTH 200
#define LINKS 40

struct trail {
    int fd[DEPTH];
    int n, links;
    char rest[2 * PATH_MAX];
};

static void pop_to(struct trail *t, int n)
{
    int e = errno;
    while (t->n > n)
        if (--t->n)
            close(t->fd[t->n]);
    errno = e;
}

/* Replaces a link by its text, relative to where we are or to the root, and closes it. Magic links of procfs are refused, as openat2 does. */
static int follow(struct trail *t, int link, size_t used)
{
    char text[2 * PATH_MAX];
    struct statfs fs;
    ssize_t n = readlinkat(link, "", text, PATH_MAX);
    bool proc = fstatfs(link, &fs) == 0 && fs.f_type == MAGIC_PROC;
    close(link);
    if (n <= 0 || n + strlen(t->rest + used) + 2 > sizeof text) {
        errno = n > 0 ? ENAMETOOLONG : ENOENT;
        return -1;
    }
    text[n] = 0;
    if (proc && (*text == '/' || strchr(text, ':'))) {
        errno = ELOOP;
        return -1;
    }
    if (*text == '/')
        pop_to(t, 1);
    strcpy(text + n, t->rest + used);
    strcpy(t->rest, text);
    return 0;
}

/* Creates a missing component: directories on the way, a file at the end if that is what is wanted. */
static int create(int dir, const char *name, bool file, const struct made *make)
{
    struct made m = make ? *make : (struct made){ 0755, 0, 0 };
    if (file) {
        int fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, m.mode);
        return fd < 0 && errno != EEXIST ? -1 : (fd < 0 ? 0 : close(fd));
    }
    if (mkdirat(dir, name, m.mode))
        return errno == EEXIST ? 0 : -1;
    return m.uid || m.gid ? fchownat(dir, name, m.uid, m.gid, AT_SYMLINK_NOFOLLOW) : 0;
}

static int open_component(struct trail *t, const char *name, bool last, int how, const struct made *make)
{
    int top = t->fd[t->n - 1], fd = openat(top, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (fd >= 0 || errno != ENOENT || !(how & (B_MKDIR | B_MKFILE)))
        return fd;
    if (create(top, name, last && how & B_MKFILE, last || how & B_MKDIR ? make : NULL))
        return -1;
    return openat(top, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
}

/* The walk is at its end at `fd`, which is called `name` in the top directory (or is a copy of it: "."). */
static int finish(struct trail *t, int fd, const char *name, int oflags)
{
    if (fd < 0 || oflags & O_PATH)
        return fd;
    int out = openat(t->fd[t->n - 1], name, oflags | O_NOFOLLOW | O_CLOEXEC), e = errno;
    close(fd);
    errno = e;
    return out;
}

static int fail_close(int fd, int e)
{
    close(fd);
    errno = e;
    return -1;
}

/* Takes one component off t->rest. Returns 0: go on, 1: *out is the answer, -1. */
static int step(struct trail *t, int oflags, int how, const struct made *make, int *out)
{
    char *p = t->rest + strspn(t->rest, "/"), name[NAME_MAX + 1];
    size_t n = strcspn(p, "/"), used = (size_t)(p - t->rest) + n;
    bool slash = p[n] == '/', last = p[n + strspn(p + n, "/")] == 0, here;
    struct stat st;
    if (n > NAME_MAX)
        return fail_close(-1, ENAMETOOLONG);
    memcpy(name, p, n);
    name[n] = 0;
    if (!strcmp(name, ".."))
        pop_to(t, t->n > 1 ? t->n - 1 : 1);
    here = n == 0 || !strcmp(name, ".") || !strcmp(name, "..");
    int fd = here ? fcntl(t->fd[t->n - 1], F_DUPFD_CLOEXEC, 3) : open_component(t, name, last, how, make);
    if (fd < 0)
        return -1;
    if (fstat(fd, &st))
        return fail_close(fd, errno);
    if (S_ISLNK(st.st_mode))
        return how & B_NOLINKS || ++t->links > LINKS ? fail_close(fd, ELOOP) : follow(t, fd, used);
    if (!S_ISDIR(st.st_mode) && (!last || slash || oflags & O_DIRECTORY))
        return fail_close(fd, ENOTDIR);
    if (last) {
        *out = finish(t, fd, here ? "." : name, oflags);
        return *out < 0 ? -1 : 1;
    }
    if (t->n == DEPTH)
        return fail_close(fd, ENAMETOOLONG);
    if (here)
        close(fd);
    else
        t->fd[t->n++] = fd;
    memmove(t->rest, t->rest + used, strlen(t->rest + used) + 1);
    return 0;
}

static int walk(int root, const char *path, int oflags, int how, const struct made *make)
{
    struct trail t = { .n = 1 };
    int out = -1, r = 0;
    if (strlen(path) >= PATH_MAX || !*path) {
        errno = *path ? ENAMETOOLONG : ENOENT;
        return -1;
    }
    strcpy(t.rest, path);
    t.fd[0] = root;
    while (r == 0)
        r = step(&t, oflags, how, make, &out);
    pop_to(&t, 1);
    return out;
}

int beneath(int root, const char *path, int oflags, int how, const struct made *make)
{
    if (root == AT_FDCWD)
        return open(path, oflags | O_CLOEXEC);
    struct how2 h = { (unsigned)(oflags | O_CLOEXEC), 0, IN_ROOT | IN_NO_MAGICLINKS };
    h.resolve |= how & B_NOLINKS ? IN_NO_SYMLINKS : 0;
    for (int try = 0; !(how & B_WALK) && try < 32; try++) {
        long fd = newcall(NR_OPENAT2, root, path, &h, sizeof h);
        bool missing = fd < 0 && errno == ENOENT && how & (B_MKDIR | B_MKFILE);
        if (fd >= 0 || (errno != EAGAIN && errno != ENOSYS && errno != EPERM && !missing))
            return (int)fd;
        if (errno != EAGAIN)
            break;
    }
    return walk(root, path, oflags, how, make);
}

/* The directory that holds the last component, and that component: never ".", ".." or empty. */
int beneath_parent(int root, const char *path, const struct made *make, const char **name)
{
    char dir[PATH_MAX];
    const char *slash = strrchr(path, '/');
    *name = slash ? slash + 1 : path;
    size_t n = (size_t)(*name - path);
    if (n + 2 > sizeof dir || !**name || !strcmp(*name, ".") || !strcmp(*name, "..")) {
        errno = n + 2 > sizeof dir ? ENAMETOOLONG : EINVAL;
        return -1;
    }
    memcpy(dir, path, n);
    strcpy(dir + n, ".");
    return beneath(root, dir, O_PATH | O_DIRECTORY, make ? B_MKDIR : 0, make);
}
