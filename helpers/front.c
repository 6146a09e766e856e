/*
 * The user's side: his terminal or pipes on one hand, a session socket on the other. His descriptors are shared with his shell,
 * so O_NONBLOCK is never set on them: they are asked first (poll) and then written to in pieces that cannot block.
 */
#include "helper.h"

#include <poll.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <termios.h>

#define KEYS_MAX 16

struct front {
    int session, signals, pipe;
    bool in, tty, go, raw, credit; /* credit: the last stdin packet has been taken */
    struct termios saved;
    char keys[KEYS_MAX], held[KEYS_MAX];
    size_t nkeys, nheld;
    char packet[PACKET + 1];
    size_t at, n;                  /* of packet: output that is still to be written */
    int direct[3];                 /* files of our own on the same pipes, non-blocking; -1 */
};

static struct front front;

static _Noreturn void leave(struct front *f, int status)
{
    signal(SIGTTOU, SIG_IGN); /* restoring from the background must not stop us */
    if (f->raw)
        tcsetattr(0, TCSADRAIN, &f->saved);
    _exit(status);
}

static void send_size(struct front *f)
{
    struct winsize size;
    for (int fd = 0; fd < 3; fd++) {
        if (ioctl(fd, TIOCGWINSZ, &size))
            continue;
        unsigned char p[4] = { (unsigned char)size.ws_row, (unsigned char)(size.ws_row >> 8), (unsigned char)size.ws_col,
                               (unsigned char)(size.ws_col >> 8) };
        send_packet(f->session, 'w', p, 4, -1);
        return;
    }
}

static void enter_raw(struct front *f)
{
    struct termios raw;
    if (!f->tty || !f->in || !isatty(0))
        return;
    if (!f->raw && tcgetattr(0, &f->saved))
        return;
    raw = f->saved;
    cfmakeraw(&raw);
    f->raw = tcsetattr(0, TCSADRAIN, &raw) == 0 || f->raw;
}

/* Moves what cannot be the beginning of the detach keys from `in` to `out`; true when they are complete. */
static bool filter_keys(struct front *f, const char *in, size_t n, char *out, size_t *used)
{
    *used = 0;
    for (size_t i = 0; i < n; i++) {
        f->held[f->nheld++] = in[i];
        while (f->nheld && memcmp(f->held, f->keys, f->nheld)) {
            out[(*used)++] = f->held[0];
            memmove(f->held, f->held + 1, --f->nheld);
        }
        if (f->nheld == f->nkeys)
            return true;
    }
    return false;
}

static void detach(struct front *f)
{
    struct buf b = { 0 };
    event(&b, "detached", NULL);
    write_all(CHANNEL, b.p, b.n);
    leave(f, 0);
}

static void on_stdin(struct front *f)
{
    char in[PACKET - KEYS_MAX], out[PACKET];
    ssize_t n = read(0, in, sizeof in);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0) {
        f->in = false;
        send_packet(f->session, 'e', NULL, 0, -1);
        return;
    }
    bool keys = f->raw && f->nkeys;
    size_t put = (size_t)n;
    bool away = keys && filter_keys(f, in, (size_t)n, out, &put);
    if (put > 0)
        f->credit = !send_packet(f->session, 'i', keys ? out : in, put, -1);
    if (away) /* what was typed before the keys has been sent */
        detach(f);
}

/* A pipe can be opened again through /proc: that file is ours alone and may be non-blocking. */
static int open_direct(int fd)
{
    struct stat st;
    return fstat(fd, &st) || !S_ISFIFO(st.st_mode) ? -1 : open(fdpath(fd), O_WRONLY | O_NONBLOCK | O_CLOEXEC);
}

