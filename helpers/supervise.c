/* The parent of a command: `supervise` (a container), `join` (exec) and `enter` (a task). They differ in what they make
 * before the fork and what they keep after it; the loop is one. */
#include "supervise.h"
#include <sys/file.h>
#include <sys/mman.h>
struct super S = {.exit_pipe = {-1, -1}};
int docker_status(int status) { return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status); }
/* A pipe whose end here is non-blocking; the other end's file stays blocking. */
int open_pipe(int *ours, int *theirs, int write_end) {
    int p[2];
    if (pipe2(p, O_CLOEXEC)) return -1;
    *ours = p[write_end], *theirs = p[!write_end];
    return fcntl(*ours, F_SETFL, O_NONBLOCK);
}
/* Starts the services that wait for a FUSE descriptor, or (fuse < 0) those that do not. */
void start_services(int fuse) {
    for (KIDS(k, 1)) {
        int sync[2], ready = -1, out = -1;
        if (k->pid || k->service->fuse != (fuse >= 0)) continue;
        if (socket_pair(sync) || open_pipe(&k->out, &out, 0) || (k->service->ready && open_pipe(&k->ready, &ready, 0)) ||
            (k->pid = fork()) < 0) _exit(FAIL);
        if (k->pid == 0) {
            struct walk w = {.id = S.q->id->s, .root = -1, .seal = -1, .service = true, .target = (unsigned)INIT.pid, .umask = 022,
                             .keep = {3, 4, 5, -1, -1, -1, -1, -1}, .env = environ};
            setsid(); place(6, (int[]){open_null(), out, out, ready, S.exit_pipe[0], fuse}, &sync[1]);
            w.sync = sync[1]; title(k->service->plan.name, w.id); umask(0); walk_plan(&w, &k->service->plan); _exit(0);
        }
        k->sync = sync[0]; close(sync[1]), close(out), close_kept(&ready);
    }
}
/* Opens what the header names and makes init's stdio. Returns the step that failed, with errno. */
static const char *open_all(int stdio[3]) {
    const struct request *q = S.q; bool pipes = S.role != ENTER && !q->tty[0].s;
    const int flags = O_CREAT | O_CLOEXEC | O_NOFOLLOW;
    if (q->cwd->s && chdir(q->cwd->s)) return "cwd";
    if (q->lock->s && ((S.lock = open(q->lock->s, O_RDWR | flags, 0600)) < 0 || flock(S.lock, LOCK_EX | LOCK_NB))) return "lock";
    if (q->log->s && (session.log = open((log_request = q)->log->s, O_WRONLY | O_APPEND | flags, 0600)) < 0) return "log";
    if (q->socket->s && (session.listen = unix_socket(q->socket->s, true)) < 0) return "socket";
    if (q->nservice && S.exit_pipe[1] < 0 && pipe2(S.exit_pipe, O_CLOEXEC)) return "pipe";
    for (int i = 0; i < 3; i++)
        if ((stdio[i] = S.role == ENTER ? fcntl(i, F_DUPFD_CLOEXEC, 3) : open_null()) < 0) return "stdio";
    if (pipes && q->stdin->s && (close(stdio[0]) || open_pipe(&session.in, &stdio[0], 1))) return "pipe";
    for (int i = 0; pipes && i < 2; i++)
        if (close(stdio[i + 1]) || open_pipe(&session.out[i], &stdio[i + 1], 0)) return "pipe";
    return NULL;
}
/* Everything up to the moment when init walks. Returns the step that failed, with errno. */
static const char *begin(char **said) {
    static const int signals[] = {SIGCHLD, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGPIPE, SIGUSR1, SIGUSR2, 0};
    int sync[2], stdio[3] = {-1, -1, -1};
    if ((S.signals = signals_block(signals)) < 0) return "signalfd"; /* first: an early child must be reaped whatever fails */
    const char *step = open_all(stdio);
    if (step) return step;
    if (cgroup_open(S.q->cgroup->s, S.role == SUPERVISE)) return "cgroup";
    if (INIT.pid) return early_send(stdio) ? session.pid = INIT.pid, start_services(-1), NULL : "clone";
    if (socket_pair(sync)) return "socketpair";
    bool nested = S.q->holder->s || S.q->inside->s; int user = -1; step = "clone";
    if (S.q->holder->s && (S.net = holder_open(S.q, &user, said)) < 0) return "network";
    INIT.pid = session.pid = nested ? clone_inside(S.q, user, &step, said) : cgroup_clone((uint64_t)S.q->clone->v, false), INIT.sync = sync[0];
    if (INIT.pid < 0) return step;
    if (INIT.pid == 0) close(sync[0]), init_main(S.q, S.role, sync[1], stdio); /* open here, its end would never be seen */
    close(sync[1]), close(stdio[0]), close(stdio[1]), close(stdio[2]);
    close_kept(&user);
    if (!cgroup_enter(INIT.pid)) return "cgroup";
    if (!nested && (step = map_ids(S.q, INIT.pid, said))) return step;
    if (S.net >= 0 && holder_ask(S.q, S.net, INIT.pid)) return "network";
    if (!send_packet(INIT.sync, 'm', NULL, 0, -1)) return "init";
    return start_services(-1), NULL;
}
static void command_started(void) {
    early_done(); S.pid = INIT.pid, S.since = text("%s", stamp()), S.started = session.live = true;
    if (S.role == SUPERVISE) guest_begin(S.pid), state_write(S.q, S.pid, S.since, 0, false);
    SAY("started", text("%d", S.pid), text("%llu", start_of(S.pid)));
}
static void stop_init(int signal) { if (INIT.pid > 0) kill(INIT.pid, signal); }
/* A packet of init or of a service; false when there is none. After `failed` nothing more is said. */
static bool on_sync(struct kid *k) {
    static char p[PACKET + 1]; int fd; ssize_t n = recv_packet(k->sync, p, sizeof p, &fd);
    if (n < 0 && errno == ECONNRESET) return true; /* it died with something unread: what it said is still there */
    if (n <= 0 && (drop_fd(&k->sync), k->executed) && k == S.kid) command_started();
    if (n <= 0) return false;
    if (!S.failed && strchr("FEe", p[0])) write_all(CHANNEL, p + 1, (size_t)n - 1);
    if (p[0] == 'F') S.failed = true, k->executed = false, stop_init(SIGKILL);
    if (p[0] == 'X') k->executed = true;
    if (p[0] == 'p') memcpy(&k->pid, p + 1, sizeof k->pid), session.pid = INIT.pid;
    if (p[0] == 'f' && fd >= 0) start_services(fd);
    if (p[0] == 't' && fd >= 0) session.tty = true, session.out[0] = fd, session.in = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    else close_kept(&fd);
    return p[0] != 'e' || on_sync(k); /* the parts of one event come without a pause */
}
static void on_output(struct kid *k) {
    char p[1024]; ssize_t n;
    while ((n = read(k->out, p, sizeof p)) > 0) {
        size_t over = k->ntail + (size_t)n >= sizeof k->tail ? k->ntail + (size_t)n + 1 - sizeof k->tail : 0;
        memmove(k->tail, k->tail + over, k->ntail -= over); memcpy(k->tail + k->ntail, p, (size_t)n);
        k->tail[k->ntail += (size_t)n] = 0;
    }
    if (n == 0) drop_fd(&k->out);
}
static void on_death(struct kid *k, pid_t pid, int status) {
    while (k->sync >= 0 && on_sync(k)) {} /* its last words: maybe that another process goes on for it */
    if (k->pid != pid) return;
    if (k->out >= 0) on_output(k);
    if (k == S.kid) S.dead = true, S.status = status, session.pid = 0;
    else if (!S.started && !S.failed && !S.dead)
        SAY("service", k->service->plan.name, "exited", text("%d", docker_status(status)), k->tail);
    k->pid = 0;
}
static void reap(void) {
    int status;
    for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;)
        for (KIDS(k, 0)) if (pid == k->pid) on_death(k, pid, status);
}
/* Once, before a wait that may take days: pages of the program that were for the start are given back. */
static void slim(void) {
    extern char __executable_start[], __init_array_start[]; size_t n = ((uintptr_t)__init_array_start & ~(uintptr_t)0xffff) - (uintptr_t)__executable_start;
    if (S.started && !S.slim++) madvise(__executable_start, n, MADV_DONTNEED);
}
static void loop(void) {
    static char said[2 * PACKET + 1]; struct signalfd_siginfo i; ssize_t n;
    session_watch(); watch(S.signals, POLLIN), watch(cgroup_events(), POLLPRI);
    for (KIDS(k, 0)) watch(k->sync, POLLIN), watch(k->ready, POLLIN), watch(k->out, POLLIN);
    watch(S.net, POLLIN); slim(); watch_wait();
    if (hit(S.net)) holder_said(&S.net, S.started || S.failed);
    for (KIDS(k, 0)) {
        if (hit(k->out)) on_output(k);
        if (hit(k->ready) && (n = read(k->ready, said, sizeof said - 1)) > 0) { said[n] = 0; SAY("service", k->service->plan.name, "ready", said); }
        if (hit(k->ready)) drop_fd(&k->ready);
        if (hit(k->sync)) on_sync(k);
    }
    while (hit(S.signals) && read(S.signals, &i, sizeof i) == sizeof i) /* SIGTERM: the machine shuts down */
        if (i.ssi_signo == SIGTERM) stop_init(SIGTERM);
    if (hit(cgroup_events()) && cgroup_killed()) journal(S.q, stamp(), "\"oom\"");
    if (hit(S.signals)) reap(); /* after what the children said before they died */
    session_pump();
}
/* SIGTERM, at most a second, SIGKILL. A FUSE server comes last by nature: init is gone before. An early one has nothing of
 * this container's to put away, and the kernel takes some 10 ms for its tap device: it is killed, and nobody waits. */
