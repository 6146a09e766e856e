/* A child in new namespaces, and its id maps. */
#include "helper.h"

/* As fork(2), with namespaces. clone(2) takes every flag but CLONE_NEWTIME, whose bit is part of its exit signal. */
pid_t clone_with(uint64_t flags) {
    struct clone_args3 a = {.flags = flags, .exit_signal = SIGCHLD};
    long pid = newcall(NR_CLONE3, &a, sizeof a);
    if (pid < 0 && (errno == ENOSYS || errno == EPERM) && !(flags & CLONE_NEWTIME))
        pid = syscall(SYS_clone, (unsigned long)flags | SIGCHLD, 0, 0, 0, 0);
    return (pid_t)pid;
}

static int write_file(const char *path, const char *content) {
    AUTO fd = open(path, O_WRONLY | O_CLOEXEC);
    return fd < 0 || write(fd, content, strlen(content)) < 0;
}

/* Starts PROGRAM PID INSIDE OUTSIDE COUNT…; its output comes from *out. */
static pid_t start_mapper(const char *program, char *map, pid_t pid, int *out) {
    char *argv[1024] = {(char *)(uintptr_t)program, text("%d", pid)}, *save;
    int n = 2, p[2];
    for (char *w = strtok_r(map, " \n", &save); w && n < 1023; w = strtok_r(NULL, " \n", &save)) argv[n++] = w;
    if (pipe2(p, O_CLOEXEC)) return -1;
    pid_t child = fork();
    if (child == 0) {
        int want[3] = {open_null(), p[1], p[1]};
        place(3, want, &p[0]);
        signals_default();
        cloexec_from(3);
        execve(program, argv, environ);
        _exit(write(2, "cannot be executed", 18) < 0 ? 126 : 127);
    }
    *out = p[0];
    close(p[1]);
    return child;
}

/* What it printed, or NULL when it ended well. */
static char *mapper_said(pid_t child, int out) {
    char p[2048];
    size_t n = 0;
    int status = -1;
    if (child < 0) return "";
    for (ssize_t k; (k = read(out, p + n, sizeof p - 1 - n)) > 0 && n < sizeof p - 1;) n += (size_t)k;
    close(out);
    waitpid(child, &status, 0);
    p[n] = 0;
    return status == 0 ? NULL : text("\n%s", p);
}

/* Returns the name of the step that failed (with errno, and in `said` a newline and what a program printed), or NULL. */
const char *map_ids(const struct request *q, pid_t pid, char **said) {
    bool mappers = q->uidmapper.s && q->gidmapper.s && q->uidmap && q->gidmap;
    int out[2];
    if (!(q->clone.v & CLONE_NEWUSER)) return NULL;
    if (q->setgroups.s && write_file(text("/proc/%d/setgroups", pid), q->setgroups.s)) return "setgroups";
    if (!mappers && q->gidmap && write_file(text("/proc/%d/gid_map", pid), q->gidmap)) return "gidmap";
    if (!mappers && q->uidmap && write_file(text("/proc/%d/uid_map", pid), q->uidmap)) return "uidmap";
    if (!mappers) return NULL;
    /* Both at the same time: setuid programs are most of what a user namespace costs. */
    pid_t u = start_mapper(q->uidmapper.s, q->uidmap, pid, &out[0]), g = start_mapper(q->gidmapper.s, q->gidmap, pid, &out[1]);
    char *first = mapper_said(u, out[0]), *second = mapper_said(g, out[1]);
    *said = first ? first : second ? second : "";
    errno = EPERM;
    return first ? "newuidmap" : second ? "newgidmap" : NULL;
}
