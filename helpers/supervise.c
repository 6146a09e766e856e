/*
 * The parent of a command: `supervise` (a container), `join` (exec) and `enter` (a task). They differ in what they make
 * before the fork and what they keep after it; the loop is one.
 */
#include "session.h"
#include <sys/file.h>
#include <sys/signalfd.h>
#include <time.h>

struct kid {            /* kid[0] is init, the others are services */
    const struct service *service;
    pid_t pid;          /* 0: not started, or dead */
    int sync, ready, out;
    bool executed;
    char tail[4096];    /* the end of a service's output */
    size_t ntail;
};
static struct super {   /* in .bss: pages that are not touched cost nothing */
    enum role role;
    struct request *q;
    struct session s;
    struct kid kid[SERVICES + 1];
    int nkid, signals, lock, exit_pipe[2], stdio[3], status;
    bool dead, started, failed;
    char *since;
} super;

int docker_status(int status) { return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status); }

/* A pipe whose end here is non-blocking; the other end's file stays blocking. */
static int open_pipe(int *ours, int *theirs, int write_end) {
    int p[2];
    if (pipe2(p, O_CLOEXEC)) return -1;
    *ours = p[write_end], *theirs = p[!write_end];
    return fcntl(*ours, F_SETFL, O_NONBLOCK);
}

/* Opens what the header names. Returns the step that failed, with errno. */
static const char *open_all(struct super *s) {
    const struct request *q = s->q;
    const int flags = O_CREAT | O_CLOEXEC | O_NOFOLLOW;
    int null = open_null(), *c = s->stdio;
    if (q->cwd.s && chdir(q->cwd.s)) return "cwd";
    if (q->lock.s && ((s->lock = open(q->lock.s, O_RDWR | flags, 0600)) < 0 || flock(s->lock, LOCK_EX | LOCK_NB))) return "lock";
    if (q->log.s && (s->s.log = open(q->log.s, O_WRONLY | O_APPEND | flags, 0600)) < 0) return "log";
    if (q->socket.s && (s->s.listen = unix_socket(q->socket.s, true)) < 0) return "socket";
    if (null < 0) return "null";
    for (int i = 0; i < 3; i++) c[i] = s->role == ENTER ? i : null;
    if (q->nservice && pipe2(s->exit_pipe, O_CLOEXEC)) return "pipe";
    if (s->role == ENTER || q->tty[0].s) return NULL;
    bool bad = (q->in.s && open_pipe(&s->s.in, &c[0], 1)) || open_pipe(&s->s.out[0], &c[1], 0) || open_pipe(&s->s.out[1], &c[2], 0);
    return bad ? "pipe" : NULL;
}

static _Noreturn void service_main(struct super *s, const struct service *v, int sync, int out, int ready, int fuse) {
    const int want[6] = {open_null(), out, out, ready, s->exit_pipe[0], fuse};
    struct walk w = {.id = s->q->id.s, .root = -1, .seal = -1, .service = true, .target = s->kid[0].pid, .nkeep = 3,
                     .keep = {3, 4, 5}, .umask = 022, .env = environ};
    setsid();
    place(6, want, &sync);
    w.sync = sync;
    title(v->plan.name, s->q->id.s);
    umask(0);
    walk_plan(&w, &v->plan);
    _exit(0);
}

/* Starts the services that wait for a FUSE descriptor, or (fuse < 0) those that do not. */
static void start_services(struct super *s, int fuse) {
    for (struct kid *k = s->kid + 1; k < s->kid + s->nkid; k++) {
        int sync[2], ready = -1, out = -1;
        if (k->pid || k->service->fuse != (fuse >= 0)) continue;
        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sync) || open_pipe(&k->out, &out, 0) ||
            (k->service->ready && open_pipe(&k->ready, &ready, 0)) || (k->pid = fork()) < 0) _exit(FAIL);
        if (k->pid == 0) service_main(s, k->service, sync[1], out, ready, fuse);
        k->sync = sync[0];
        close(sync[1]);
        close(out);
        close_kept(&ready);
    }
}

