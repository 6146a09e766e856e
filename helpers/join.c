/* Into the namespaces of a container that runs. */
#include "ops.h"

static const struct {
    unsigned long flag;
    const char *file;
} NAMESPACES[] = { /* the user namespace first: it gives the right to enter the others */
    { CLONE_NEWUSER, "ns/user" }, { CLONE_NEWCGROUP, "ns/cgroup" }, { CLONE_NEWIPC, "ns/ipc" }, { CLONE_NEWUTS, "ns/uts" },
    { CLONE_NEWNET, "ns/net" },   { CLONE_NEWPID, "ns/pid" },       { CLONE_NEWTIME, "ns/time" },
    { CLONE_NEWNS, "ns/mnt" },
};
#define COUNT (sizeof NAMESPACES / sizeof *NAMESPACES)

/*
 * A service keeps relative paths: it stands where init stands, in init's mount namespace. (The container's own directory
 * would be no place for it, but init leaves the host's tree only after the service has been executed: see op_fuse.)
 */
static int enter_mounts(struct walk *w, int ns, int cwd)
{
    if (setns(ns, CLONE_NEWNS) || (cwd >= 0 && fchdir(cwd)))
        return -1;
    if (!w->service) {
        w->root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
        w->pivoted = true;
    }
    return 0;
}

/* A process enters a pid namespace only by being born in it: as our sibling, so that our parent is its parent. */
static int reborn(struct walk *w)
{
    long child = syscall(SYS_clone, CLONE_PARENT | SIGCHLD, 0, 0, 0, 0);
    if (child > 0) {
        int pid = (int)child;
        _exit(send_packet(w->sync, 'p', &pid, sizeof pid, -1) ? 0 : FAIL);
    }
    tie_to_parent();
    return (int)child;
}

int op_join(struct walk *w, const struct arg *a, int n)
{
    unsigned long flags = (unsigned long)a[0].v;
    int fd[COUNT], proc = open_proc(w->target, w->start), cwd = -1;
    (void)n;
    if (proc < 0)
        return -1;
    for (size_t i = 0; i < COUNT; i++)
        if (flags & NAMESPACES[i].flag && (fd[i] = openat(proc, NAMESPACES[i].file, O_RDONLY | O_CLOEXEC)) < 0)
            return -1;
    if (w->service && flags & CLONE_NEWNS && (cwd = openat(proc, "cwd", O_PATH | O_DIRECTORY | O_CLOEXEC)) < 0)
        return -1;
    close(proc);
    for (size_t i = 0; i < COUNT; i++) {
        if (!(flags & NAMESPACES[i].flag))
            continue;
        if (NAMESPACES[i].flag == CLONE_NEWNS ? enter_mounts(w, fd[i], cwd) : setns(fd[i], (int)NAMESPACES[i].flag))
            return -1;
        close(fd[i]);
        if (NAMESPACES[i].flag == CLONE_NEWUSER)
            become_root();
    }
    if (cwd >= 0)
        close(cwd);
    return flags & CLONE_NEWPID ? reborn(w) : 0;
}
