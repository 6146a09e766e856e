/* Mounts by descriptor: what was resolved and checked is what is mounted, whatever the path means by then. */
#include "helper.h"

#include <sys/mount.h>
#include <sys/statvfs.h>

#define PROPAGATION (MS_SHARED | MS_PRIVATE | MS_SLAVE | MS_UNBINDABLE)
#define ATTRIBUTES (MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC)

static int set_attributes(int fd, unsigned long flags)
{
    struct attr4 a = { .set = flags & ATTRIBUTES, .propagation = flags & PROPAGATION };
    if (!a.set && !a.propagation)
        return 0;
    int how = AT_EMPTY_PATH | (flags & MS_REC ? TREE_RECURSIVE : 0);
    return (int)newcall(NR_MOUNT_SETATTR, fd, "", how, &a, sizeof a);
}

static bool too_old(void)
{
    return errno == ENOSYS || errno == EPERM; /* EPERM: an outer seccomp filter that does not know the call */
}

/*
 * mount(2) replaces all flags, and in a user namespace those that the host's mount has are locked: they are read first and
 * kept. It cannot change the mounts below.
 */
static int remount_old(int fd, unsigned long flags)
{
    struct statvfs fs;
    if (flags & ATTRIBUTES) {
        if (fstatvfs(fd, &fs))
            return -1;
        flags |= fs.f_flag & (ATTRIBUTES | MS_NOATIME | MS_NODIRATIME);
        flags |= fs.f_flag & ST_RELATIME ? MS_RELATIME : 0;
        if (mount(NULL, fdpath(fd), NULL, MS_BIND | MS_REMOUNT | (flags & ~(PROPAGATION | MS_REC)), NULL))
            return -1;
    }
    unsigned long propagation = flags & PROPAGATION;
    return propagation ? mount(NULL, fdpath(fd), NULL, propagation | (flags & MS_REC), NULL) : 0;
}

/* Adds flags to the mount whose root `fd` is. */
int remount(int fd, unsigned long flags)
{
    int bad = set_attributes(fd, flags);
    return bad && too_old() ? remount_old(fd, flags) : bad;
}

/* Before open_tree(2): bind, then find the new mount by its path again and make sure that it is the one. */
static int bind_old(int source, int target, unsigned long flags, int root, const char *path)
{
    struct stat want, got;
    if (mount(fdpath(source), fdpath(target), NULL, MS_BIND | (flags & MS_REC), NULL))
        return -1;
    int top = beneath(root, path, O_PATH, 0, NULL);
    int bad = top < 0 || fstat(source, &want) || fstat(top, &got);
    if (!bad && (want.st_dev != got.st_dev || want.st_ino != got.st_ino)) {
        errno = EXDEV;
        bad = 1;
    }
    if (!bad)
        bad = remount(top, flags);
    if (top >= 0)
        close(top);
    return bad ? -1 : 0;
}

/* Binds what `source` is onto `target` (both O_PATH); root and path say where target came from. */
int bind_at(int source, int target, unsigned long flags, int root, const char *path)
{
    unsigned rec = flags & MS_REC ? TREE_RECURSIVE : 0;
    int tree = (int)newcall(NR_OPEN_TREE, source, "", TREE_CLONE | O_CLOEXEC | AT_EMPTY_PATH | rec);
    if (tree < 0)
        return too_old() ? bind_old(source, target, flags, root, path) : -1;
    int bad = set_attributes(tree, flags), late = bad && too_old();
    if (!bad || late)
        bad = newcall(NR_MOVE_MOUNT, tree, "", target, "", MOVE_FROM_EMPTY | MOVE_TO_EMPTY) != 0;
    if (!bad && late) /* Linux 5.2 to 5.11; possible only once it is attached */
        bad = remount_old(tree, flags);
    int e = errno;
    close(tree);
    errno = e;
    return bad ? -1 : 0;
}
