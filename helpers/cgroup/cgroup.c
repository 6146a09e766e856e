/* The control group of a container: its first process is born in it, its OOM kills are counted, it goes when they have ended. */
#include "../helper.h"
#include "cgroup.h"
static struct { int dir, events; long long kills; const char *path; bool inside; } C = {.dir = -1, .events = -1};
/* The number after a word at the beginning of a line; 0 where there is none. */
static long long value_of(int fd, const char *word) {
    char p[1024]; ssize_t n = pread(fd, p, sizeof p - 1, 0);
    p[n > 0 ? n : 0] = 0;
    for (char *line = p; line; line = strchr(line, '\n'), line += line != NULL)
        if (!strncmp(line, word, strlen(word)) && line[strlen(word)] == ' ') return atoll(line + strlen(word));
    return 0;
}
static bool write_at(const char *file, const char *content) {
    AUTO fd = openat(C.dir, file, O_WRONLY | O_CLOEXEC);
    return fd >= 0 && write(fd, content, strlen(content)) >= 0;
}
/* Opened here, never passed: no descriptor of it is to reach the container (the child closes it, and exec would). */
int cgroup_open(const char *path, bool count) {
    if (path && (C.dir = open(C.path = path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0) return -1;
    if (path && count && (C.events = openat(C.dir, "memory.events", O_RDONLY | O_CLOEXEC)) >= 0) C.kills = value_of(C.events, "oom_kill");
    return 0;
}
/* Born in it, so that nothing of it is ever without limits. Where the kernel does not know how (before 5.7), or will not, it is moved before it goes on. */
pid_t cgroup_clone(uint64_t flags, bool sibling) {
    struct { struct clone_args3 base; uint64_t set_tid, set_tid_size, cgroup; }
        a = {.base = {.flags = flags | INTO_CGROUP | (sibling ? CLONE_PARENT : 0), .exit_signal = sibling ? 0 : SIGCHLD}, .cgroup = (uint64_t)C.dir};
    long pid = C.dir < 0 ? -1 : newcall(NR_CLONE3, &a, sizeof a);
    C.inside = pid > 0;
    if (pid < 0) pid = clone_with(flags, sibling);
    if (pid == 0) close_kept(&C.dir);
    return (pid_t)pid;
}
/* Of a process that waits. False with errno: it is outside and stays there. */
bool cgroup_enter(pid_t pid) { return C.dir < 0 || C.inside || write_at("cgroup.procs", text("%d", pid)); }
bool cgroup_oom(void) { return C.kills > 0; }
int cgroup_events(void) { return C.events; }
/* POLLPRI of memory.events: something in it has changed since it was read. */
bool cgroup_killed(void) {
    long long before = C.kills;
    if (C.events >= 0) C.kills = value_of(C.events, "oom_kill");
    return C.kills > before;
}
/* What an unprivileged user inside has made there goes, too: directories only, the rest is the kernel's. */
static void remove_below(int dir) {
    DIR *list = fdopendir(dir);
    for (struct dirent *e; list && (e = readdir(list));) {
        if (e->d_type != DT_DIR || !strcmp(e->d_name, ".") || !strcmp(e->d_name, "..")) continue;
        int fd = openat(dir, e->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (fd >= 0) remove_below(fd);
        unlinkat(dir, e->d_name, AT_REMOVEDIR);
    }
    if (list) closedir(list); else close_kept(&dir);
}
/* Pid 1 took all of its pid namespace along; with the host's something may be left. It is waited for a second at most. True: there were OOM
 * kills that nobody has been told of. */
bool cgroup_end(void) {
    if (C.dir < 0) return false;
    bool killed = cgroup_killed();
    AUTO events = openat(C.dir, "cgroup.events", O_RDONLY | O_CLOEXEC);
    if (events >= 0 && value_of(events, "populated")) write_at("cgroup.kill", "1");
    for (int i = 0; events >= 0 && value_of(events, "populated") && i < 10; i++) poll(&(struct pollfd){events, POLLPRI, 0}, 1, 100);
    remove_below(fcntl(C.dir, F_DUPFD_CLOEXEC, 3)); rmdir(C.path);
    close(C.dir), close_kept(&C.events); C.dir = C.events = -1; return killed;
}
