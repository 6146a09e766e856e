/* Operations on the file system. Targets go through beneath(); sources are the host's. */
#include "ops.h"

#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>

static int done(int fd, int bad)
{
    int e = errno;
    if (fd >= 0)
        close(fd);
    errno = e;
    return bad ? -1 : 0;
}

int op_private(struct walk *w, const struct arg *a, int n)
{
    (void)w, (void)a, (void)n;
    return mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL);
}

int op_root(struct walk *w, const struct arg *a, int n)
{
    (void)n;
    w->root = open(a[0].s, O_PATH | O_DIRECTORY | O_CLOEXEC);
    return w->root < 0;
}

int op_bindroot(struct walk *w, const struct arg *a, int n)
{
    return mount(a[0].s, a[0].s, NULL, MS_BIND | MS_REC, NULL) || op_root(w, a, n);
}

/* A directory outside the root (CVE-2024-21626: /proc/self/fd/N) has no absolute path. libc's getcwd would hide that. */
int op_chdir(struct walk *w, const struct arg *a, int n)
{
    char cwd[4096];
    (void)n;
    if (chdir(a[0].s))
        return -1;
    if (!w->pivoted || (syscall(SYS_getcwd, cwd, sizeof cwd) > 0 && cwd[0] == '/'))
        return 0;
    errno = chdir("/") ? errno : ENOENT;
    return -1;
}

int op_mkdir(struct walk *w, const struct arg *a, int n)
{
    struct made m = { (mode_t)a[1].v, (uid_t)a[2].v, (gid_t)a[3].v };
    int fd = beneath(w->root, a[0].s, O_PATH | O_DIRECTORY, B_MKDIR, &m);
    (void)n;
    return done(fd, fd < 0);
}

int op_file(struct walk *w, const struct arg *a, int n)
{
    struct made m = { (mode_t)a[1].v, 0, 0 };
    int fd = beneath(w->root, a[0].s, O_PATH, B_MKFILE, &m);
    (void)n;
    return done(fd, fd < 0);
}

int op_symlink(struct walk *w, const struct arg *a, int n)
{
    const char *name;
    int dir = beneath_parent(w->root, a[1].s, &(struct made){ 0755, 0, 0 }, &name);
    (void)n;
    return done(dir, dir < 0 || (symlinkat(a[0].s, dir, name) && errno != EEXIST));
}

int op_write(struct walk *w, const struct arg *a, int n)
{
    const char *name;
    struct stat st;
    int dir = beneath_parent(w->root, a[0].s, NULL, &name), flags = O_WRONLY | O_CREAT | O_NOFOLLOW;
    int fd = dir < 0 ? -1 : openat(dir, name, flags | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, (mode_t)a[2].v);
    int bad = fd < 0 || fstat(fd, &st);
    (void)n;
    if (!bad && !S_ISREG(st.st_mode)) {
        errno = EINVAL;
        bad = 1;
    }
    bad = bad || ftruncate(fd, 0) || !write_all(fd, a[1].s, a[1].n);
    return done(dir, done(fd, bad));
}

int op_mount(struct walk *w, const struct arg *a, int n)
{
    int how = (strchr(a[5].s, 's') ? B_NOLINKS : 0) | (strchr(a[5].s, 'c') ? B_MKDIR : 0);
    int fd = beneath(w->root, a[2].s, O_PATH | O_DIRECTORY, how, NULL);
    (void)n;
    return done(fd, fd < 0 || mount(a[1].s, fdpath(fd), a[0].s, (unsigned long)a[3].v, a[4].s));
}

int op_hostmount(struct walk *w, const struct arg *a, int n)
{
    (void)w, (void)n;
    return mount(a[1].s, a[2].s, a[0].s, (unsigned long)a[3].v, a[4].s);
}

int op_bind(struct walk *w, const struct arg *a, int n)
{
    struct stat st;
    int from = open(a[0].s, O_PATH | O_CLOEXEC), bad = from < 0 || fstat(from, &st), to = -1;
    int how = strchr(a[3].s, 's') ? B_NOLINKS : 0;
    (void)n;
    if (!bad && strchr(a[3].s, 'n') && !S_ISCHR(st.st_mode)) {
        errno = ENODEV;
        bad = 1;
    }
    if (!bad && strchr(a[3].s, 'c'))
        how |= S_ISDIR(st.st_mode) ? B_MKDIR : B_MKFILE;
    if (!bad) {
        to = beneath(w->root, a[1].s, O_PATH, how, S_ISDIR(st.st_mode) ? NULL : &(struct made){ 0644, 0, 0 });
        bad = to < 0 || bind_at(from, to, (unsigned long)a[2].v, w->root, a[1].s);
    }
    return done(from, done(to, bad));
}

int op_hostbind(struct walk *w, const struct arg *a, int n)
{
    int from = open(a[0].s, O_PATH | O_CLOEXEC), to = open(a[1].s, O_PATH | O_CLOEXEC);
    (void)w, (void)n;
    return done(from, done(to, from < 0 || to < 0 || bind_at(from, to, (unsigned long)a[2].v, AT_FDCWD, a[1].s)));
}