/* Everything up to the moment when init walks. Returns the step that failed, with errno. */
static const char *begin(struct super *s, char **said) {
    static const int signals[] = {SIGCHLD, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGPIPE, SIGUSR1, SIGUSR2, 0};
    int sync[2];
    const char *step = open_all(s);
    if (step) return step;
    s->signals = signals_block(signals);
    if (s->signals < 0 || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sync)) return "socketpair";
    pid_t pid = clone_with((uint64_t)s->q->clone.v);
    if (pid == 0) init_main(s->q, s->role, sync[1], s->stdio);
    if (pid < 0) return "clone";
    s->kid[0].pid = s->s.pid = pid;
    s->kid[0].sync = sync[0];
    close(sync[1]);
    for (int i = 0; i < 3; i++)
        if (s->stdio[i] > 2 && (i == 0 || s->stdio[i] != s->stdio[0])) close(s->stdio[i]);
    if ((step = map_ids(s->q, pid, said))) return step;
    if (!send_packet(sync[0], 'm', NULL, 0, -1)) return "init";
    start_services(s, -1);
    return NULL;
}

static void command_started(struct super *s) {
    pid_t pid = s->kid[0].pid;
    s->started = s->s.live = true;
    s->since = text("%s", stamp());
    if (s->role == SUPERVISE) state_write(s->q, pid, s->since, 0, false);
    SAY("started", text("%d", pid), text("%llu", start_of(pid)));
}

/* A packet of init or of a service; false when there is none. After `failed` nothing more is said. */
static bool on_sync(struct super *s, struct kid *k) {
    static char p[PACKET + 1];
    int fd;
    ssize_t n = recv_packet(k->sync, p, sizeof p, &fd);
    if (n <= 0) {
        close(k->sync);
        k->sync = -1;
        if (k->executed && k == s->kid) command_started(s);
        return false;
    }
    if (!s->failed && strchr("FEe", p[0])) write_all(CHANNEL, p + 1, (size_t)n - 1);
    if (p[0] == 'F') k->executed = !(s->failed = true), kill(s->kid[0].pid, SIGKILL);
    if (p[0] == 'X') k->executed = true;
    if (p[0] == 'p') memcpy(&k->pid, p + 1, sizeof k->pid), s->s.pid = s->kid[0].pid;
    if (p[0] == 'f' && fd >= 0) start_services(s, fd);
    if (p[0] == 't' && fd >= 0) s->s.tty = true, s->s.out[0] = fd, s->s.in = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    else close_kept(&fd);
    return p[0] != 'e' || on_sync(s, k); /* the parts of one event come without a pause */
}

static void on_output(struct kid *k) {
    char p[1024];
    ssize_t n;
    while ((n = read(k->out, p, sizeof p)) > 0) {
        size_t over = k->ntail + (size_t)n >= sizeof k->tail ? k->ntail + (size_t)n + 1 - sizeof k->tail : 0;
        memmove(k->tail, k->tail + over, k->ntail -= over);
        memcpy(k->tail + k->ntail, p, (size_t)n);
        k->tail[k->ntail += (size_t)n] = 0;
    }
    if (n == 0) close(k->out), k->out = -1;
}

static void on_ready(struct kid *k) {
    char byte;
    if (read(k->ready, &byte, 1) == 1) SAY("service", k->service->plan.name, "ready");
    close(k->ready);
    k->ready = -1;
}

static void on_death(struct super *s, struct kid *k, int status) {
    pid_t pid = k->pid;
    while (k->sync >= 0 && on_sync(s, k)) {} /* its last words: maybe that another process goes on for it */
    if (k->pid != pid) return;
    if (k->out >= 0) on_output(k);
    if (k == s->kid) s->dead = true, s->status = status;
    else if (!s->started && !s->failed && !s->dead)
        SAY("service", k->service->plan.name, "exited", text("%d", docker_status(status)), k->tail);
    k->pid = 0;
}

static void reap(struct super *s) {
    int status;
    for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;)
        for (struct kid *k = s->kid; k < s->kid + s->nkid; k++)
            if (pid == k->pid) on_death(s, k, status);
}

static void on_signal(struct super *s) {
    struct signalfd_siginfo i;
    while (read(s->signals, &i, sizeof i) == sizeof i) /* SIGTERM: the machine shuts down, let the command end */
        if (i.ssi_signo == SIGTERM && s->kid[0].pid > 0) kill(s->kid[0].pid, SIGTERM);
    reap(s);
}

