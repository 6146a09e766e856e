/* tsbox-helper: performs what TypeScript has decided. docs/helper-protocol.md is the manual; the role is argv[1]. */
#include "helper.h"

/* A request: supervise, join, enter. */
static int run(enum role role)
{
    static struct request q;
    struct buf b = { 0 };
    const char *step;
    int e = request_read(CHANNEL, &q, &step);
    if (!e && role == JOIN) {
        int proc = open_proc((long)q.pid.v, (unsigned long long)q.start.v);
        step = "target";
        e = proc < 0 ? ESRCH : 0;
        close(proc);
    }
    if (e) {
        event(&b, "failed", "header", "0", num((unsigned)e), step, NULL);
        write_all(CHANNEL, b.p, b.n);
        return FAIL;
    }
    int keep[KEEPS + 1] = { q.front ? SIGNAL_PIPE : CHANNEL };
    memcpy(keep + 1, q.keep, sizeof q.keep);
    close_others(CHANNEL + 1, keep, q.nkeep + 1);
    fcntl(CHANNEL, F_SETFD, FD_CLOEXEC);
    if (q.front)
        fcntl(SIGNAL_PIPE, F_SETFD, FD_CLOEXEC);
    return supervise(&q, role);
}

int main(int argc, char **argv)
{
    if (argc < 2)
        return FAIL;
    while (open("/dev/null", O_RDWR) >= 0) /* 0 to 2 must be taken */
        if (fcntl(2, F_GETFD) >= 0)
            break;
    const char *role = argv[1];
    if (!strcmp(role, "version"))
        return write(1, "1\n", 2) == 2 ? 0 : FAIL;
    if (!strcmp(role, "kill") && argc == 5)
        return proc_kill(argv);
    if (!strcmp(role, "wait") && argc >= 4)
        return proc_wait(argv);
    title_init(argc, argv);
    if (!strcmp(role, "sealed") && argc == 4)
        sealed_main(argv);
    if (!strcmp(role, "attach") && argc >= 5)
        return attach(argv);
    if (!strcmp(role, "supervise"))
        return run(SUPERVISE);
    if (!strcmp(role, "join"))
        return run(JOIN);
    return !strcmp(role, "enter") ? run(ENTER) : FAIL;
}
