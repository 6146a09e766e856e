/* Pid 1 of a warm container: it performs commands that come over the channel, and starts no namespaces for them. Nothing in
 * here blocks but poll(2): a command that does not read, or a caller who does not, holds up nobody else. */
#include "serve.h"
enum { PIECE = 32768, QUEUE = 1 << 18 /* waiting bytes at which no output is read any more */, GRACE = 5000 };
static struct job jobs[JOBS];
static struct buf incoming, outgoing;
static struct pollfd polled[2 + 4 * JOBS];
#define EACH(j) struct job *j = jobs; j < jobs + JOBS; j++
long long now_us(void) {
    struct timespec t; clock_gettime(CLOCK_MONOTONIC, &t);
    return (long long)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}
static void queue(struct buf *event) { event_close(event), buf_add(&outgoing, event->p, event->n), free(event->p); }
static void add_number(struct buf *b, long long n) { char p[24]; event_field(b, p, (size_t)snprintf(p, sizeof p, "%lld", n)); }
static void say_output(const struct job *j, int stream, const char *p, size_t n) {
    struct buf b = {0}; event_open(&b, "output"), event_field(&b, j->id, strlen(j->id));
    event_field(&b, stream ? "2" : "1", 1), event_field(&b, p, n), queue(&b);
}
#define ADD(...) do { struct buf b_ = {0}; event(&b_, __VA_ARGS__, NULL); buf_add(&outgoing, b_.p, b_.n); free(b_.p); } while (0)
static void drop(int *fd) { close_kept(fd), *fd = -1; }
/* Beyond the limit output is read and thrown away: the command is not to notice. True when something came. */
static bool read_out(struct job *j, int i) {
    static char p[PIECE]; ssize_t n = read(j->out[i], p, sizeof p);
    size_t pass = n <= 0 ? 0 : (unsigned long long)n < j->left ? (size_t)n : (size_t)j->left;
    if (pass) say_output(j, i, p, pass);
    if (n > 0) j->left -= pass, j->cut |= pass < (size_t)n;
    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) drop(&j->out[i]);
    return n > 0;
}
/* A command that does not read its input has no use for it: the rest is thrown away. */
static void feed(struct job *j) {
    ssize_t n = j->at < j->input.n ? write(j->in, j->input.p + j->at, j->input.n - j->at) : 0;
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
    j->at = n < 0 ? j->input.n : j->at + (size_t)n;
    if (j->at < j->input.n) return;
    free(j->input.p), j->input = (struct buf){0}, j->at = 0;
    if (!j->more || n < 0) return drop(&j->in);
    ADD("took", j->id);
}
static void end(struct job *j, const struct result *r) {
    for (int i = 0, k; i < 2; drop(&j->out[i++])) /* what it left behind may write for ever, hence the bound */
        for (k = 0; j->out[i] >= 0 && k++ < 64 && read_out(j, i);) {}
    const long long fact[] = {WIFSIGNALED(r->status) ? 0 : WEXITSTATUS(r->status), WIFSIGNALED(r->status) ? WTERMSIG(r->status) : 0,
                              j->late, j->cut, now_us() - j->begun, r->cpu, r->memory};
    struct buf b = {0}; event_open(&b, "ended"), event_field(&b, j->id, strlen(j->id));
    for (unsigned i = 0; i < sizeof fact / sizeof *fact; i++) add_number(&b, fact[i]);
    queue(&b);
    drop(&j->in), drop(&j->sync), free(j->id), free(j->input.p), *j = (struct job){.in = -1, .out = {-1, -1}, .sync = -1};
}
/* What failed before the command ran: `failed PLAN INDEX ERRNO DETAIL` as the walk wrote it, and whose it is. */
static void say_failed(const struct job *j, const char *p, size_t n) {
    struct frame f; struct buf b = {0};
    if (n < 8 || frame_decode(p + 8, n - 8, &f)) _exit(FAIL);
    event_open(&b, "unfit"), event_field(&b, j->id, strlen(j->id));
    for (uint32_t i = 1; i < f.r->n; i++) event_field(&b, f.r->f[i].p, f.r->f[i].n);
    free(f.r), queue(&b);
}
static void on_sync(struct job *j) {
    static char p[PACKET + 1]; int fd; ssize_t n = recv_packet(j->sync, p, sizeof p, &fd); struct result r = {.status = SIGKILL};
    if (n < 0 && (errno == EINTR || errno == ECONNRESET)) return;
    if (n > 0 && p[0] == 'F') return say_failed(j, p + 1, (size_t)n - 1);
    if (n > 0 && p[0] != 'x') return;
    if (n == 1 + sizeof r) memcpy(&r, p + 1, sizeof r);
    end(j, &r); /* without a word: somebody inside has killed who attended to it */
}
static void stop(struct job *j) { if (j->pid > 0) kill(j->pid, STOP), j->limit = now_us() / 1000 + GRACE; }
/* Milliseconds until the next limit, -1: none. Whose time is up is stopped; if that does not help, everything is. */
static int limits(void) {
    long long next = -1, now = now_us() / 1000;
    for (EACH(j)) {
        if (j->id && j->limit && j->limit <= now && j->stopped) kill(-1, SIGKILL), j->limit = 0;
        else if (j->id && j->limit && j->limit <= now) j->stopped = j->late = true, stop(j);
        if (j->id && j->limit && (next < 0 || j->limit - now < next)) next = j->limit - now;
    }
    return next > 1 << 30 ? 1 << 30 : (int)next;
}
static struct job *find(const char *id) {
    for (EACH(j)) if (id ? j->id && !strcmp(j->id, id) : !j->id) return j;
    return NULL;
}
/* `exec ID MILLISECONDS BYTES FLAGS INPUT` and operations. True in the process that performs them. */
static bool begin(struct walk *w, const struct frame *f) {
    struct arg a[8]; struct job *j = find(NULL); int theirs[3] = {-1, -1, -1}, sync[2] = {-1, -1};
    if (f->r->n != 6 || record_args(f->r, "sddsb", a)) _exit(FAIL);
    if (!j || (strchr(a[3].s, 'i') && pipe_to(&j->in, &theirs[0], 1)) || pipe_to(&j->out[0], &theirs[1], 0) ||
        pipe_to(&j->out[1], &theirs[2], 0) || socket_pair(sync) || (j->pid = fork()) < 0) {
        struct buf b = {0}; int e = j ? errno : EAGAIN;
        event_open(&b, "unfit"), event_field(&b, a[0].s, a[0].n), event_field(&b, "header", 6), event_field(&b, "0", 1);
        add_number(&b, e), event_field(&b, "fork", 4), queue(&b);
        for (int i = 0; j && i < 2; i++) drop(&j->out[i]);
        if (j) drop(&j->in);
        close_kept(&sync[0]);
    } else if (j->pid == 0) {
        w->asked = (struct plan){"asked", f->r + 1, f->n - 1};
        return attend(w, theirs, sync[1], a[0].s, strchr(a[3].s, 'a')), true;
    } else {
        j->id = strdup(a[0].s), j->sync = sync[0], j->begun = now_us(), j->limit = a[1].v ? j->begun / 1000 + a[1].v : 0;
        j->left = (unsigned long long)a[2].v, j->more = strchr(a[3].s, 'm'), buf_add(&j->input, a[4].s, a[4].n);
        if (j->in >= 0) feed(j);
    }
    for (int i = 0; i < 3; i++) close_kept(&theirs[i]);
    return close_kept(&sync[1]), false;
}
/* `input ID FLAGS BYTES`, after `took`; `m`: there is more. `signal ID NUMBER`; 0: all of it ends. `end`. */
static bool request(struct walk *w, const struct frame *f) {
    const struct record *r = f->r; const char *name = r->f[0].p; struct arg a[4]; struct job *j = r->n > 1 ? find(r->f[1].p) : NULL;
    if (!strcmp(name, "end")) _exit(0);
    if (!strcmp(name, "exec")) return begin(w, f);
    if (!strcmp(name, "input") && r->n == 4 && !record_args(r, "ssb", a)) {
        if (!j || j->in < 0) return false; /* it has ended meanwhile */
        j->more = strchr(a[1].s, 'm'), buf_add(&j->input, a[2].s, a[2].n), feed(j);
    } else if (!strcmp(name, "signal") && r->n == 3 && !record_args(r, "sd", a)) {
        if (j && j->pid > 0 && a[1].v) kill(j->pid, (int)a[1].v);
        else if (j) j->stopped = true, stop(j);
    } else _exit(FAIL);
    return false;
}
/* Whole frames of what has come. True in a command's process. */
static bool requests(struct walk *w) {
    size_t at = 0; uint32_t n; struct frame f;
    for (; incoming.n - at >= 8; at += 8 + n) {
        memcpy(&n, incoming.p + at + 4, 4);
        if (memcmp(incoming.p + at, "TSBX", 4) || n > FRAME_MAX) _exit(FAIL);
        if (incoming.n - at - 8 < n) break;
        if (frame_decode(incoming.p + at + 8, n, &f) || !f.n) _exit(FAIL);
        if (request(w, &f)) return true;
        free(f.r);
    }
    memmove(incoming.p, incoming.p + at, incoming.n -= at);
    if (!incoming.n && incoming.cap > 1 << 20) free(incoming.p), incoming = (struct buf){0};
    return false;
}
static bool receive(struct walk *w) {
    buf_room(&incoming, 1 << 16); ssize_t n = recv(CHANNEL, incoming.p + incoming.n, 1 << 16, MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) return false;
    if (n <= 0) _exit(0); /* nobody is there any more: the container ends */
    return incoming.n += (size_t)n, requests(w);
}
static void transmit(void) {
    ssize_t n = outgoing.n ? send(CHANNEL, outgoing.p, outgoing.n, MSG_DONTWAIT | MSG_NOSIGNAL) : 0;
    if (n < 0 && errno != EAGAIN && errno != EINTR) _exit(0);
    if (n > 0) memmove(outgoing.p, outgoing.p + n, outgoing.n -= (size_t)n);
    if (!outgoing.n && outgoing.cap > 1 << 20) free(outgoing.p), outgoing = (struct buf){0};
}
static void turn(int signals) {
    bool room = outgoing.n < QUEUE; struct signalfd_siginfo i; struct pollfd *p = polled + 2;
    polled[0] = (struct pollfd){CHANNEL, (short)(POLLIN | (outgoing.n ? POLLOUT : 0)), 0}, polled[1] = (struct pollfd){signals, POLLIN, 0};
    for (EACH(j)) {
        *p++ = (struct pollfd){j->at < j->input.n ? j->in : -1, POLLOUT, 0}, *p++ = (struct pollfd){j->sync, POLLIN, 0};
        for (int k = 0; k < 2; k++) *p++ = (struct pollfd){room ? j->out[k] : -1, POLLIN, 0};
    }
    if (poll(polled, 2 + 4 * JOBS, limits()) < 0) return (void)(polled[0].revents = 0);
    if (polled[1].revents && read(signals, &i, sizeof i) > 0)
        for (pid_t dead; (dead = waitpid(-1, NULL, WNOHANG)) > 0;) for (EACH(j)) if (j->pid == dead) j->pid = 0;
    p = polled + 2;
    for (EACH(j)) {
        if (j->id && p[0].revents) feed(j);
        for (int k = 0; k < 2; k++) if (p[2 + k].revents && j->out[k] >= 0) read_out(j, k);
        if (j->id && p[1].revents) on_sync(j);
        p += 4;
    }
}
/* Ends only with the container; returns in each command's process, which walks on: what follows in the plan is theirs. */
OP(serve) {
    sigset_t all; sigfillset(&all); sigprocmask(SIG_SETMASK, &all, NULL);
    int signals = signalfd(-1, &(sigset_t){{1UL << (SIGCHLD - 1)}}, SFD_CLOEXEC | SFD_NONBLOCK);
    for (EACH(j)) *j = (struct job){.in = -1, .out = {-1, -1}, .sync = -1};
    if (signals < 0 || !send_packet(w->sync, 'X', NULL, 0, -1)) return -1;
    drop(&w->sync), title("sandbox", w->id);
    for (;;) {
        turn(signals);
        if (polled[0].revents && receive(w)) return 0;
        transmit();
    }
}
