/* tsbox-helper: performs what TypeScript has decided. docs/helper-protocol.md is the manual; the role is argv[1]. */
#include "helper.h"

/* A request: supervise, join, enter. */
static int run(enum role role) {
    static struct request q;
    const char *step;
    int e = request_read(CHANNEL, &q, &step);
    AUTO target = !e && role == JOIN ? open_proc((long)q.target[0].v, (unsigned long long)q.target[1].v) : -1;
    if (!e && role == JOIN && target < 0) e = ESRCH, step = "target";
    if (e) SAY("failed", "header", "0", text("%d", e), step);
    if (e) return FAIL;
    int keep[KEEPS + 1];
    for (int i = 0; i < KEEPS; i++) keep[i] = i < q.nkeep ? q.keep[i] : -1;
    keep[KEEPS] = q.front.s ? SIGNAL_PIPE : -1;
    close_others(CHANNEL + 1, keep, KEEPS + 1);
    target = -1;
    for (int fd = CHANNEL; fd <= SIGNAL_PIPE; fd++) fcntl(fd, F_SETFD, FD_CLOEXEC);
    return supervise(&q, role);
}

int main(int argc, char **argv) {
    const char *role = argc > 1 ? argv[1] : "";
    for (int fd = 0; fd < 3; fd++)
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR) != fd) return FAIL;
    if (!strcmp(role, "version")) return write(1, "1\n", 2) == 2 ? 0 : FAIL;
    if (!strcmp(role, "kill") && argc == 5) return proc_kill(argv);
    if (!strcmp(role, "wait") && argc >= 4) return proc_wait(argv);
    title_init(argc, argv);
    if (!strcmp(role, "sealed") && argc == 4) sealed_main(argv);
    if (!strcmp(role, "attach") && argc >= 5) return attach(argv);
    if (!strcmp(role, "supervise")) return run(SUPERVISE);
    if (!strcmp(role, "join")) return run(JOIN);
    return !strcmp(role, "enter") ? run(ENTER) : FAIL;
}
