/* A child in new namespaces, and its id maps. */
#include "helper.h"
/* As fork(2), with namespaces; a sibling has our parent. clone(2) takes every flag but CLONE_NEWTIME, whose bit is part of its exit signal. */
pid_t clone_with(uint64_t flags, bool sibling) {
    struct clone_args3 a = {.flags = flags | (sibling ? CLONE_PARENT : 0), .exit_signal = sibling ? 0 : SIGCHLD};
    long pid = newcall(NR_CLONE3, &a, sizeof a);
    if (pid < 0 && (errno == ENOSYS || errno == EPERM) && !(flags & NEWTIME))
        pid = syscall(SYS_clone, (unsigned long)a.flags | SIGCHLD, 0, 0, 0, 0);
    return (pid_t)pid;
}
static int write_file(const char *path, const char *content) {
    AUTO fd = open(path, O_WRONLY | O_CLOEXEC); return fd < 0 || write(fd, content, strlen(content)) < 0;
}
/* Starts PROGRAM PID INSIDE OUTSIDE COUNT…; its output comes from *out. */
static pid_t start_mapper(const char *program, char *map, pid_t pid, int *out) {
    char *argv[1024] = {(char *)(uintptr_t)program, text("%d", pid)}, *save; int n = 2, p[2];
    for (char *w = strtok_r(map, " \n", &save); w && n < 1023; w = strtok_r(NULL, " \n", &save)) argv[n++] = w;
    if (pipe2(p, O_CLOEXEC)) return -1;
    pid_t child = fork();
    if (child == 0) {
        place(3, (int[]){open_null(), p[1], p[1]}, &p[0]);
        signals_default(); execve(program, argv, environ);
        _exit(write(2, "cannot be executed", 18) < 0 ? 126 : 127);
    }
    close(p[1]); return *out = p[0], child;
}
/* What it printed, or NULL when it ended well. */
static char *mapper_said(pid_t child, int out) {
    char p[2048]; size_t n = 0; int status = -1;
    for (ssize_t k; child > 0 && (k = read(out, p + n, sizeof p - 1 - n)) > 0;) n += (size_t)k;
    if (child > 0) close(out), waitpid(child, &status, 0);
    return status == 0 ? NULL : text("\n%.*s", (int)n, p);
}
/* Returns the name of the step that failed (with errno, and in `said` a newline and what a program printed), or NULL. */
const char *map_ids(const struct request *q, pid_t pid, char **said) {
    bool mappers = q->uidmapper->s && q->gidmapper->s && q->uidmaps && q->gidmaps; int u_out = -1, g_out = -1;
    if (!(q->clone->v & CLONE_NEWUSER)) return NULL;
    if (q->setgroups->s && write_file(text("/proc/%d/setgroups", pid), q->setgroups->s)) return "setgroups";
    if (!mappers && q->gidmaps && write_file(text("/proc/%d/gid_map", pid), q->gidmaps)) return "gidmap";
    if (!mappers && q->uidmaps && write_file(text("/proc/%d/uid_map", pid), q->uidmaps)) return "uidmap";
    if (!mappers) return NULL;
    pid_t u = start_mapper(q->uidmapper->s, q->uidmaps, pid, &u_out); /* both at once: they are most of what it costs */
    pid_t g = start_mapper(q->gidmapper->s, q->gidmaps, pid, &g_out);
    char *first = mapper_said(u, u_out), *second = mapper_said(g, g_out);
    *said = first ? first : second ? second : "";
    errno = EPERM; return first ? "newuidmap" : second ? "newgidmap" : NULL;
}
