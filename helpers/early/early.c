/* Before the request comes: what the last container had is made at once, while TypeScript is still starting. It costs the
 * processor that waits anyway; what turns out to be wanted otherwise is thrown away. */
#include "../supervise.h"
#include <sys/mman.h>
static struct request model; /* the file: header records and services of an earlier request */
static pid_t between; /* who made the first process, and has its namespaces until services have found them */
static uint64_t late(const struct request *q) { return (uint64_t)(q->clone->v & ~model.clone->v); }
/* A control group is there only now. To be born in one costs nothing; to be moved into one waits until every processor has gone through the scheduler
 * (cgroup_threadgroup_rwsem, 5 to 20 ms). So the model leaves out the pid namespace, and its first process is a child of the one that has all the rest. */
static void born(const struct request *q, int sync) {
    struct { pid_t pid; int error; } r = {-1, 0};
    if (!late(q)) return;
    if (!cgroup_open(q->cgroup->s, false) && (r.pid = cgroup_clone(late(q), true)) == 0) return;
    bool in = r.pid > 0 && cgroup_enter(r.pid);
    r.error = errno;
    if (r.pid > 0 && !in) kill(r.pid, SIGKILL), r.pid = -1;
    send_packet(sync, 'p', &r, sizeof r, -1); close_range_of(0, ~0u, 0);
    for (;;) pause();
}
static _Noreturn void wait_for_request(int sync) {
    static struct request q; const char *step; char p[1 + sizeof frame_room.used]; int stdio[3];
    tie_to_parent(), close(SIGNAL_PIPE);
    for (int i = 0; i < 3; i++) /* the end: there will be no request */
        if (recv_packet(sync, p, sizeof p, &stdio[i]) != sizeof p || stdio[i] < 0) _exit(FAIL);
    memcpy(&frame_room.used, p + 1, sizeof frame_room.used);
    if (request_read(-1, &q, &step) || (q.cwd->s && chdir(q.cwd->s))) _exit(FAIL);
    frame_room.p = NULL; /* what follows is read into memory of its own */
    born(&q, sync); init_main(&q, SUPERVISE, sync, stdio);
}
static bool make(int sync[2]) {
    sigset_t child = {0}; char *said; sigaddset(&child, SIGCHLD);
    sigprocmask(SIG_BLOCK, &child, NULL); /* kept for the loop */
    if (socket_pair(sync) || (model.nservice && pipe2(S.exit_pipe, O_CLOEXEC))) return false;
    INIT.pid = clone_with((uint64_t)model.clone->v, false), INIT.sync = sync[0];
    if (INIT.pid == 0) close(sync[0]), wait_for_request(sync[1]);
    close(sync[1]);
    return INIT.pid > 0 && !map_ids(&model, INIT.pid, &said);
}
/* A model that is not the user's own, or does not decode, is none. */
void early_begin(const char *path) {
    int sync[2]; const char *step; struct stat st; AUTO fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) || st.st_uid != geteuid() || st.st_mode & 022 || request_read(fd, &model, &step)) return;
    frame_room.p = mmap(NULL, FRAME_MAX + 1, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (frame_room.p == MAP_FAILED) { frame_room.p = NULL; return; }
    supervise_begin(SUPERVISE, &model);
    if (!make(sync)) early_drop();
    else start_services(-1);
}
/* The model's namespaces, maps and services are what is asked for: TypeScript has compared them, and says so by the same word. */
bool early_wanted(const struct request *q) {
    bool wanted = INIT.pid > 0 && q->early->s && model.early->s && !strcmp(q->early->s, model.early->s);
    frame_room.p = NULL;
    if (INIT.pid > 0 && !wanted) early_drop();
    return wanted;
}
bool early_send(const int stdio[3]) {
    struct { char type; char r[8]; } p; int fd, error = ECHILD; between = INIT.pid;
    for (int i = 0; i < 3; i++) send_packet(INIT.sync, 'q', &frame_room.used, sizeof frame_room.used, stdio[i]), close(stdio[i]);
    if (late(S.q)) {
        INIT.pid = -1;
        if (recv_packet(INIT.sync, &p, sizeof p, &fd) == sizeof p && p.type == 'p') memcpy(&INIT.pid, p.r, 4), memcpy(&error, p.r + 4, 4);
    } else if (between = 0, !cgroup_enter(INIT.pid)) return false;
    return INIT.pid > 0 ? send_packet(INIT.sync, 'm', NULL, 0, -1) : (errno = error, false);
}
/* The command runs, and all that must find its namespaces has. */
void early_done(void) { if (between > 0) kill(between, SIGKILL); between = 0; }
/* The front holds nothing of theirs. */
void early_close(void) {
    for (KIDS(k, 0)) drop_fd(&k->sync), drop_fd(&k->ready), drop_fd(&k->out), k->pid = 0;
    drop_fd(&S.exit_pipe[0]), drop_fd(&S.exit_pipe[1]);
}
/* Nobody waits for them: they are reaped like any child. */
void early_drop(void) {
    for (KIDS(k, 0)) if (k->pid > 0) kill(k->pid, SIGKILL);
    early_close();
}
