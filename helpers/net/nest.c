/* How a container gets its place: a user namespace inside another, whose network namespace it is joined to, or the one of another container. */
#include "net.h"
#include <sys/file.h>
#include <sys/un.h>
static int connect_to(const char *path) { return unix_socket(path, false); }
/* The holder: detached from who starts it, in a user namespace with the maps of `start`. The socket listens before it is there. */
static void start_holder(const struct request *q, const char *start, size_t n) {
    int listener = unix_socket(q->holder[1].s, true), p[2]; pid_t pid = listener < 0 ? -1 : fork();
    if (pid) { close_kept(&listener); if (pid > 0) waitpid(pid, NULL, 0); return; }
    setsid(); if (fork()) _exit(0);
    static struct request s; const char *step; char *said = "", go = 0; int lock, none = -1;
    place(4, (int[]){open_null(), open_null(), open_null(), listener}, &none); close_range_of(4, ~0u, 0); (void)!chdir("/"); signals_default();
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, p) || !write_all(p[0], start, n) || request_read(p[1], &s, &step)) _exit(FAIL);
    if ((lock = open(q->holder[0].s, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600)) < 0) _exit(FAIL);
    pid = fork();
    if (pid > 0) {
        bool ok = recv(p[0], &go, 1, 0) == 1 && go == 'u' && !(step = map_ids(&s, pid, &said));
        if (ok) _exit(write(p[0], "m", 1) != 1 || read(p[0], &go, 1) != 1); /* until it is no longer tied to us */
        int fd = accept(CHANNEL, NULL, NULL); const char *why = go == 'u' ? text("%s%s", step, said) : text("user namespace: %s", strerror(EPERM));
        if (fd >= 0) send_packet(fd, 'F', why, strlen(why), -1);
        kill(pid, SIGKILL); _exit(FAIL);
    }
    close(p[0]); tie_to_parent(); title("network", s.id->s);
    if (unshare(CLONE_NEWUSER) || write(p[1], "u", 1) != 1 || read(p[1], &go, 1) != 1) _exit(FAIL);
    become_root(); prctl(PR_SET_PDEATHSIG, 0); prctl(PR_SET_DUMPABLE, 1, 0, 0, 0); (void)!write(p[1], "d", 1); close(p[1]); fcntl(CHANNEL, F_SETFD, FD_CLOEXEC); hold(CHANNEL, lock, q->holder[1].s);
}
/* Connects, with a holder made if there is none. Returns the connection; *user is its user namespace. */
int holder_open(const struct request *q, int *user, char **said) {
    char p[1024]; int lock = open(q->holder[0].s, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (lock < 0 || flock(lock, LOCK_EX)) return -1;
    int fd = connect_to(q->holder[1].s);
    if (fd < 0) start_holder(q, q->holder[2].s, q->holder[2].n), fd = connect_to(q->holder[1].s);
    close_kept(&lock);
    if (fd < 0) return -1;
    ssize_t n = recv_packet(fd, p, sizeof p - 1, user); p[n > 0 ? n : 0] = 0;
    if (n > 0 && p[0] == 'u' && *user >= 0) return fd;
    *said = n > 0 ? text("\n%s", p + 1) : "\nits process ended at once";
    return close(fd), fail(EPERM);
}
/* Asks for what the header says, for the network namespace of `pid`. The answer comes later. */
int holder_ask(const struct request *q, int fd, pid_t pid) {
    AUTO ns = pid > 0 ? open(text("/proc/%d/ns/net", pid), O_RDONLY | O_CLOEXEC) : -1;
    if (pid > 0 && ns < 0) return -1;
    return send_packet(fd, 'a', q->holder[3].s, q->holder[3].n, ns) ? 0 : -1;
}
/* True once it is known. Tells TypeScript, as of a service. */
bool holder_said(int *fd, bool started) {
    static char p[PACKET + 1]; int none; ssize_t n = recv_packet(*fd, p, sizeof p - 1, &none);
    p[n > 0 ? n : 0] = 0; close_kept(&none);
    if (n > 0 && p[0] == 'k') SAY("service", "network", "ready");
    else if (!started) SAY("service", "network", "exited", "1", n > 0 ? p + 1 : "the process that holds the networks was killed");
    if (n <= 0) close_kept(fd), *fd = -1;
    return n > 0;
}
/* As clone_with and map_ids, begun in another user namespace (`user`, or the target's, with those of its namespaces that it shares): a process goes
 * there first; the child that it makes is ours. Returns 0 in the child; else its pid, or -1 with *step. */
pid_t clone_inside(const struct request *q, int user, const char **step, char **said) {
    struct { pid_t pid; int error; char text[256]; } result = {-1, ESRCH, "clone"}; int p[2];
    if (pipe2(p, O_CLOEXEC)) return -1;
    pid_t between = fork();
    if (between == 0) {
        char *words = ""; const char *failed = NULL;
        if (user >= 0 ? setns(user, CLONE_NEWUSER) : guest_enter(q)) failed = "target";
        become_root(); prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
        if (!failed && (result.pid = clone_with((uint64_t)q->clone->v, true)) < 0) failed = "clone";
        if (result.pid == 0) return close(p[0]), close(p[1]), 0;
        result.error = errno; if (!failed) failed = map_ids(q, result.pid, &words), result.error = errno;
        if (failed && result.pid > 0) kill(result.pid, SIGKILL), result.pid = -1;
        snprintf(result.text, sizeof result.text, "%s%s", failed ? failed : "", words);
        _exit(write(p[1], &result, sizeof result) != sizeof result);
    }
    close(p[1]); (void)!read(p[0], &result, sizeof result); close(p[0]); waitpid(between, NULL, 0);
    char *line = strchr(result.text, '\n'); *said = line ? text("%s", line) : ""; if (line) *line = 0;
    return *step = text("%s", result.text), errno = result.error, result.pid;
}
/* tsbox: network ID: one request to the holder of a store that is there, told in the header; for `connect` and `disconnect`. */
int net_ask(void) {
    static struct request q; const char *step; char *said = ""; int user, e = request_read(CHANNEL, &q, &step);
    int fd = e || !q.holder[3].s ? -1 : holder_open(&q, &user, &said);
    if (fd < 0 || holder_ask(&q, fd, 0)) { SAY("failed", "header", "0", text("%d", e ? e : errno), text("network%s", said)); return FAIL; }
    return holder_said(&fd, false) ? 0 : FAIL;
}