/* SIGTERM, at most a second, SIGKILL. A FUSE server comes last by nature: init is gone before. */
static void end_services(struct super *s) {
    sigset_t child;
    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    close_kept(&s->exit_pipe[1]);
    for (int signal = SIGTERM, left = 1; left && signal; signal = signal == SIGTERM ? SIGKILL : 0) {
        for (struct kid *k = s->kid + 1; k < s->kid + s->nkid; k++)
            if (k->pid > 0) kill(k->pid, signal);
        do {
            reap(s);
            left = 0;
            for (struct kid *k = s->kid + 1; k < s->kid + s->nkid; k++) left += k->pid > 0;
        } while (left && sigtimedwait(&child, NULL, &(struct timespec){1, 0}) == SIGCHLD);
    }
}

/* The order is a promise: who hears of the end finds the record written, the services gone and the lock free. */
static int finish(struct super *s, pid_t pid) {
    bool ran = s->started || (s->role == ENTER && !s->failed);
    int status = ran ? docker_status(s->status) : FAIL;
    session_drain(&s->s);
    end_services(s);
    if (s->started && s->role == SUPERVISE) state_write(s->q, pid, s->since, s->status, true);
    if (s->s.listen >= 0) close(s->s.listen), unlink(s->q->socket.s), s->s.listen = -1;
    close_kept(&s->lock);
    if (ran) SAY("exited", text("%d", status));
    else if (!s->failed) SAY("failed", "header", "0", text("%d", ECHILD), "init");
    session_end(&s->s, status);
    return status;
}

static void loop(struct super *s) {
    session_watch(&s->s);
    watch(s->signals, POLLIN);
    for (struct kid *k = s->kid; k < s->kid + s->nkid; k++) watch(k->sync, POLLIN), watch(k->ready, POLLIN), watch(k->out, POLLIN);
    watch_wait();
    for (struct kid *k = s->kid + s->nkid - 1; k >= s->kid; k--) {
        if (hit(k->out)) on_output(k);
        if (hit(k->ready)) on_ready(k);
        if (hit(k->sync)) on_sync(s, k);
    }
    if (hit(s->signals)) on_signal(s);
    session_pump(&s->s);
}

static void run_onexit(const struct request *q) {
    struct pollfd p = {CHANNEL, POLLRDHUP, 0};
    char **argv = calloc(q->onexit.n, sizeof *argv);
    if (poll(&p, 1, 0) <= 0 || !argv) return; /* somebody is connected, who does it himself */
    for (uint32_t i = 1; i < q->onexit.n; i++) argv[i - 1] = (char *)(uintptr_t)q->onexit.f[i].p;
    signals_default();
    cloexec_from(3);
    execve(argv[0], argv, environ);
}

/* The supervisor has no terminal, no session of the user's, and none of his descriptors. */
static void detach(struct super *s) {
    int null = open_null();
    for (int i = 0; i < 3; i++) dup2(null, i);
    close_kept(&null);
    setsid();
    title(s->role == JOIN ? "exec" : "supervise", s->q->id.s);
}

static int parent(struct super *s) {
    char *said = "";
    if (s->role != ENTER) detach(s);
    const char *step = begin(s, &said);
    pid_t pid = s->kid[0].pid;
    if (step) SAY("failed", "header", "0", text("%d", errno), text("%s%s", step, said));
    if (step) s->failed = true, s->dead = pid <= 0;
    if (step && pid > 0) kill(pid, SIGKILL);
    while (!s->dead) loop(s);
    int status = finish(s, s->s.pid);
    while (!session_idle(&s->s)) loop(s);
    if (s->q->onexit.n > 1 && s->started) run_onexit(s->q);
    return status;
}

int supervise(struct request *q, enum role role) {
    struct super *s = &super;
    int pair[2];
    *s = (struct super){.role = role, .q = q, .nkid = q->nservice + 1, .signals = -1, .lock = -1, .exit_pipe = {-1, -1}};
    s->s.in = s->s.out[0] = s->s.out[1] = s->s.listen = s->s.log = -1;
    for (int i = 0; i < CLIENTS; i++) s->s.client[i].fd = -1;
    for (int i = 0; i <= SERVICES; i++) s->kid[i].sync = s->kid[i].ready = s->kid[i].out = -1;
    for (int i = 0; i < q->nservice; i++) s->kid[i + 1].service = &q->service[i];
    if (role == ENTER || !q->front.s) return parent(s);
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair)) return FAIL;
    pid_t pid = fork();
    close(pair[pid != 0]);
    title("front", q->id.s);
    if (pid) return pid < 0 ? FAIL : front_run(pair[0], q->front.s, q->keys.s, q->keys.n);
    close(SIGNAL_PIPE);
    session_add(&s->s, pair[1], q->front.s, true);
    return parent(s);
}