/* Writes some of the packet. Its reader may be gone: then we end as SIGPIPE would have it; the container goes on. */
static void on_output(struct front *f)
{
    int fd = f->packet[0] == 'r' ? 2 : 1;
    const char *p = f->packet + f->at;
    size_t n = f->n - f->at, little = n > 4096 ? 4096 : n; /* PIPE_BUF: what poll has promised */
    struct stat st;
    ssize_t put = f->direct[fd] >= 0 ? write(f->direct[fd], p, n) : send(fd, p, n, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (put < 0 && errno == ENOTSOCK)
        put = write(fd, p, fstat(fd, &st) == 0 && S_ISREG(st.st_mode) ? n : little);
    if (put < 0 && errno == EPIPE)
        leave(f, 128 + SIGPIPE);
    if (put < 0 && errno != EAGAIN && errno != EINTR)
        put = (ssize_t)n; /* a full disk, a closed descriptor: it can go nowhere */
    if (put > 0)
        f->at += (size_t)put;
}

static void on_session(struct front *f)
{
    ssize_t n = recv(f->session, f->packet, sizeof f->packet, 0);
    if (n < 0 && errno == EINTR)
        return;
    if (n <= 0)
        leave(f, FAIL);
    f->n = f->at = 0;
    if (f->packet[0] == 'o' || f->packet[0] == 'r')
        f->at = 1, f->n = (size_t)n;
    if (f->packet[0] == 'x')
        leave(f, (unsigned char)f->packet[1]);
    if (f->packet[0] == 'a')
        f->credit = true;
    if (f->packet[0] == 'g') {
        f->go = true;
        f->tty = f->packet[1];
        if (f->tty)
            send_size(f);
        enter_raw(f);
    }
}

/* INT, QUIT … come to the TypeScript parent too, and it forwards them: only where there is none we must end ourselves. */
static void on_signals(struct front *f)
{
    struct signalfd_siginfo i;
    while (read(f->signals, &i, sizeof i) == sizeof i) {
        if (i.ssi_signo == SIGCONT && f->raw)
            enter_raw(f);
        if ((i.ssi_signo == SIGWINCH || i.ssi_signo == SIGCONT) && f->tty)
            send_size(f);
        if (f->pipe < 0 && (i.ssi_signo == SIGTERM || i.ssi_signo == SIGHUP))
            leave(f, 128 + (int)i.ssi_signo);
    }
}

static void on_pipe(struct front *f)
{
    char p[64];
    ssize_t n = read(f->pipe, p, sizeof p);
    for (ssize_t i = 0; i < n; i++)
        send_packet(f->session, 's', p + i, 1, -1);
    if (n == 0)
        leave(f, 128 + SIGHUP);
}

int front_run(int session, const char *streams, const char *keys, size_t nkeys)
{
    static const int signals[] = { SIGWINCH, SIGCONT, SIGINT, SIGQUIT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2, SIGPIPE, 0 };
    struct front *f = &front;
    f->session = session;
    f->credit = true;
    f->in = strchr(streams, 'i') != NULL;
    f->nkeys = keys && nkeys <= KEYS_MAX ? nkeys : 0;
    if (f->nkeys)
        memcpy(f->keys, keys, f->nkeys);
    f->pipe = fcntl(SIGNAL_PIPE, F_GETFD) >= 0 ? SIGNAL_PIPE : -1;
    f->signals = signals_block(signals);
    f->direct[1] = open_direct(1);
    f->direct[2] = open_direct(2);
    send_packet(session, 'h', streams, strlen(streams), -1);
    for (;;) {
        int out = f->at < f->n ? (f->packet[0] == 'r' ? 2 : 1) : -1;
        struct pollfd p[] = { { out < 0 ? session : -1, POLLIN, 0 }, { out, POLLOUT, 0 },
                              { f->in && f->go && f->credit ? 0 : -1, POLLIN, 0 },
                              { f->signals, POLLIN, 0 }, { f->pipe, POLLIN, 0 } };
        if (poll(p, 5, -1) < 0)
            continue;
        if (p[3].revents)
            on_signals(f);
        if (p[4].revents)
            on_pipe(f);
        if (p[1].revents)
            on_output(f);
        if (p[0].revents)
            on_session(f);
        if (p[2].revents)
            on_stdin(f);
    }
}

static int nibble(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* ID SOCKET STREAMS [DETACHKEYS-HEX] */
int attach(char **argv)
{
    char keys[KEYS_MAX];
    size_t n = 0;
    for (const char *p = argv[5]; p && p[0] && p[1] && n < KEYS_MAX; p += 2) {
        if (nibble(p[0]) < 0 || nibble(p[1]) < 0)
            return FAIL;
        keys[n++] = (char)(nibble(p[0]) << 4 | nibble(p[1]));
    }
    int fd = unix_socket(argv[3], false);
    return fd < 0 ? FAIL : front_run(fd, argv[4], keys, n);
}
