/* Removes a tree of any depth, by a process for each processor: every directory that is met is moved up into the top one, under a name
 * that says who met it and as which of his, and whoever is idle takes the next. No link is followed, a directory without
 * permissions gets them first, and what is gone already is fine: somebody else may be removing the same. */
#include "helper.h"
#include <sched.h>
#include <stdatomic.h>
#include <sys/mman.h>
#define PREFIX ".tsbox-rm-"
enum { WORKERS = 8, SOME = 16 }; /* for fewer directories nobody is called */
static struct queue { atomic_uint made[WORKERS], taken[WORKERS], open; atomic_bool stop; } *Q; /* open: not removed yet */
static struct { int top; unsigned me, wanted, called; pid_t pid[WORKERS]; } R;
struct name { char is[40]; };
static struct name name_of(unsigned who, unsigned which) {
    struct name name;
    return snprintf(name.is, sizeof name.is, PREFIX "%u-%u", who, which), name;
}
/* A directory can change its parent only when it may be written itself: its ".." changes. A name that is taken is from one
 * who was killed: that is removed too. */
static int give(int from, const char *name) {
    fchmodat(from, name, 0700, 0);
    for (bool moved = false; !moved;) {
        moved = renameat(from, name, R.top, name_of(R.me, Q->made[R.me]).is) == 0;
        if (!moved && errno != EEXIST && errno != ENOTEMPTY && errno != ENOTDIR) return errno != ENOENT;
        Q->open++; Q->made[R.me]++;
    }
    return 0;
}
static int empty(DIR *dir) {
    int bad = 0, fd = dirfd(dir); bool found = true;
    while (found && !bad) {
        found = false; rewinddir(dir);
        for (struct dirent *e; !bad && (e = readdir(dir));) {
            bool ours = fd == R.top && !strncmp(e->d_name, PREFIX, strlen(PREFIX));
            if (ours || !strcmp(e->d_name, ".") || !strcmp(e->d_name, "..")) continue;
            found = true;
            if (unlinkat(fd, e->d_name, 0) && errno != ENOENT) bad = errno != EISDIR || give(fd, e->d_name);
        }
    }
    return bad;
}
static DIR *open_writable(int at, const char *name) {
    fchmodat(at, name, 0700, 0);
    int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    return fd < 0 ? NULL : fdopendir(fd);
}
/* Whatever lies in the top directory. A name like ours may be a link of the tree's: only what is a directory is opened. */
static int clear(const char *name) {
    if (unlinkat(R.top, name, 0) == 0 || errno == ENOENT) return 0;
    DIR *dir = errno == EISDIR ? open_writable(R.top, name) : NULL; int bad = dir ? empty(dir) : errno != ENOENT, e = errno;
    if (dir) closedir(dir);
    errno = e;
    return bad || (unlinkat(R.top, name, AT_REMOVEDIR) && errno != ENOENT);
}
static void work(void);
static void call_others(void) {
    while (++R.called < R.wanted)
        if ((R.pid[R.called] = fork()) == 0) tie_to_parent(), R.me = R.called, work(), _exit(0);
}
/* One who was killed has not said that he is done. */
static void look_after_others(void) {
    for (unsigned i = 1; i < R.called; i++)
        if (R.pid[i] > 0 && waitpid(R.pid[i], NULL, WNOHANG) == R.pid[i]) R.pid[i] = 0, Q->stop = true;
}
static void work(void) {
    while (Q->open && !Q->stop) {
        unsigned who = 0, which = 0;
        while (who < WORKERS && ((which = Q->taken[who]) >= Q->made[who] || !atomic_compare_exchange_strong(&Q->taken[who], &which, which + 1))) who++;
        if (who < WORKERS) { if (clear(name_of(who, which).is)) Q->stop = true; Q->open--; }
        else { if (!R.me) look_after_others(); usleep(50); }
        if (!R.called && Q->made[0] > SOME) call_others();
    }
}
/* What was given, and in the end, alone, what is left of that by who could not go on, or was killed before. */
static int clear_top(DIR *top) {
    int bad = empty(top), found = 1;
    if (!bad) work();
    Q->stop = true;
    for (unsigned i = 1; i < R.called; i++) if (R.pid[i] > 0) waitpid(R.pid[i], NULL, 0);
    while (found && !bad) {
        found = 0; rewinddir(top);
        for (struct dirent *e; !bad && (e = readdir(top));)
            if (strcmp(e->d_name, ".") && strcmp(e->d_name, "..")) found = 1, bad = clear(e->d_name);
    }
    return bad;
}
OP(rmtree) {
    if (unlink(a[0].s) == 0 || errno == ENOENT) return 0;
    DIR *top = errno == EISDIR ? open_writable(AT_FDCWD, a[0].s) : NULL;
    if (!top) return errno != ENOENT;
    cpu_set_t cpus; unsigned wanted = sched_getaffinity(0, sizeof cpus, &cpus) ? 1 : (unsigned)CPU_COUNT(&cpus);
    R.top = dirfd(top), R.me = R.called = 0, R.wanted = wanted < WORKERS ? wanted : WORKERS;
    Q = mmap(NULL, sizeof *Q, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    int bad = Q == MAP_FAILED || clear_top(top), e = errno;
    closedir(top); munmap(Q, sizeof *Q); errno = e;
    return bad || (rmdir(a[0].s) && errno != ENOENT);
}
