/* Descriptors, signals, sockets, and the name in `ps`. */
#include "helper.h"

#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/sysmacros.h>
#include <sys/un.h>

char *fdpath(int fd)
{
    static char ring[4][32];
    static unsigned turn;
    char *p = ring[turn++ % 4];
    return strcat(strcpy(p, "/proc/self/fd/"), num((unsigned)fd));
}

/* /dev/null if that is what it is: a host whose /dev/null is a file must not hand that file to containers. */
int open_null(void)
{
    struct stat st;
    int fd = open("/dev/null", O_RDWR | O_CLOEXEC | O_NOCTTY);
    if (fd < 0 || fstat(fd, &st) || !S_ISCHR(st.st_mode) || st.st_rdev != makedev(1, 3)) {
        if (fd >= 0)
            close(fd);
        errno = ENODEV;
        return -1;
    }
    return fd;
}

static void close_range_(unsigned first, unsigned last)
{
    if (newcall(NR_CLOSE_RANGE, first, last, 0) == 0)
        return;
    struct rlimit lim = { 1024, 1024 };
    getrlimit(RLIMIT_NOFILE, &lim);
    unsigned top = lim.rlim_cur > 65536 ? 65536 : (unsigned)lim.rlim_cur;
    for (unsigned fd = first; fd <= last && fd < top; fd++)
        close((int)fd);
}

void close_others(unsigned from, const int *keep, int n)
{
    for (;;) {
        unsigned next = ~0u;
        for (int i = 0; i < n; i++)
            if (keep[i] >= 0 && (unsigned)keep[i] >= from && (unsigned)keep[i] < next)
                next = (unsigned)keep[i];
        if (next > from)
            close_range_(from, next - (next != ~0u));
        if (next == ~0u)
            return;
        from = next + 1;
    }
}

void cloexec_from(unsigned first)
{
    if (newcall(NR_CLOSE_RANGE, first, ~0u, CLOSE_CLOEXEC) == 0)
        return;
    struct rlimit lim = { 1024, 1024 };
    getrlimit(RLIMIT_NOFILE, &lim);
    for (int fd = (int)first; fd < (int)(lim.rlim_cur > 65536 ? 65536 : lim.rlim_cur); fd++)
        fcntl(fd, F_SETFD, FD_CLOEXEC);
}

/* Makes descriptors 0…n-1 copies of want[] (-1: closed) and moves *sync out of their way. */
void place(int n, const int *want, int *sync)
{
    int high[8];
    for (int i = 0; i < n; i++)
        high[i] = want[i] < 0 ? -1 : fcntl(want[i], F_DUPFD_CLOEXEC, 32);
    *sync = fcntl(*sync, F_DUPFD_CLOEXEC, 32);
    for (int i = 0; i < n; i++) {
        if (high[i] < 0)
            close(i);
        else
            dup2(high[i], i);
        if (high[i] >= 0)
            close(high[i]);
    }
}

/* One packet, with a descriptor if pass >= 0. Waits for room. */
bool send_packet(int fd, char type, const void *p, size_t n, int pass)
{
    char control[CMSG_SPACE(sizeof(int))] = { 0 };
    struct iovec v[2] = { { &type, 1 }, { (void *)(uintptr_t)p, n } };
    struct msghdr m = { .msg_iov = v, .msg_iovlen = 2 };
    if (pass >= 0) {
        m.msg_control = control;
        m.msg_controllen = sizeof control;
        struct cmsghdr *c = CMSG_FIRSTHDR(&m);
        *c = (struct cmsghdr){ .cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS };
        memcpy(CMSG_DATA(c), &pass, sizeof pass);
    }
    return sendmsg(fd, &m, MSG_NOSIGNAL) >= 0;
}

ssize_t recv_packet(int fd, void *p, size_t n, int *passed)
{
    char control[CMSG_SPACE(sizeof(int))];
    struct iovec v = { p, n };
    struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control };
    ssize_t got = recvmsg(fd, &m, MSG_CMSG_CLOEXEC);
    *passed = -1;
    if (got >= 0)
        for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c))
            if (c->cmsg_type == SCM_RIGHTS)
                memcpy(passed, CMSG_DATA(c), sizeof(int));
    return got;
}

/* Waits until fd can be read; false when `other`, the socket to our parent, is dead. */
bool poll_in(int fd, int other)
{
    struct pollfd p[2] = { { fd, POLLIN, 0 }, { other, 0, 0 } };
    while (poll(p, 2, -1) < 0 && errno == EINTR)
        ;
    return p[1].revents == 0;
}

/* SIGPIPE ignored by a service manager, or signals blocked by us, would be inherited by what is executed. */
void signals_default(void)
{
    sigset_t none;
    for (int s = 1; s < 65; s++)
        signal(s, SIG_DFL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

/* A signalfd for the signals of a 0-terminated list, which are blocked. */
int signals_block(const int *list)
{
    sigset_t set;
    sigemptyset(&set);
    for (; *list; list++)
        sigaddset(&set, *list);
    sigprocmask(SIG_SETMASK, &set, NULL);
    return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static char *title_area;
static size_t title_room;

void title_init(int argc, char **argv)
{
    title_area = argv[0];
    for (int i = 0; i < argc && argv[i] == title_area + title_room; i++)
        title_room += strlen(argv[i]) + 1;
}

void title(const char *role, const char *id)
{
    struct buf b = { 0 };
    buf_str(&b, "tsbox: ");
    buf_str(&b, role);
    buf_str(&b, " ");
    buf_str(&b, id ? id : "");
    memset(title_area, 0, title_room);
    memcpy(title_area, b.p, b.n < title_room ? b.n : title_room - 1);
    free(b.p);
    prctl(PR_SET_NAME, "tsbox");
}

/* Binds (0600) or connects through a descriptor of the directory, since sun_path holds 107 bytes only. */
int unix_socket(const char *path, bool server)
{
    struct sockaddr_un a = { .sun_family = AF_UNIX };
    const char *name;
    int dir = beneath_parent(AT_FDCWD, path, NULL, &name);
    if (dir < 0)
        return -1;
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | (server ? SOCK_NONBLOCK : 0), 0), bad = fd < 0;
    if (strlen(name) > 64) {
        errno = ENAMETOOLONG;
        bad = 1;
    }
    if (!bad) {
        strcat(strcat(strcpy(a.sun_path, fdpath(dir)), "/"), name);
        mode_t old = umask(0177);
        if (server)
            unlinkat(dir, name, 0);
        bad = server ? bind(fd, (void *)&a, sizeof a) || listen(fd, 16) : connect(fd, (void *)&a, sizeof a);
        umask(old);
    }
    int e = errno;
    close(dir);
    if (bad && fd >= 0)
        close(fd);
    errno = e;
    return bad ? -1 : fd;
}