/*
 * The device must be opened in the user namespace that mounts. Once the descriptor is handed over we hold none, so that the
 * mount dies with its server; statfs waits until the server answers, so that nothing goes on beside one that did not start.
 */
int op_fuse(struct walk *w, const struct arg *a, int n)
{
    struct statfs fs;
    struct buf data = { 0 };
    int fd = open("/dev/fuse", O_RDWR | O_CLOEXEC);
    (void)n;
    if (fd < 0)
        return -1;
    buf_str(&data, "fd=");
    buf_str(&data, num((unsigned)fd));
    buf_str(&data, ",");
    buf_str(&data, a[1].s);
    int bad = mount("fuse-overlayfs", a[0].s, "fuse.fuse-overlayfs", 0, data.p);
    if (!bad)
        bad = !send_packet(w->sync, 'f', NULL, 0, fd);
    free(data.p);
    return done(fd, bad) || statfs(a[0].s, &fs);
}

/* /dev/null of the host, not of the image (CVE-2025-31133). */
int op_mask(struct walk *w, const struct arg *a, int n)
{
    struct stat st;
    int fd = beneath(w->root, a[0].s, O_PATH, 0, NULL);
    (void)n;
    if (fd < 0)
        return errno == ENOENT || errno == ENOTDIR ? 0 : -1;
    if (fstat(fd, &st))
        return done(fd, 1);
    if (S_ISDIR(st.st_mode))
        return done(fd, mount("tmpfs", fdpath(fd), "tmpfs", MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, "size=0k"));
    int null = open_null();
    return done(fd, done(null, null < 0 || bind_at(null, fd, 0, w->root, a[0].s)));
}

int op_readonly(struct walk *w, const struct arg *a, int n)
{
    int fd = beneath(w->root, a[0].s, O_PATH, 0, NULL);
    (void)n;
    if (fd < 0)
        return errno == ENOENT || errno == ENOTDIR ? 0 : -1;
    return done(fd, bind_at(fd, fd, MS_RDONLY | MS_REC, w->root, a[0].s));
}

int op_rootreadonly(struct walk *w, const struct arg *a, int n)
{
    (void)a, (void)n;
    return remount(w->root, MS_RDONLY);
}

int op_pivot(struct walk *w, const struct arg *a, int n)
{
    (void)a, (void)n;
    if (fchdir(w->root) || syscall(SYS_pivot_root, ".", ".") || umount2(".", MNT_DETACH) || chdir("/"))
        return -1;
    close(w->root);
    w->root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    w->pivoted = true;
    return w->root < 0;
}

/*
 * CVE-2025-52881: an image or volume must not choose which procfs file is written. The directory is the root of a procfs,
 * the rest is reached without links or other mounts, and what was opened is asked again.
 */
int op_procwrite(struct walk *w, const struct arg *a, int n)
{
    struct statfs fs;
    struct stat root, st;
    struct how2 h = { O_WRONLY | O_CLOEXEC | O_NOCTTY, 0, IN_ROOT | IN_NO_MAGICLINKS | IN_NO_SYMLINKS | IN_NO_XDEV };
    (void)n;
    errno = EINVAL;
    if (strncmp(a[0].s, "/proc/", 6))
        return -1;
    int proc = beneath(w->root, "/proc", O_PATH | O_DIRECTORY, B_NOLINKS, NULL);
    if (proc < 0 || fstatfs(proc, &fs) || fstat(proc, &root))
        return done(proc, 1);
    errno = EXDEV;
    if (fs.f_type != MAGIC_PROC || root.st_ino != 1)
        return done(proc, 1);
    int fd = (int)newcall(NR_OPENAT2, proc, a[0].s + 6, &h, sizeof h);
    if (fd < 0 && errno == ENOSYS)
        fd = beneath(proc, a[0].s + 6, O_WRONLY | O_NOCTTY, B_NOLINKS, NULL);
    int bad = fd < 0 || fstatfs(fd, &fs) || fstat(fd, &st);
    if (!bad && (fs.f_type != MAGIC_PROC || st.st_dev != root.st_dev)) {
        errno = EXDEV;
        bad = 1;
    }
    return done(proc, done(fd, bad || write(fd, a[1].s, a[1].n) != (ssize_t)a[1].n));
}

int op_rmtree(struct walk *w, const struct arg *a, int n)
{
    (void)w, (void)n;
    return remove_tree(a[0].s);
}

int op_chown(struct walk *w, const struct arg *a, int n)
{
    const char *name;
    int dir = beneath_parent(w->root, a[0].s, NULL, &name);
    (void)n;
    return done(dir, dir < 0 || fchownat(dir, name, (uid_t)a[1].v, (gid_t)a[2].v, AT_SYMLINK_NOFOLLOW));
}
