/* Removes a tree of any depth with three descriptors: what is two levels down is first moved up into the top directory
 * under a free name. No link is followed, a directory without permissions gets them first, and what is gone already is
 * fine: somebody else may be removing the same. */
#include "helper.h"
static DIR *open_writable(int at, const char *name) {
    fchmodat(at, name, 0700, 0);
    int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    return fd < 0 ? NULL : fdopendir(fd);
}
/* A directory can change its parent only when it may be written itself: its ".." changes. */
static int move_up(int from, const char *name, int top) {
    static unsigned counter; char fresh[32];
    fchmodat(from, name, 0700, 0);
    do {
        snprintf(fresh, sizeof fresh, ".tsbox-rm-%u", counter++);
        if (renameat(from, name, top, fresh) == 0 || errno == ENOENT) return 0;
    } while (errno == EEXIST || errno == ENOTEMPTY || errno == ENOTDIR);
    return -1;
}
/* Empties a directory; directories in it are moved to `top`, or when it is the top (-1), emptied and removed. */
static int empty(DIR *dir, int top) {
    int bad = dir ? 0 : errno != ENOENT, found = dir != NULL, fd = dir ? dirfd(dir) : -1;
    while (found && !bad) {
        found = 0; rewinddir(dir);
        for (struct dirent *e; !bad && (e = readdir(dir));) {
            if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, "..")) continue;
            found = 1;
            if (unlinkat(fd, e->d_name, 0) == 0 || errno == ENOENT) continue;
            if (errno != EISDIR) bad = 1;
            else if (top >= 0) bad = move_up(fd, e->d_name, top);
            else bad = empty(open_writable(fd, e->d_name), fd) || (unlinkat(fd, e->d_name, AT_REMOVEDIR) && errno != ENOENT);
        }
    }
    int e = errno; if (dir) closedir(dir);
    return errno = e, bad;
}
OP(rmtree) {
    if (unlink(a[0].s) == 0 || errno == ENOENT) return 0;
    return errno != EISDIR || empty(open_writable(AT_FDCWD, a[0].s), -1) || (rmdir(a[0].s) && errno != ENOENT);
}
