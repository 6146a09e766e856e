/* The process that becomes the container's command: it waits for its id maps and walks its plan. */
#include "helper.h"
/* The kernel forgets this at every change of credentials and at fork: it is said again after each. */
void tie_to_parent(void) { prctl(PR_SET_PDEATHSIG, SIGKILL); }
/* Uid and gid 0 of the user namespace, where the map has them (EINVAL: it has not; the plan's `ids` decides then). */
void become_root(void) {
    if (setresgid(0, 0, 0) == 0 || errno == EINVAL) (void)!setresuid(0, 0, 0);
    tie_to_parent();
}
/* Tells the parent, which tells TypeScript, and ends. */
void walk_fail(struct walk *w, const char *plan, unsigned index, const char *detail) {
    struct buf b = {0};
    event(&b, "failed", plan, text("%u", index), text("%d", errno), detail ? detail : "", NULL);
    send_packet(w->sync, 'F', b.p, b.n, -1); _exit(FAIL);
}
/* In a new user namespace: until the maps are written we must stay dumpable, since /proc/PID/uid_map is ours only then;
 * after becoming root again, so that services may open our namespaces. Nothing hostile runs beside us before the barrier.
 * Joining, hostile processes see us at once. */
void init_main(const struct request *q, enum role role, int sync, const int stdio[3]) {
    struct walk w = {.id = q->id->s, .root = -1, .seal = -1, .umask = 022, .container = role == SUPERVISE,
                     .target = (uint64_t)q->target[0].v, .start = (uint64_t)q->target[1].v,
                     .rows = (int)q->tty[0].v, .cols = (int)q->tty[1].v, .env = role == ENTER ? environ : NULL};
    char byte; tie_to_parent();
    if (role == JOIN) prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    place(4, (int[]){stdio[0], stdio[1], stdio[2], CHANNEL}, &sync);
    w.sync = sync; memcpy(w.keep, q->keep, sizeof q->keep); title(role == JOIN ? "join" : "init", q->id->s);
    if (q->barrier && role != JOIN && (w.seal = seal_self()) < 0) walk_fail(&w, "header", 0, "seal");
    if (recv(sync, &byte, 1, 0) <= 0) _exit(FAIL);
    if (q->clone->v & CLONE_NEWUSER || q->inside->s) become_root(), prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
    umask(0); walk_plan(&w, &q->init); _exit(0);
}
/* Pid 1. What the terminal sent to the whole process group has reached the command already: only the rest is passed on. */
static _Noreturn void reap(pid_t child, const sigset_t *all) {
    siginfo_t info;
    for (int status, signal;;) {
        signal = sigwaitinfo(all, &info);
        if (signal > 0 && signal != SIGCHLD && info.si_code != SI_KERNEL) kill(child, signal);
        for (pid_t dead; signal == SIGCHLD && (dead = waitpid(-1, &status, WNOHANG)) > 0;)
            if (dead == child) _exit(docker_status(status));
    }
}
OP(init) {
    sigset_t all;
    sigfillset(&all); sigprocmask(SIG_SETMASK, &all, NULL);
    pid_t child = fork();
    tie_to_parent();
    if (child <= 0) return child;
    close_range_of(0, ~0u, 0); title("init", w->id); reap(child, &all);
}
