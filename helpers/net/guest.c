/* A container that lives in namespaces of another one (`--pid container:NAME`, `--ipc container:NAME`). */
#include "net.h"
#include "supervise.h"
#include <dirent.h>
static const struct { char letter; int flag; const char *file; } NAMESPACE[] = {{'n', CLONE_NEWNET, "ns/net"}, {'i', CLONE_NEWIPC, "ns/ipc"}, {'p', CLONE_NEWPID, "ns/pid"}};
enum { COUNT = sizeof NAMESPACE / sizeof *NAMESPACE };
/* Into the user namespace of the target, and those of its namespaces that the letters say: a pid namespace is that of our children. */
int guest_enter(const struct request *q) {
    int fd[COUNT]; AUTO proc = open_proc((uint64_t)q->target[0].v, (uint64_t)q->target[1].v);
    AUTO user = proc < 0 ? -1 : openat(proc, "ns/user", O_RDONLY | O_CLOEXEC);
    if (user < 0) return -1;
    for (int i = 0; i < COUNT; i++) {
        bool wanted = strchr(q->inside->s, NAMESPACE[i].letter); fd[i] = wanted ? openat(proc, NAMESPACE[i].file, O_RDONLY | O_CLOEXEC) : -1;
        if (wanted && fd[i] < 0) return -1;
    }
    if (setns(user, CLONE_NEWUSER)) return -1;
    for (int i = 0; i < COUNT; i++) if (fd[i] >= 0 && (setns(fd[i], NAMESPACE[i].flag) || close(fd[i]))) return -1;
    return 0;
}
/* A copy of a mount of another container of our user namespace. The kernel copies only what is in the copier's mount namespace: a
 * child goes there. */
OP(share) {
    int pair[2], error = EPERM, tree;
    if (socket_pair(pair)) return -1;
    pid_t child = fork();
    if (child == 0) {
        AUTO proc = open_proc((uint64_t)a[0].v, (uint64_t)a[1].v);
        AUTO ns = proc < 0 ? -1 : openat(proc, "ns/mnt", O_RDONLY | O_CLOEXEC);
        tree = ns < 0 || setns(ns, CLONE_NEWNS) ? -1 : (int)newcall(NR_OPEN_TREE, AT_FDCWD, a[2].s, TREE_CLONE | O_CLOEXEC | AT_SYMLINK_NOFOLLOW);
        error = errno; _exit(!send_packet(pair[1], tree < 0 ? 'E' : 't', &error, sizeof error, tree));
    }
    struct { char type; char error[sizeof error]; } said = {0}; close(pair[1]);
    ssize_t got = recv_packet(pair[0], &said, sizeof said, &tree); close(pair[0]);
    if (child > 0) waitpid(child, NULL, 0);
    AUTO copy = tree;
    if (copy < 0) return memcpy(&error, said.error, got == sizeof said ? sizeof error : 0), fail(error);
    AUTO target = beneath(w->root, a[3].s, O_PATH | O_DIRECTORY, B_NOLINKS | B_MKDIR, &(struct made){0755, 0, 0});
    return target < 0 ? -1 : (int)newcall(NR_MOVE_MOUNT, copy, "", target, "", MOVE_FROM_EMPTY | MOVE_TO_EMPTY);
}
/* With a pid namespace of its own everything in it ends with its first process. Without, whoever else is in the container's mount namespace does so here;
 * that is held open, or its number could be another's by then. */
static int mounts = -1;
void guest_begin(pid_t pid) { if (!(S.q->clone->v & CLONE_NEWPID)) mounts = open(text("/proc/%d/ns/mnt", pid), O_RDONLY | O_CLOEXEC); }
static bool is_guest(int proc, const struct stat *own) {
    struct stat st; return fstatat(proc, "ns/mnt", &st, 0) == 0 && st.st_ino == own->st_ino && st.st_dev == own->st_dev;
}
static bool is_service(long pid) {
    for (KIDS(k, 1)) if (k->pid == pid) return true;
    return false;
}
/* Again until none is found: one may have forked between two looks. Who has joined meanwhile (`exec`) is among them. */
void guest_end(void) {
    struct stat own; bool found = mounts >= 0 && fstat(mounts, &own) == 0;
    for (int round = 0; found && round < 100; round++) {
        DIR *all = opendir("/proc"); found = false;
        for (struct dirent *e; all && (e = readdir(all));) {
            char *end; long pid = strtol(e->d_name, &end, 10);
            AUTO proc = *end || pid == getpid() || is_service(pid) ? -1 : openat(dirfd(all), e->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
            if (proc >= 0 && is_guest(proc, &own)) found = newcall(NR_PIDFD_SEND_SIGNAL, proc, SIGKILL, NULL, 0) == 0 || found;
        }
        if (all) closedir(all);
        if (found) usleep(1000);
    }
    close_kept(&mounts); mounts = -1;
}
