/* The process between pid 1 and a command: whatever the command starts, however it detaches itself, becomes a child of this
 * one when its parent ends (a subreaper), so that all of it can be found and ended, and nothing of the other commands. */
#include "serve.h"
enum { TREE = 8192, ROUNDS = 200 };
static struct process { pid_t pid, parent; bool ours; } tree[TREE];
/* A pipe whose end here does not block; the other end's file does. */
int pipe_to(int *ours, int *theirs, int write_end) {
    int p[2];
    if (pipe2(p, O_CLOEXEC)) return -1;
    *ours = p[write_end], *theirs = p[!write_end];
    return fcntl(*ours, F_SETFL, O_NONBLOCK);
}
/* Field 4 of stat, after the last ')': the name may hold anything. */
static pid_t parent_of(int proc, const char *pid) {
    char stat[512], *p, name[32]; snprintf(name, sizeof name, "%.15s/stat", pid);
    AUTO fd = openat(proc, name, O_RDONLY | O_CLOEXEC); ssize_t n = fd < 0 ? -1 : read(fd, stat, sizeof stat - 1);
    stat[n > 0 ? n : 0] = 0; p = strrchr(stat, ')');
    return p && p[1] && p[2] ? (pid_t)atol(p + 3) : 0;
}
/* How many processes /proc shows; -1: it shows none, or is none. */
static int look(void) {
    struct statfs fs; int n = 0, fd = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC); DIR *d = fd < 0 ? NULL : fdopendir(fd);
    if (!d || fstatfs(fd, &fs) || fs.f_type != MAGIC_PROC) return d ? closedir(d), -1 : -1;
    for (struct dirent *e; n < TREE && (e = readdir(d));)
        if (atol(e->d_name) > 1) tree[n++] = (struct process){(pid_t)atol(e->d_name), parent_of(fd, e->d_name), false};
    return closedir(d), n;
}
/* Everything below us. Where that cannot be seen, everything in the container but pid 1. */
static void kill_below(int round) {
    int n = round < ROUNDS ? look() : -1; pid_t self = getpid(); bool again = n > 0;
    if (n < 0) return (void)kill(-1, SIGKILL);
    while (again) {
        again = false;
        for (int i = 0; i < n; i++)
            for (int k = -1; k < n && !tree[i].ours; k++)
                if (tree[i].parent == (k < 0 ? self : tree[k].pid) && (k < 0 || tree[k].ours)) tree[i].ours = again = true;
    }
    for (int i = 0; i < n; i++) if (tree[i].ours) kill(tree[i].pid, SIGKILL);
}
/* True when there are no children left. The command's own end is noted. */
static bool reap(pid_t child, struct result *r, bool *dead) {
    int status; struct rusage u; pid_t pid;
    while ((pid = wait4(-1, &status, WNOHANG, &u)) > 0)
        if (pid == child)
            *dead = true, r->status = status, r->memory = u.ru_maxrss,
            r->cpu = (u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1000000LL + u.ru_utime.tv_usec + u.ru_stime.tv_usec;
    return pid < 0 && errno == ECHILD;
}
static void end_all(pid_t child, struct result *r, bool *dead) {
    sigset_t one = {0}; sigaddset(&one, SIGCHLD);
    for (int round = 0; !reap(child, r, dead); round++) kill_below(round), sigtimedwait(&one, NULL, &(struct timespec){0, 2000000});
}
static _Noreturn void watch_over(pid_t child, int sync, bool all) {
    struct result r = {0}; sigset_t any; sigfillset(&any);
    for (bool dead = false; !dead;) {
        int signal = sigwaitinfo(&any, NULL);
        if (signal == STOP) end_all(child, &r, &dead);
        else if (signal == SIGCHLD) reap(child, &r, &dead);
        else if (signal > 0) kill(child, signal);
        if (dead && all) end_all(child, &r, &dead);
    }
    _exit(send_packet(sync, 'x', &r, sizeof r, -1) ? 0 : FAIL);
}
/* Forks; returns in the command's process, with its stdio (-1: /dev/null, which is ours). `all`: what it leaves behind ends with it. */
void attend(struct walk *w, const int stdio[3], int sync, const char *id, bool all) {
    prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), tie_to_parent();
    pid_t child = fork();
    if (child < 0) _exit(FAIL);
    if (child) {
        title("attend", id), dup2(sync, 0), close_range_of(1, ~0u, 0);
        watch_over(child, 0, all);
    }
    place(3, (int[]){stdio[0] < 0 ? 0 : stdio[0], stdio[1], stdio[2]}, &sync);
    w->sync = sync, tie_to_parent(), setsid(), umask(0);
}
/* What was asked for. */
OP(asked) { return walk_plan(w, &w->asked), _exit(0), 0; }
