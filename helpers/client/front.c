/* The user's side: his terminal or pipes on one hand, a session socket on the other. His descriptors are shared with his
 * shell, so O_NONBLOCK is never set on them: they are asked first (poll) and written to in pieces that cannot block. */
#include "helper.h"
enum { KEYS = 16 };
int signal_pipe;
static bool late; /* `attach`: nobody else says how it ended */
static struct front {
    int session, signals, pipe, direct[3]; /* direct: non-blocking files of our own on the same pipes; -1 */
    bool in, tty, go, raw, credit;         /* go: the session has taken us; credit: the last stdin packet has been taken */
    struct termios saved; const char *keys;
    size_t nkeys, at, n;                   /* at…n of packet: output that is still to be written */
    char packet[PACKET + 1];
} F;
static _Noreturn void leave(int status) {
    signal(SIGTTOU, SIG_IGN); /* restoring from the background must not stop us */
    if (F.raw) tcsetattr(0, TCSADRAIN, &F.saved);
    if (F.pipe >= 0) send(F.pipe, &(char){(char)status}, 1, MSG_DONTWAIT | MSG_NOSIGNAL); /* for who is not our parent */
    _exit(status);
}
static void send_size(void) {
    struct winsize z;
    if (!F.tty || (ioctl(0, TIOCGWINSZ, &z) && ioctl(1, TIOCGWINSZ, &z) && ioctl(2, TIOCGWINSZ, &z))) return;
    char p[4] = {(char)z.ws_row, (char)(z.ws_row >> 8), (char)z.ws_col, (char)(z.ws_col >> 8)};
    send_packet(F.session, 'w', p, 4, -1);
}
static void enter_raw(void) {
    if (!F.tty || !F.in || (!F.raw && tcgetattr(0, &F.saved))) return;
    struct termios raw = F.saved; cfmakeraw(&raw);
    if (tcsetattr(0, TCSADRAIN, &raw) == 0) F.raw = true;
}
/* Copies what cannot be the beginning of the detach keys; the rest is held back. True when they are complete. */
bool filter_keys(const char *keys, size_t nkeys, const char *in, size_t n, char *out, size_t *used) {
    static char held[KEYS]; static size_t nheld;
    *used = 0;
    for (size_t i = 0; i < n; i++) {
        held[nheld++] = in[i];
        for (; nheld && memcmp(held, keys, nheld); memmove(held, held + 1, --nheld)) out[(*used)++] = held[0];
        if (nheld == nkeys) return nheld = 0, true;
    }
    return false;
}
static void on_stdin(void) {
    char in[PACKET - KEYS], out[PACKET]; ssize_t n = read(0, in, sizeof in);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (n <= 0) return (void)(F.in = !send_packet(F.session, 'e', NULL, 0, -1));
    size_t put = (size_t)n;
    bool keys = F.raw && F.nkeys, away = keys && filter_keys(F.keys, F.nkeys, in, put, out, &put);
    if (put > 0) F.credit = !send_packet(F.session, 'i', keys ? out : in, put, -1);
    if (away) { SAY("detached"); leave(0); }
}
/* A pipe can be opened again through /proc: that file is ours alone and may be non-blocking. */
static int open_direct(int fd) {
    struct stat st;
    return fstat(fd, &st) || !S_ISFIFO(st.st_mode) ? -1 : open(FDPATH(fd), O_WRONLY | O_NONBLOCK | O_CLOEXEC);
}
/* Writes some of the packet. Its reader may be gone: then we end as SIGPIPE would have it; the container goes on. */
static void on_output(int fd) {
    const char *p = F.packet + F.at; size_t n = F.n - F.at; struct stat st;
    ssize_t put = F.direct[fd] >= 0 ? write(F.direct[fd], p, n) : send(fd, p, n, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (put < 0 && errno == ENOTSOCK) /* PIPE_BUF is what poll has promised */
        put = write(fd, p, n <= 4096 || (fstat(fd, &st) == 0 && S_ISREG(st.st_mode)) ? n : 4096);
    if (put < 0 && errno == EPIPE) leave(128 + SIGPIPE);
    if (put < 0 && errno != EAGAIN && errno != EINTR) put = (ssize_t)n; /* a full disk: it can go nowhere */
    if (put > 0) F.at += (size_t)put;
}
static void on_session(void) {
    ssize_t n = recv(F.session, F.packet, sizeof F.packet, 0);
    if (n < 0 && (errno == EINTR || errno == ECONNRESET)) return; /* reset: said once, what was sent before is still there */
    if (n <= 0 && late) { SAY(F.go ? "vanished" : "nobody"); }
    if (n <= 0) leave(FAIL);
    char type = F.packet[0];
    F.at = 1, F.n = type == 'o' || type == 'r' ? (size_t)n : 0;
    if (type == 'x') leave((unsigned char)F.packet[1]);
    if (type == 'a') F.credit = true;
    if (type == 'g') F.go = true, F.tty = F.packet[1], send_size(), enter_raw();
}
/* INT, QUIT … come to the TypeScript parent too, and it forwards them: only where there is none we must end ourselves. */
static void on_signals(void) {
    for (struct signalfd_siginfo i; read(F.signals, &i, sizeof i) == sizeof i;) {
        int s = (int)i.ssi_signo;
        if (s == SIGCONT && F.raw) enter_raw();
        if (s == SIGWINCH || s == SIGCONT) send_size();
        if (F.pipe < 0 && (s == SIGTERM || s == SIGHUP)) leave(128 + s);
    }
}
static void on_pipe(void) {
    char p; ssize_t n = read(F.pipe, &p, 1);
    if (n == 0) leave(128 + SIGHUP);
    if (n == 1) send_packet(F.session, 's', &p, 1, -1);
}
int front_run(int session, const char *streams, const char *keys, size_t nkeys) {
    static const int signals[] = {SIGWINCH, SIGCONT, SIGINT, SIGQUIT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2, SIGPIPE, 0};
    F = (struct front){.session = session, .credit = true, .in = strchr(streams, 'i'), .signals = signals_block(signals),
                       .keys = keys, .nkeys = nkeys <= KEYS ? nkeys : 0, .direct = {-1, open_direct(1), open_direct(2)},
                       .pipe = signal_pipe};
    send_packet(session, 'h', streams, strlen(streams), -1);
    for (;;) {
        int out = F.at >= F.n ? -1 : F.packet[0] == 'r' ? 2 : 1;
        struct pollfd p[] = {{out < 0 ? session : -1, POLLIN, 0}, {out, POLLOUT, 0}, {F.signals, POLLIN, 0},
                             {F.pipe, POLLIN, 0}, {F.in && F.go && F.credit ? 0 : -1, POLLIN, 0}};
        if (poll(p, 5, -1) < 0) continue;
        if (p[2].revents) on_signals();
        if (p[3].revents) on_pipe();
        if (p[1].revents) on_output(out);
        if (p[0].revents) on_session();
        if (p[4].revents) on_stdin();
    }
}
/* ID SOCKET STREAMS [DETACHKEYS-HEX] */
int attach(char **argv) {
    static char keys[KEYS]; size_t n = 0;
    for (char *p = argv[5]; p && p[0] && p[1] && n < KEYS; p += 2) keys[n++] = (char)strtol((char[]){p[0], p[1], 0}, NULL, 16);
    int fd = unix_socket(argv[3], false); late = true;
    if (fd < 0) { SAY("nobody"); return FAIL; }
    return front_run(fd, argv[4], keys, n);
}
