/*
 * The parent of a command: `supervise` (a container), `join` (exec) and `enter` (a task). They differ in what they make before
 * the fork and what they keep after it; the loop is one.
 */
#include "session.h"

#include <poll.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>

#define TAIL 4096

struct kid { /* init, or a service */
    const struct service *service;
    pid_t pid;          /* 0: not started, or dead */
    int sync, ready, out;
    bool executed, reported;
    char tail[TAIL];    /* the end of a service's output */
    size_t ntail;
};

struct super {
    enum role role;
    struct request *q;
    struct session s;
    struct kid init, kid[SERVICES];
    int signals, lock, exit_pipe[2], child_stdio[3], front;
    bool dead, started;
    int status;
    char since[32];
    struct buf text;
};

static struct super super; /* in .bss: untouched pages cost nothing */

static void emit(struct super *s)
{
    write_all(CHANNEL, s->text.p, s->text.n);
}

/* ---- start ---- */

static int set_pair(int *ours, int *theirs, bool we_write)
{
    int p[2];
    if (pipe2(p, O_CLOEXEC))
        return -1;
    *ours = p[we_write];
    *theirs = p[!we_write];
    return fcntl(*ours, F_SETFL, O_NONBLOCK); /* this end's file only: the container's stays blocking */
}

static const char *make_streams(struct super *s)
{
    int null = open_null(), *c = s->child_stdio;
    if (null < 0)
        return "null";
    c[0] = c[1] = c[2] = null;
    if (s->role == ENTER)
        c[0] = 0, c[1] = 1, c[2] = 2;
    else if (!s->q->tty && ((s->q->open_stdin && set_pair(&s->s.in, &c[0], true)) || set_pair(&s->s.out[0], &c[1], false) ||
                            set_pair(&s->s.out[1], &c[2], false)))
        return "pipe";
    return NULL;
}

static const char *open_files(struct super *s)
{
    struct request *q = s->q;
    if (q->lock) {
        s->lock = open(q->lock, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (s->lock < 0 || flock(s->lock, LOCK_EX | LOCK_NB))
            return "lock";
    }
    if (q->log && (s->s.log = open(q->log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600)) < 0)
        return "log";
    if (q->socket && (s->s.listen = unix_socket(q->socket, true)) < 0)
        return "socket";
    if (q->nservice && pipe2(s->exit_pipe, O_CLOEXEC))
        return "pipe";
    return make_streams(s);
}

static void start_service(struct super *s, struct kid *k, int fuse)
{
    int sync[2], ready[2] = { -1, -1 }, out[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sync) || pipe2(out, O_CLOEXEC) ||
        (k->service->ready && pipe2(ready, O_CLOEXEC)))
        return;
    k->pid = fork();
    if (k->pid == 0) {
        const int want[6] = { open_null(), out[1], out[1], ready[1], s->exit_pipe[0], fuse };
        struct walk w = { .id = s->q->id, .channel = -1, .root = -1, .seal = -1, .service = true, .target = s->init.pid,
                          .nkeep = 3, .keep = { 3, 4, 5 }, .umask = 022, .env = environ };
        setsid();
        place(6, want, &sync[1]);
        close_others(6, &sync[1], 1);
        w.sync = sync[1];
        title(k->service->plan.name, s->q->id);
        umask(0);
        walk_plan(&w, &k->service->plan);
        _exit(0);
    }
    close(sync[1]);
    close(out[1]);
    if (ready[1] >= 0)
        close(ready[1]);
    k->sync = sync[0], k->out = out[0], k->ready = ready[0];
    fcntl(k->out, F_SETFL, O_NONBLOCK);
}

static void start_services(struct super *s, int fuse)
{
    for (int i = 0; i < s->q->nservice; i++)
        if (s->q->service[i].fuse == (fuse >= 0) && !s->kid[i].pid)
            start_service(s, &s->kid[i], fuse);
}

/* Everything up to the moment when init walks. Returns the step that failed, with errno. */
static const char *begin(struct super *s, struct buf *said)
{
    static const int signals[] = { SIGCHLD, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGPIPE, SIGUSR1, SIGUSR2, 0 };
    int sync[2];
    if (s->q->cwd && chdir(s->q->cwd))
        return "cwd";
    const char *step = open_files(s);
    if (step)
        return step;
    s->signals = signals_block(signals);
    if (s->signals < 0 || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sync))
        return "socketpair";
    pid_t pid = clone_with((uint64_t)s->q->clone.v);
    if (pid == 0)
        init_main(s->q, s->role, sync[1], s->child_stdio);
    if (pid < 0)
        return "clone";
    s->init.pid = s->s.pid = pid;
    s->init.sync = sync[0];
    close(sync[1]);
    for (int i = 0; i < 3; i++)
        if (s->child_stdio[i] > 2)
            close(s->child_stdio[i]), s->child_stdio[i] = -1;
    step = map_ids(s->q, pid, said);
    if (!step && !send_packet(s->init.sync, 'm', NULL, 0, -1))
        step = "init";
    if (!step)
        start_services(s, -1);
    return step;
}

/* ---- what the children tell ---- */

