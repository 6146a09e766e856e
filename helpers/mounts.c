/* Mounts by descriptor: what was resolved and checked is what is mounted, whatever the path means by then. */
#include "helper.h"
#include <sys/mount.h>
#define PROPAGATION (MS_SHARED | MS_PRIVATE | MS_SLAVE | MS_UNBINDABLE)
#define ATTRIBUTES (MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC)
/* EPERM: an outer seccomp filter that does not know the call; if it is meant, the old way fails with it too. */
static bool too_old(void) { return errno == ENOSYS || errno == EPERM; }
static int flags_new(int fd, unsigned long flags) {
    struct mount_attr4 a = {.set = flags & ATTRIBUTES, .propagation = flags & PROPAGATION};
    int how = AT_EMPTY_PATH | (flags & MS_REC ? TREE_RECURSIVE : 0);
    return a.set || a.propagation ? (int)newcall(NR_MOUNT_SETATTR, fd, "", how, &a, sizeof a) : 0;
}
/* mount(2) replaces all flags, and in a user namespace those of the host's mount are locked: they are kept. Not recursive. */
static int flags_old(int fd, unsigned long flags) {
    struct statvfs fs; unsigned long set = flags & ATTRIBUTES, propagation = flags & PROPAGATION;
    if (set && fstatvfs(fd, &fs)) return -1;
    if (set) set |= (fs.f_flag & (ATTRIBUTES | MS_NOATIME | MS_NODIRATIME)) | (fs.f_flag & ST_RELATIME ? MS_RELATIME : 0);
    if (set && mount(NULL, FDPATH(fd), NULL, MS_BIND | MS_REMOUNT | set, NULL)) return -1;
    return propagation ? mount(NULL, FDPATH(fd), NULL, propagation | (flags & MS_REC), NULL) : 0;
}
/* Adds flags to the mount whose root `fd` is. */
int mount_flags(int fd, unsigned long flags) {
    int bad = flags_new(fd, flags);
    return bad && too_old() ? flags_old(fd, flags) : bad;
}
/* Before open_tree(2): bind, then find the new mount by its path again and make sure that it is the one. */
static int bind_old(int source, int target, unsigned long flags, int root, const char *path) {
    struct stat want, got;
    if (mount(FDPATH(source), FDPATH(target), NULL, MS_BIND | (flags & MS_REC), NULL)) return -1;
    AUTO top = beneath(root, path, O_PATH, 0, NULL);
    if (top < 0 || fstat(source, &want) || fstat(top, &got)) return -1;
    return want.st_dev != got.st_dev || want.st_ino != got.st_ino ? fail(EXDEV) : mount_flags(top, flags);
}
/* Binds what `source` is onto `target` (both O_PATH); root and path say where target came from. */
int bind_at(int source, int target, unsigned long flags, int root, const char *path) {
    int how = TREE_CLONE | O_CLOEXEC | AT_EMPTY_PATH | (flags & MS_REC ? TREE_RECURSIVE : 0);
    AUTO tree = (int)newcall(NR_OPEN_TREE, source, "", how);
    if (tree < 0) return too_old() ? bind_old(source, target, flags, root, path) : -1;
    int bad = flags_new(tree, flags), late = bad && too_old();
    if ((bad && !late) || newcall(NR_MOVE_MOUNT, tree, "", target, "", MOVE_FROM_EMPTY | MOVE_TO_EMPTY)) return -1;
    return late ? flags_old(tree, flags) : 0; /* Linux 5.2 to 5.11: only when it is attached */
}
