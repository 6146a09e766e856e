/* Descriptors, packets, signals, sockets, and the name in `ps`. */
#include "helper.h"
#include <sys/un.h>
void close_kept(int *fd) {
    int e = errno;
    if (*fd >= 0) close(*fd);
    errno = e;
}
/* /dev/null if that is what it is: a host whose /dev/null is a file must not hand that file to containers. */
int open_null(void) {
    struct stat st; int fd = open("/dev/null", O_RDWR | O_CLOEXEC | O_NOCTTY);
    if (fd >= 0 && fstat(fd, &st) == 0 && S_ISCHR(st.st_mode) && st.st_rdev == makedev(1, 3)) return fd;
    return close(fd), fail(ENODEV);
}
/* close_range(2): closes, or with CLOSE_CLOEXEC lets exec close. */
void close_range_of(unsigned first, unsigned last, int flags) {
    struct rlimit lim;
    if (first > last || newcall(NR_CLOSE_RANGE, first, last, flags) == 0 || getrlimit(RLIMIT_NOFILE, &lim)) return;
    for (unsigned fd = first; fd <= last && fd < lim.rlim_cur && fd < 65536; fd++)
        (void)!(flags ? fcntl((int)fd, F_SETFD, FD_CLOEXEC) : close((int)fd));
}
/* Makes descriptors 0…n-1 copies of want[] (-1: closed) and moves *sync out of their way. */
void place(int n, const int *want, int *sync) {
    int high[8];
    for (int i = 0; i < n; i++) high[i] = want[i] < 0 ? -1 : fcntl(want[i], F_DUPFD_CLOEXEC, 32);
    *sync = fcntl(*sync, F_DUPFD_CLOEXEC, 32);
    for (int i = 0; i < n; i++) if (high[i] < 0 || dup2(high[i], i) < 0 || close(high[i])) close(i);
}
int socket_pair(int pair[2]) { return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair); }
/* One packet, with a descriptor if pass >= 0. Waits for room. */
bool send_packet(int fd, char type, const void *p, size_t n, int pass) {
    char control[CMSG_SPACE(sizeof pass)] = {0};
    struct iovec v[2] = {{&type, 1}, {(void *)(uintptr_t)p, n}};
    struct msghdr m = {.msg_iov = v, .msg_iovlen = 2, .msg_control = control, .msg_controllen = sizeof control};
    *CMSG_FIRSTHDR(&m) = (struct cmsghdr){.cmsg_len = CMSG_LEN(sizeof pass), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
    memcpy(CMSG_DATA(CMSG_FIRSTHDR(&m)), &pass, sizeof pass);
    if (pass < 0) m.msg_control = NULL, m.msg_controllen = 0;
    return sendmsg(fd, &m, MSG_NOSIGNAL) >= 0;
}
ssize_t recv_packet(int fd, void *p, size_t n, int *passed) {
    char control[CMSG_SPACE(sizeof(int))];
    struct msghdr m = {.msg_iov = &(struct iovec){p, n}, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    ssize_t got = recvmsg(fd, &m, MSG_CMSG_CLOEXEC); struct cmsghdr *c = got >= 0 ? CMSG_FIRSTHDR(&m) : NULL;
    *passed = c && c->cmsg_type == SCM_RIGHTS ? *(int *)(void *)CMSG_DATA(c) : -1;
    return got;
}
/* SIGPIPE ignored by a service manager, or signals that we block, would be inherited by what is executed. */
void signals_default(void) {
    for (int s = 1; s < 65; s++) signal(s, SIG_DFL);
    sigprocmask(SIG_SETMASK, &(sigset_t){0}, NULL);
}
/* A signalfd for the signals of a 0-terminated list, which are blocked. */
int signals_block(const int *list) {
    sigset_t set = {0}; for (; *list; list++) sigaddset(&set, *list);
    sigprocmask(SIG_SETMASK, &set, NULL); return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}
static char *title_area; static size_t title_room;
void title_init(int argc, char **argv) {
    title_area = argv[0];
    for (int i = 0; i < argc && argv[i] == title_area + title_room; i++) title_room += strlen(argv[i]) + 1;
}
void title(const char *role, const char *id) {
    strncpy(title_area, text("tsbox: %s %s", role, id ? id : ""), title_room - 1); prctl(PR_SET_NAME, "tsbox");
}
/* Binds (0600) or connects through a descriptor of the directory, since sun_path holds 107 bytes only. */
int unix_socket(const char *path, bool server) {
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    const char *name; AUTO dir = beneath_parent(AT_FDCWD, path, 0, &name);
    if (dir < 0) return -1;
    size_t n = (size_t)snprintf(a.sun_path, sizeof a.sun_path, "/proc/self/fd/%d/%s", dir, name);
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | (server ? SOCK_NONBLOCK : 0), 0);
    mode_t old = umask(0177); if (server) unlinkat(dir, name, 0);
    bool bad = fd < 0 || n >= sizeof a.sun_path || (!server && connect(fd, (void *)&a, sizeof a)) ||
               (server && (bind(fd, (void *)&a, sizeof a) || listen(fd, 16)));
    umask(old); if (bad) close_kept(&fd);
    return bad ? -1 : fd;
}