static void command_started(struct super *s)
{
    int proc = open_proc(s->init.pid, 0);
    unsigned long long ticks = proc < 0 ? 0 : start_of(proc);
    if (proc >= 0)
        close(proc);
    s->started = s->s.live = true;
    stamp(s->since);
    if (s->role == SUPERVISE)
        state_write(s->q, s->init.pid, s->since, 0, false, false);
    event(&s->text, "started", num((unsigned)s->init.pid), num(ticks), NULL);
    emit(s);
}

static void take_tty(struct super *s, int master)
{
    s->s.tty = true;
    s->s.out[0] = master;
    s->s.in = fcntl(master, F_DUPFD_CLOEXEC, 3);
}

/* A packet of init or of a service; false when there is none. */
static bool on_sync(struct super *s, struct kid *k)
{
    static char p[PACKET + 1];
    int fd, pid;
    ssize_t n = recv_packet(k->sync, p, sizeof p, &fd);
    if (n <= 0) {
        close(k->sync);
        k->sync = -1;
        if (k->executed && k == &s->init)
            command_started(s);
        return false;
    }
    if (!s->init.reported && strchr("FEe", p[0]))
        write_all(CHANNEL, p + 1, (size_t)n - 1);
    if (p[0] == 'F') {
        k->reported = s->init.reported = true;
        k->executed = false;
        kill(s->init.pid, SIGKILL);
    }
    if (p[0] == 'p' && n == 1 + (ssize_t)sizeof pid) {
        memcpy(&pid, p + 1, sizeof pid);
        k->pid = pid;
        s->s.pid = s->init.pid;
    }
    if (p[0] == 'X')
        k->executed = true;
    if (p[0] == 't' && fd >= 0 && s->s.in < 0)
        take_tty(s, fd);
    else if (p[0] == 'f' && fd >= 0)
        start_services(s, fd);
    if (fd >= 0 && p[0] != 't')
        close(fd);
    return p[0] != 'e' || on_sync(s, k); /* the parts of one event come without a pause */
}

static void on_service_output(struct kid *k)
{
    char p[1024];
    ssize_t n;
    while ((n = read(k->out, p, sizeof p)) > 0) {
        size_t over = k->ntail + (size_t)n > TAIL ? k->ntail + (size_t)n - TAIL : 0;
        memmove(k->tail, k->tail + over, k->ntail - over);
        memcpy(k->tail + k->ntail - over, p, (size_t)n);
        k->ntail += (size_t)n - over;
    }
    if (n == 0) {
        close(k->out);
        k->out = -1;
    }
}

static void on_ready(struct super *s, struct kid *k)
{
    char byte;
    if (read(k->ready, &byte, 1) == 1) {
        event(&s->text, "service", k->service->plan.name, "ready", NULL);
        emit(s);
    }
    close(k->ready);
    k->ready = -1;
}

static int docker_status(int status)
{
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/* What it said before it died, which may lie behind what has just been read. */
static void last_words(struct super *s, struct kid *k)
{
    while (k->sync >= 0 && on_sync(s, k))
        ;
}

static void service_ended(struct super *s, struct kid *k, int status)
{
    last_words(s, k);
    if (k->out >= 0)
        on_service_output(k);
    k->pid = 0;
    if (s->started || k->reported || s->dead)
        return;
    event_open(&s->text);
    event_field(&s->text, "service", 7);
    event_field(&s->text, k->service->plan.name, strlen(k->service->plan.name));
    event_field(&s->text, "exited", 6);
    event_field(&s->text, num((unsigned)docker_status(status)), strlen(num((unsigned)docker_status(status))));
    event_field(&s->text, k->tail, k->ntail);
    event_close(&s->text);
    emit(s);
}

static void reap(struct super *s)
{
    int status;
    for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;) {
        if (pid == s->init.pid)
            last_words(s, &s->init);
        if (pid == s->init.pid) { /* still: its last word may have been that another one goes on for it */
            s->dead = true;
            s->status = status;
        }
        for (int i = 0; i < s->q->nservice; i++)
            if (pid == s->kid[i].pid)
                service_ended(s, &s->kid[i], status);
    }
}

static void on_signal(struct super *s)
{
    struct signalfd_siginfo i;
    while (read(s->signals, &i, sizeof i) == sizeof i)
        if (i.ssi_signo == SIGTERM && s->init.pid > 0 && !s->dead) /* the machine shuts down: let the command end */
            kill(s->init.pid, SIGTERM);
    reap(s);
}

/* ---- the end ---- */

/* SIGTERM, at most a second, SIGKILL. A FUSE server comes last by nature: init is gone before. */
static void end_services(struct super *s)
{
    sigset_t child;
    struct timespec second = { 1, 0 };
    int left = 0;
    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    if (s->exit_pipe[1] >= 0)
        close(s->exit_pipe[1]);
    for (int signal = SIGTERM; signal; signal = signal == SIGTERM ? SIGKILL : 0) {
        for (int i = 0; i < s->q->nservice; i++)
            if (s->kid[i].pid)
                kill(s->kid[i].pid, signal);
        do {
            reap(s);
            left = 0;
            for (int i = 0; i < s->q->nservice; i++)
                left += s->kid[i].pid > 0;
        } while (left && sigtimedwait(&child, NULL, &second) == SIGCHLD);
        if (!left)
            return;
    }
}

