/* Into the namespaces of a container that runs. */
#include "helper.h"
static const struct { int flag; const char *file; } NAMESPACE[] = {/* user first: it gives the right to the others */
    {CLONE_NEWUSER, "ns/user"}, {CLONE_NEWCGROUP, "ns/cgroup"}, {CLONE_NEWIPC, "ns/ipc"}, {CLONE_NEWUTS, "ns/uts"},
    {CLONE_NEWNET, "ns/net"}, {CLONE_NEWPID, "ns/pid"}, {NEWTIME, "ns/time"}, {CLONE_NEWNS, "ns/mnt"}};
enum { COUNT = sizeof NAMESPACE / sizeof *NAMESPACE };
/* A service keeps relative paths: it stands where init stands, in init's mount namespace. (Not inside the container: init
 * leaves the host's tree only after the FUSE server has been executed, see `fuse`.) */
static int enter_mounts(struct walk *w, int ns, int cwd) {
    if (setns(ns, CLONE_NEWNS)) return -1;
    if (w->service) return fchdir(cwd);
    w->pivoted = true; return (w->root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC)) < 0;
}
/* A process enters a pid namespace only by being born in it: as our sibling, so that our parent is its parent. It goes on when our parent
 * has been told of it, which is when we are gone: a short command would be over before, and its end be nobody's. */
static int reborn(struct walk *w) {
    int told[2]; char none;
    if (pipe2(told, O_CLOEXEC)) return -1;
    int child = (int)syscall(SYS_clone, CLONE_PARENT | SIGCHLD, 0, 0, 0, 0);
    if (child > 0) _exit(send_packet(w->sync, 'p', &child, sizeof child, -1) ? 0 : FAIL);
    close(told[1]), (void)!read(told[0], &none, 1), close(told[0]);
    return tie_to_parent(), child;
}
OP(join) {
    AUTO proc = open_proc(w->target, w->start);
    AUTO cwd = proc < 0 ? -1 : openat(proc, "cwd", O_PATH | O_DIRECTORY | O_CLOEXEC); int fd[COUNT];
    if (proc < 0) return -1;
    for (int i = 0, tries = w->service ? 200 : 0; i < COUNT; i++)
        while (a[0].v & NAMESPACE[i].flag && (fd[i] = openat(proc, NAMESPACE[i].file, O_RDONLY | O_CLOEXEC)) < 0)
            if (errno != EACCES || tries-- <= 0 || usleep(1000)) return -1; /* not dumpable for the moment in which init becomes root */
    for (int i = 0; i < COUNT; i++) {
        int flag = NAMESPACE[i].flag;
        if (!(a[0].v & flag)) continue;
        if (flag == CLONE_NEWNS ? enter_mounts(w, fd[i], cwd) : setns(fd[i], flag)) return -1;
        close(fd[i]);
        if (flag == CLONE_NEWUSER) become_root();
    }
    return a[0].v & CLONE_NEWPID ? reborn(w) : 0;
}
