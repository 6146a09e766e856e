/* A child in new namespaces, and its id maps. */
#include "helper.h"

#include <sys/socket.h>
#include <sys/wait.h>

/* As fork(2), with namespaces. clone(2) takes every flag but CLONE_NEWTIME, whose bit it uses for the exit signal. */
pid_t clone_with(uint64_t flags)
{
    struct clone_args3 a = { .flags = flags, .exit_signal = SIGCHLD };
    if (!flags)
        return fork();
    long pid = newcall(NR_CLONE3, &a, sizeof a);
    if (pid < 0 && (errno == ENOSYS || errno == EPERM) && !(flags & CLONE_NEWTIME))
        pid = syscall(SYS_clone, (unsigned long)flags | SIGCHLD, 0, 0, 0, 0);
    return (pid_t)pid;
}

static char *proc_file(pid_t pid, const char *name)
{
    static char path[64];
    return strcat(strcat(strcat(strcpy(path, "/proc/"), num((unsigned)pid)), "/"), name);
}

static int write_file(const char *path, const char *p, size_t n)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC), bad = fd < 0 || write(fd, p, n) != (ssize_t)n, e = errno;
    if (fd >= 0)
        close(fd);
    errno = e;
    return bad ? -1 : 0;
}

/* Starts PROGRAM PID INSIDE OUTSIDE COUNT…; its output goes to *out. */
static pid_t start_mapper(const char *program, const struct buf *map, pid_t pid, int *out)
{
    char *argv[1024], *text = strdup(map->p), *save;
    int n = 0, p[2];
    argv[n++] = (char *)(uintptr_t)program;
    argv[n++] = num((unsigned)pid);
    for (char *w = text ? strtok_r(text, " \n", &save) : NULL; w && n < 1023; w = strtok_r(NULL, " \n", &save))
        argv[n++] = w;
    argv[n] = NULL;
    if (pipe2(p, O_CLOEXEC))
        return -1;
    *out = p[0];
    pid_t child = fork();
    if (child == 0) {
        int null = open_null();
        if (null < 0 || dup2(null, 0) < 0 || dup2(p[1], 1) < 0 || dup2(p[1], 2) < 0)
            _exit(126);
        signals_default();
        cloexec_from(3);
        execve(program, argv, environ);
        _exit(write(2, "cannot be executed", 18) < 0 ? 126 : 127);
    }
    close(p[1]);
    free(text);
    return child;
}

/* True when it ended well; else errno is EPERM and `said` has what it printed. */
static bool mapper_done(pid_t child, int out, struct buf *said)
{
    int status = -1;
    ssize_t n;
    if (child < 0)
        return false;
    buf_add(said, "\n", 1);
    do {
        buf_room(said, 512);
        n = read(out, said->p + said->n, 511);
        said->n += n > 0 && said->n < 4096 ? (size_t)n : 0;
    } while (n > 0 || (n < 0 && errno == EINTR));
    buf_add(said, "", 0);
    close(out);
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    errno = EPERM;
    return status == 0;
}

/* Both setuid programs run at the same time: they are most of what a user namespace costs. */
static const char *run_mappers(const struct request *q, pid_t pid, struct buf *said)
{
    int out[2] = { -1, -1 };
    struct buf second = { 0 };
    pid_t u = start_mapper(q->uidmapper, &q->uidmap, pid, &out[0]);
    pid_t g = start_mapper(q->gidmapper, &q->gidmap, pid, &out[1]);
    bool fine = mapper_done(u, out[0], said), fine2 = mapper_done(g, out[1], &second);
    if (fine && !fine2) {
        said->n = 0;
        buf_add(said, second.p, second.n);
    }
    free(second.p);
    return !fine ? "newuidmap" : !fine2 ? "newgidmap" : NULL;
}

/* Returns the name of the step that failed (with errno, and in `said` a newline and what a program printed), or NULL. */
const char *map_ids(const struct request *q, pid_t pid, struct buf *said)
{
    if (!(q->clone.v & CLONE_NEWUSER))
        return NULL;
    if (q->deny_setgroups && write_file(proc_file(pid, "setgroups"), "deny", 4))
        return "setgroups";
    if (q->uidmapper && q->gidmapper && q->uidmap.n && q->gidmap.n)
        return run_mappers(q, pid, said);
    if (q->gidmap.n && write_file(proc_file(pid, "gid_map"), q->gidmap.p, q->gidmap.n))
        return "gidmap";
    if (q->uidmap.n && write_file(proc_file(pid, "uid_map"), q->uidmap.p, q->uidmap.n))
        return "uidmap";
    return NULL;
}