static bool channel_closed(void)
{
    struct pollfd p = { CHANNEL, POLLIN | POLLRDHUP, 0 };
    return poll(&p, 1, 0) > 0 && p.revents & (POLLHUP | POLLRDHUP | POLLERR | POLLNVAL);
}

/* The order is a promise: who hears of the end finds the record written, the services gone and the lock free. */
static int finish(struct super *s)
{
    bool ran = s->started || (s->role == ENTER && !s->init.reported);
    int status = ran ? docker_status(s->status) : FAIL;
    session_drain(&s->s);
    end_services(s);
    if (s->started && s->role == SUPERVISE)
        state_write(s->q, s->init.pid, s->since, s->status, true, s->q->onexit.n == 0);
    if (s->s.listen >= 0) {
        close(s->s.listen);
        unlink(s->q->socket);
        s->s.listen = -1;
    }
    if (s->lock >= 0)
        close(s->lock);
    if (!ran && !s->init.reported)
        event(&s->text, "failed", "header", "0", num(ECHILD), "init", NULL);
    else if (ran)
        event(&s->text, "exited", num((unsigned)status), NULL);
    if (ran || !s->init.reported)
        emit(s);
    session_end(&s->s, (unsigned)status);
    return status;
}

static void loop(struct super *s)
{
    session_watch(&s->s);
    watch(s->signals, POLLIN);
    watch(s->init.sync, POLLIN);
    for (int i = 0; i < s->q->nservice; i++) {
        watch(s->kid[i].sync, POLLIN);
        watch(s->kid[i].ready, POLLIN);
        watch(s->kid[i].out, POLLIN);
    }
    watch_wait();
    for (int i = 0; i < s->q->nservice; i++) {
        struct kid *k = &s->kid[i];
        if (hit(k->out))
            on_service_output(k);
        if (hit(k->ready))
            on_ready(s, k);
        if (hit(k->sync))
            on_sync(s, k);
    }
    if (hit(s->init.sync))
        on_sync(s, &s->init);
    if (hit(s->signals)) /* after what the children said before they died */
        on_signal(s);
    session_pump(&s->s);
}

static _Noreturn void run_onexit(const struct request *q)
{
    char **argv = calloc(q->onexit.n, sizeof *argv);
    for (uint32_t i = 1; argv && i < q->onexit.n; i++)
        argv[i - 1] = (char *)(uintptr_t)q->onexit.f[i].p;
    signals_default();
    cloexec_from(3);
    execve(argv ? argv[0] : "", argv, environ);
    _exit(FAIL);
}

/* The supervisor has no terminal, no session of the user's, and none of his descriptors. */
static const char *detach(struct super *s)
{
    int null = open_null();
    if (null < 0)
        return "null";
    for (int i = 0; i < 3; i++)
        dup2(null, i);
    close(null);
    setsid();
    title(s->role == JOIN ? "exec" : "supervise", s->q->id);
    if (s->front >= 0 && !session_add(&s->s, s->front, s->q->front, true))
        return "front";
    return NULL;
}

static int parent(struct super *s)
{
    struct buf said = { 0 };
    const char *step = s->role == ENTER ? NULL : detach(s);
    if (!step)
        step = begin(s, &said);
    if (step) {
        int e = errno;
        buf_str(&s->text, "");
        struct buf detail = { 0 };
        buf_str(&detail, step);
        buf_add(&detail, said.p, said.n);
        event(&s->text, "failed", "header", "0", num((unsigned)e), detail.p, NULL);
        emit(s);
        s->init.reported = true;
        if (s->init.pid > 0)
            kill(s->init.pid, SIGKILL);
        s->dead = s->init.pid <= 0;
    }
    while (!s->dead)
        loop(s);
    int status = finish(s);
    while (!session_idle(&s->s))
        loop(s);
    if (s->q->onexit.n > 1 && s->started && channel_closed())
        run_onexit(s->q);
    return status;
}

int supervise(struct request *q, enum role role)
{
    struct super *s = &super;
    int pair[2];
    s->q = q;
    s->role = role;
    session_init(&s->s);
    s->init.sync = s->init.ready = s->init.out = s->signals = s->lock = s->front = s->exit_pipe[0] = s->exit_pipe[1] = -1;
    for (int i = 0; i < SERVICES; i++)
        s->kid[i] = (struct kid){ .service = &q->service[i], .sync = -1, .ready = -1, .out = -1 };
    if (role == ENTER || !q->front)
        return parent(s);
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
        return FAIL;
    pid_t pid = fork();
    if (pid != 0) {
        close(pair[1]);
        title("front", q->id);
        return pid < 0 ? FAIL : front_run(pair[0], q->front, q->keys.s, q->keys.n);
    }
    close(pair[0]);
    close(SIGNAL_PIPE);
    s->front = pair[1];
    return parent(s);
}