static void end_services(void) {
    sigset_t child = {0}; sigaddset(&child, SIGCHLD); close_kept(&S.exit_pipe[1]), close_kept(&S.net);
    for (KIDS(k, 1)) if (k->pid > 0 && k->service->early) kill(k->pid, SIGKILL), k->pid = 0;
    for (int signal = SIGTERM, left = 1; left && signal; signal = signal == SIGTERM ? SIGKILL : 0) {
        for (KIDS(k, 1)) if (k->pid > 0) kill(k->pid, signal);
        do {
            reap(), left = 0;
            for (KIDS(k, 1)) left += k->pid > 0;
        } while (left && sigtimedwait(&child, NULL, &(struct timespec){1, 0}) == SIGCHLD);
    }
}
/* The order is a promise: who hears of the end finds the record written, the services gone and the lock free. */
static int finish(void) {
    bool ran = S.started || (S.role == ENTER && !S.failed); int status = ran ? docker_status(S.status) : FAIL;
    guest_end(); session_end(); end_services();
    if (S.role == SUPERVISE && cgroup_end()) journal(S.q, stamp(), "\"oom\"");
    if (S.started && S.role == SUPERVISE) state_write(S.q, S.pid, S.since, S.status, true);
    if (session.listen >= 0) unlink(S.q->socket->s);
    drop_fd(&session.listen); close_kept(&S.lock);
    S.alone = poll(&(struct pollfd){CHANNEL, POLLRDHUP, 0}, 1, 0) > 0; /* asked now: who hears `exited` cleans up, then leaves */
    if (ran) SAY("exited", text("%d", status));
    else if (!S.failed) SAY("failed", "header", "0", text("%d", ECHILD), "init");
    session_queue('x', (char[]){(char)status, 0, 0, 0}, 4);
    while (!session_pump()) loop();
    return status;
}
/* If the file it names is there; with no name unless somebody is connected, who does it himself. */
static void run_onexit(const struct record *r) {
    char **argv = calloc(r->n + 1, sizeof *argv);
    if (!S.started || r->n < 3 || !argv || (r->f[1].n ? access(r->f[1].p, F_OK) : !S.alone)) return;
    for (uint32_t i = 2; i < r->n; i++) argv[i - 2] = (char *)(uintptr_t)r->f[i].p;
    signals_default(); close_range_of(3, ~0u, CLOSE_CLOEXEC); execve(argv[0], argv, environ);
}
/* The supervisor has no terminal, no session of the user's, and none of his descriptors. */
static int parent(void) {
    char *said = ""; AUTO null = S.role == ENTER ? -1 : open_null();
    for (int i = 0; null >= 0 && i < 3; i++) dup2(null, i);
    if (S.role != ENTER) setsid(), title(S.role == JOIN ? "exec" : "supervise", S.q->id->s);
    const char *step = begin(&said);
    if (step) SAY("failed", "header", "0", text("%d", errno), text("%s%s", step, said));
    if (step) S.failed = true, S.dead = INIT.pid <= 0, stop_init(SIGKILL);
    while (!S.dead) loop();
    int status = finish(); return run_onexit(&S.q->onexit), status;
}
void supervise_begin(enum role role, struct request *q) {
    S.role = role, S.q = q, S.nkid = q->nservice + 1, S.signals = S.lock = S.net = -1;
    session.in = session.out[0] = session.out[1] = session.listen = session.log = -1;
    for (KIDS(k, 0)) {
        if (!k->pid) k->sync = k->ready = k->out = -1;
        k->service = k > S.kid ? &q->service[k - S.kid - 1] : NULL;
    }
}
/* The front is the process that TypeScript started, and the supervisor its child; early children have made it the other way. */
int supervise(struct request *q, enum role role) {
    int pair[2]; bool early = early_wanted(q); supervise_begin(role, q);
    if (role == ENTER || !q->front->s) return parent();
    if (socket_pair(pair)) return FAIL;
    pid_t pid = fork(); bool front = pid >= 0 && (pid == 0) == early;
    close(pair[front]); title("front", q->id->s);
    if (pid < 0) return FAIL;
    if (front && early) signals_default(), early_close();
    if (front) return front_run(pair[0], q->front->s, q->detachkeys->s, q->detachkeys->n);
    close_kept(&signal_pipe); session_add(pair[1], q->front->s, true); return parent();
}
