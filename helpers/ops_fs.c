/* Operations on the file system. Targets go through beneath(); sources are the host's. */
#include "helper.h"
#include <sys/mount.h>
OP(private) { return mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL); }
OP(root) { return (w->root = open(a[0].s, O_PATH | O_DIRECTORY | O_CLOEXEC)) < 0; }
OP(bindroot) { return mount(a[0].s, a[0].s, NULL, MS_BIND | MS_REC, NULL) || op_root(w, a, n); }
OP(hostmount) { return mount(a[1].s, a[2].s, a[0].s, (unsigned long)a[3].v, a[4].s); }
OP(rootreadonly) { return mount_flags(w->root, MS_RDONLY); }
OP(pivot) {
    if (fchdir(w->root) || syscall(SYS_pivot_root, ".", ".") || umount2(".", MNT_DETACH) || chdir("/")) return -1;
    return close(w->root), w->pivoted = true, op_root(w, &(struct arg){.s = "/"}, 1);
}
/* A directory outside the root (CVE-2024-21626: /proc/self/fd/N) has no absolute path. libc's getcwd would hide that. */
OP(chdir) {
    char cwd[4096];
    if (chdir(a[0].s)) return -1;
    if (!w->pivoted || (syscall(SYS_getcwd, cwd, sizeof cwd) > 0 && cwd[0] == '/')) return 0;
    return chdir("/") ? -1 : fail(ENOENT);
}
OP(mkdir) {
    struct made m = {(mode_t)a[1].v, (uid_t)a[2].v, (gid_t)a[3].v};
    AUTO fd = beneath(w->root, a[0].s, O_PATH | O_DIRECTORY, B_MKDIR, &m);
    return fd < 0;
}
OP(file) { AUTO fd = beneath(w->root, a[0].s, O_PATH, B_MKFILE, &(struct made){(mode_t)a[1].v, 0, 0}); return fd < 0; }
OP(symlink) {
    const char *name; AUTO dir = beneath_parent(w->root, a[1].s, B_MKDIR, &name);
    return dir < 0 || (symlinkat(a[0].s, dir, name) && errno != EEXIST);
}
OP(chown) {
    const char *name; AUTO dir = beneath_parent(w->root, a[0].s, 0, &name);
    return dir < 0 || fchownat(dir, name, (uid_t)a[1].v, (gid_t)a[2].v, AT_SYMLINK_NOFOLLOW);
}
OP(write) {
    const char *name; struct stat st; AUTO dir = beneath_parent(w->root, a[0].s, 0, &name);
    const int flags = O_WRONLY | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
    AUTO fd = dir < 0 ? -1 : openat(dir, name, flags, (mode_t)a[2].v);
    if (fd < 0 || fstat(fd, &st)) return -1;
    return !S_ISREG(st.st_mode) ? fail(EINVAL) : ftruncate(fd, 0) || !write_all(fd, a[1].s, a[1].n);
}
static int how_links(const struct arg *how) { return strchr(how->s, 's') ? B_NOLINKS : 0; }
OP(mount) {
    int how = how_links(&a[5]) | (strchr(a[5].s, 'c') ? B_MKDIR : 0);
    AUTO fd = beneath(w->root, a[2].s, O_PATH | O_DIRECTORY, how, NULL);
    return fd < 0 || mount(a[1].s, FDPATH(fd), a[0].s, (unsigned long)a[3].v, a[4].s);
}
OP(bind) {
    struct stat st; AUTO from = open(a[0].s, O_PATH | O_CLOEXEC);
    if (from < 0 || fstat(from, &st)) return -1;
    if (strchr(a[3].s, 'n') && !S_ISCHR(st.st_mode)) return fail(ENODEV);
    int how = how_links(&a[3]) | (!strchr(a[3].s, 'c') ? 0 : S_ISDIR(st.st_mode) ? B_MKDIR : B_MKFILE);
    AUTO to = beneath(w->root, a[1].s, O_PATH, how, NULL);
    return to < 0 || bind_at(from, to, (unsigned long)a[2].v, w->root, a[1].s);
}
OP(hostbind) {
    AUTO from = open(a[0].s, O_PATH | O_CLOEXEC); AUTO to = open(a[1].s, O_PATH | O_CLOEXEC);
    return from < 0 || to < 0 || bind_at(from, to, (unsigned long)a[2].v, AT_FDCWD, a[1].s);
}
/* The device must be opened in the user namespace that mounts. We keep no copy, so that the mount dies with its server;
 * statfs waits until the server answers, so that nothing goes on beside one that did not start. */
OP(fuse) {
    struct statfs fs; int fd = open("/dev/fuse", O_RDWR | O_CLOEXEC);
    int bad = fd < 0 || mount("fuse-overlayfs", a[0].s, "fuse.fuse-overlayfs", 0, text("fd=%d,%s", fd, a[1].s)) ||
              !send_packet(w->sync, 'f', NULL, 0, fd);
    close_kept(&fd); return bad || statfs(a[0].s, &fs);
}
static bool absent(void) { return errno == ENOENT || errno == ENOTDIR; }
/* /dev/null of the host, not of the image (CVE-2025-31133). */
OP(mask) {
    struct stat st; AUTO fd = beneath(w->root, a[0].s, O_PATH, 0, NULL);
    if (fd < 0 || fstat(fd, &st)) return !absent();
    if (S_ISDIR(st.st_mode))
        return mount("tmpfs", FDPATH(fd), "tmpfs", MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, "size=0k");
    AUTO null = open_null();
    return null < 0 || bind_at(null, fd, 0, w->root, a[0].s);
}
OP(readonly) {
    AUTO fd = beneath(w->root, a[0].s, O_PATH, 0, NULL);
    return fd < 0 ? !absent() : bind_at(fd, fd, MS_RDONLY | MS_REC, w->root, a[0].s);
}
/* CVE-2025-52881: an image or volume must not choose which procfs file is written. The directory is the root of a procfs,
 * the rest is reached without links or other mounts, and what was opened is asked again. */
OP(procwrite) {
    struct statfs fs; struct stat root, st;
    struct open_how2 h = {O_WRONLY | O_CLOEXEC | O_NOCTTY, 0, IN_ROOT | IN_NO_MAGICLINKS | IN_NO_SYMLINKS | IN_NO_XDEV};
    if (strncmp(a[0].s, "/proc/", 6)) return fail(EINVAL);
    AUTO proc = beneath(w->root, "/proc", O_PATH | O_DIRECTORY, B_NOLINKS, NULL);
    if (proc < 0 || fstatfs(proc, &fs) || fstat(proc, &root)) return -1;
    if (fs.f_type != MAGIC_PROC || root.st_ino != 1) return fail(EXDEV);
    AUTO fd = (int)newcall(NR_OPENAT2, proc, a[0].s + 6, &h, sizeof h);
    if (fd < 0 && errno == ENOSYS) fd = beneath(proc, a[0].s + 6, O_WRONLY | O_NOCTTY, B_NOLINKS, NULL);
    if (fd < 0 || fstatfs(fd, &fs) || fstat(fd, &st)) return -1;
    if (fs.f_type != MAGIC_PROC || st.st_dev != root.st_dev) return fail(EXDEV);
    return write(fd, a[1].s, a[1].n) != (ssize_t)a[1].n;
}
