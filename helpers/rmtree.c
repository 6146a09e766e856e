/*
 * Removes a tree of any depth with three descriptors: what is two levels down is first moved up into the top directory
 * under a free name. No link is followed, and a directory without permissions gets them first.
 */
#include "helper.h"

#include <dirent.h>

static DIR *open_writable(int at, const char *name)
{
    int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    struct stat st;
    if (fd < 0 && errno == EACCES && fchmodat(at, name, 0700, 0) == 0)
        fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return NULL;
    if (fstat(fd, &st) == 0 && (st.st_mode & 0700) != 0700)
        fchmod(fd, 0700);
    return fdopendir(fd);
}

static bool dots(const char *name)
{
    return !strcmp(name, ".") || !strcmp(name, "..");
}

/* A directory can change its parent only when it may be written itself (its ".." changes). */
static int move_up(int from, const char *name, int top)
{
    static unsigned long long counter;
    char fresh[48];
    do {
        strcat(strcpy(fresh, ".tsbox-rm-"), num(counter++));
        if (renameat(from, name, top, fresh) == 0)
            return 0;
        if (errno == EACCES && fchmodat(from, name, 0700, 0) == 0 && renameat(from, name, top, fresh) == 0)
            return 0;
    } while (errno == EEXIST || errno == ENOTEMPTY || errno == ENOTDIR);
    return -1;
}

/* Empties a directory; directories in it are moved to `top`, or when it is the top, emptied and removed. */
static int empty(DIR *dir, int top)
{
    int fd = dirfd(dir), bad = 0, found = 1;
    while (found && !bad) {
        struct dirent *e;
        found = 0;
        for (rewinddir(dir); !bad && (e = readdir(dir));) {
            if (dots(e->d_name))
                continue;
            found = 1;
            if (unlinkat(fd, e->d_name, 0) == 0 || errno == ENOENT)
                continue;
            if (errno != EISDIR)
                return -1;
            if (top >= 0) {
                bad = move_up(fd, e->d_name, top) && errno != ENOENT;
                continue;
            }
            DIR *sub = open_writable(fd, e->d_name);
            bad = sub ? empty(sub, fd) : errno != ENOENT;
            if (sub)
                closedir(sub);
            bad = bad || (unlinkat(fd, e->d_name, AT_REMOVEDIR) && errno != ENOENT);
        }
    }
    return bad ? -1 : 0;
}

/* Nothing there is nothing to do, at any depth: somebody else may be removing the same. A file or link is removed as such. */
int remove_tree(const char *path)
{
    if (unlink(path) == 0 || errno == ENOENT)
        return 0;
    if (errno != EISDIR)
        return -1;
    DIR *dir = open_writable(AT_FDCWD, path);
    int bad = dir ? empty(dir, -1) : errno != ENOENT;
    if (dir)
        closedir(dir);
    return bad || (rmdir(path) && errno != ENOENT) ? -1 : 0;
}
