/*
 * The user's side: his terminal or pipes on one hand, a session socket on the other. His descriptors are shared with his
 * shell, so O_NONBLOCK is never set on them: they are asked first (poll) and written to in pieces that cannot block.
 */
#include "helper.h"
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <termios.h>

enum { KEYS = 16 };
static struct front {
    int session, signals, pipe;
    bool in, tty, go, raw, credit; /* credit: the last stdin packet has been taken */
    struct termios saved;
    const char *keys;
    size_t nkeys, at, n;           /* at…n of packet: output that is still to be written */
    char packet[PACKET + 1];
    int direct[3];                 /* non-blocking files of our own on the same pipes; -1 */
} front;

static _Noreturn void leave(struct front *f, int status) {
    signal(SIGTTOU, SIG_IGN); /* restoring from the background must not stop us */
    if (f->raw) tcsetattr(0, TCSADRAIN, &f->saved);
    _exit(status);
}

static void send_size(struct front *f) {
    struct winsize z;
    if (!f->tty || (ioctl(0, TIOCGWINSZ, &z) && ioctl(1, TIOCGWINSZ, &z) && ioctl(2, TIOCGWINSZ, &z))) return;
    char p[4] = {(char)z.ws_row, (char)(z.ws_row >> 8), (char)z.ws_col, (char)(z.ws_col >> 8)};
    send_packet(f->session, 'w', p, 4, -1);
}

static void enter_raw(struct front *f) {
    if (!f->tty || !f->in || (!f->raw && tcgetattr(0, &f->saved))) return;
    struct termios raw = f->saved;
    cfmakeraw(&raw);
    if (tcsetattr(0, TCSADRAIN, &raw) == 0) f->raw = true;
}

/* Copies what cannot be the beginning of the detach keys; the rest is held back. True when they are complete. */
bool filter_keys(const char *keys, size_t nkeys, const char *in, size_t n, char *out, size_t *used) {
    static char held[KEYS];
    static size_t nheld;
    *used = 0;
    for (size_t i = 0; i < n; i++) {
        held[nheld++] = in[i];
        for (; nheld && memcmp(held, keys, nheld); memmove(held, held + 1, --nheld)) out[(*used)++] = held[0];
        if (nheld == nkeys) return nheld = 0, true;
    }
    return false;
}

static void on_stdin(struct front *f) {
    char in[PACKET - KEYS], out[PACKET];
    ssize_t n = read(0, in, sizeof in);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (n <= 0) f->in = !send_packet(f->session, 'e', NULL, 0, -1);
    if (n <= 0) return;
    size_t put = (size_t)n;
    bool keys = f->raw && f->nkeys, away = keys && filter_keys(f->keys, f->nkeys, in, put, out, &put);
    if (put > 0) f->credit = !send_packet(f->session, 'i', keys ? out : in, put, -1);
    if (away) SAY("detached");
    if (away) leave(f, 0);
}

/* A pipe can be opened again through /proc: that file is ours alone and may be non-blocking. */
static int open_direct(int fd) {
    struct stat st;
    return fstat(fd, &st) || !S_ISFIFO(st.st_mode) ? -1 : open(FDPATH(fd), O_WRONLY | O_NONBLOCK | O_CLOEXEC);
}

/* Writes some of the packet. Its reader may be gone: then we end as SIGPIPE would have it; the container goes on. */
static void on_output(struct front *f) {
    int fd = f->packet[0] == 'r' ? 2 : 1;
    const char *p = f->packet + f->at;
    size_t n = f->n - f->at;
    struct stat st;
    ssize_t put = f->direct[fd] >= 0 ? write(f->direct[fd], p, n) : send(fd, p, n, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (put < 0 && errno == ENOTSOCK) /* PIPE_BUF is what poll has promised */
        put = write(fd, p, n <= 4096 || (fstat(fd, &st) == 0 && S_ISREG(st.st_mode)) ? n : 4096);
    if (put < 0 && errno == EPIPE) leave(f, 128 + SIGPIPE);
    if (put < 0 && errno != EAGAIN && errno != EINTR) put = (ssize_t)n; /* a full disk: it can go nowhere */
    if (put > 0) f->at += (size_t)put;
}

static void on_session(struct front *f) {
    ssize_t n = recv(f->session, f->packet, sizeof f->packet, 0);
    if (n < 0 && errno == EINTR) return;
    if (n <= 0) leave(f, FAIL);
    bool output = f->packet[0] == 'o' || f->packet[0] == 'r';
    f->at = 1, f->n = output ? (size_t)n : 0;
    if (f->packet[0] == 'x') leave(f, (unsigned char)f->packet[1]);
    if (f->packet[0] == 'a') f->credit = true;
    if (f->packet[0] != 'g') return;
    f->go = true, f->tty = f->packet[1];
    send_size(f);
    enter_raw(f);
}

/* INT, QUIT … come to the TypeScript parent too, and it forwards them: only where there is none we must end ourselves. */
static void on_signals(struct front *f) {
    for (struct signalfd_siginfo i; read(f->signals, &i, sizeof i) == sizeof i;) {
        int s = (int)i.ssi_signo;
        if (s == SIGCONT && f->raw) enter_raw(f);
        if (s == SIGWINCH || s == SIGCONT) send_size(f);
        if (f->pipe < 0 && (s == SIGTERM || s == SIGHUP)) leave(f, 128 + s);
    }
}

static void on_pipe(struct front *f) {
    char p[64];
    ssize_t n = read(f->pipe, p, sizeof p);
    for (ssize_t i = 0; i < n; i++) send_packet(f->session, 's', p + i, 1, -1);
    if (n == 0) leave(f, 128 + SIGHUP);
}

int front_run(int session, const char *streams, const char *keys, size_t nkeys) {
    static const int signals[] = {SIGWINCH, SIGCONT, SIGINT, SIGQUIT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2, SIGPIPE, 0};
    struct front *f = &front;
    *f = (struct front){.session = session, .credit = true, .in = strchr(streams, 'i'), .signals = signals_block(signals),
                        .keys = keys, .nkeys = nkeys <= KEYS ? nkeys : 0, .direct = {-1, open_direct(1), open_direct(2)},
                        .pipe = fcntl(SIGNAL_PIPE, F_GETFD) >= 0 ? SIGNAL_PIPE : -1};
    send_packet(session, 'h', streams, strlen(streams), -1);
    for (;;) {
        int out = f->at >= f->n ? -1 : f->packet[0] == 'r' ? 2 : 1;
        struct pollfd p[] = {{out < 0 ? session : -1, POLLIN, 0}, {out, POLLOUT, 0}, {f->signals, POLLIN, 0},
                             {f->pipe, POLLIN, 0}, {f->in && f->go && f->credit ? 0 : -1, POLLIN, 0}};
        if (poll(p, 5, -1) < 0) continue;
        if (p[2].revents) on_signals(f);
        if (p[3].revents) on_pipe(f);
        if (p[1].revents) on_output(f);
        if (p[0].revents) on_session(f);
        if (p[4].revents) on_stdin(f);
    }
}

/* ID SOCKET STREAMS [DETACHKEYS-HEX] */
int attach(char **argv) {
    static char keys[KEYS];
    size_t n = 0;
    for (const char *p = argv[5]; p && p[0] && p[1] && n < KEYS; p += 2)
        keys[n++] = (char)strtol((char[]){p[0], p[1], 0}, NULL, 16);
    int fd = unix_socket(argv[3], false);
    return fd < 0 ? FAIL : front_run(fd, argv[4], keys, n);
}
