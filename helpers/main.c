/* tsbox-helper: performs what TypeScript has decided. docs/helper-protocol.md is the manual; the role is argv[1]. */
#include "helper.h"
/* A request: supervise, join, enter. */
static int run(enum role role) {
    static struct request q; const char *step, *model = role == SUPERVISE ? getenv("TSBOX_EARLY") : NULL;
    if (role != ENTER) close_range_of(SIGNAL_PIPE + 1, ~0u, 0);
    close_range_of(CHANNEL, ~0u, CLOSE_CLOEXEC);
    if (model) unsetenv("TSBOX_EARLY"), early_begin(model);
    int e = request_read(CHANNEL, &q, &step);
    if (!e && role == JOIN && (!q.target[1].v || open_proc((uint64_t)q.target[0].v, (uint64_t)q.target[1].v) < 0))
        e = ESRCH, step = "target";
    if (e) { early_drop(); SAY("failed", "header", "0", text("%d", e), step); return FAIL; }
    if (role != ENTER && !q.front->s) close(SIGNAL_PIPE);
    return supervise(&q, role);
}
/* ROLE PROGRAM…: becomes PROGRAM, to which $TSBOX_BOOT names a helper that is ready: channel, signal pipe, pid. Returns there. */
static char *boot(char **argv) {
    int a[2] = {-1, -1}, b[2] = {-1, -1}, none = -1;
    bool made = !socketpair(AF_UNIX, SOCK_STREAM, 0, a) && !socketpair(AF_UNIX, SOCK_STREAM, 0, b);
    pid_t pid = made ? fork() : -1;
    if (pid == 0) return close(a[0]), close(b[0]), place(5, (int[]){0, 1, 2, a[1], b[1]}, &none), argv[2];
    close(a[1]), close(b[1]);
    if (pid > 0) setenv("TSBOX_BOOT", text("%s %d %d %d", argv[2], a[0], b[0], pid), 1);
    unsetenv("TSBOX_EARLY"); execvp(argv[3], argv + 3); perror(argv[3]); _exit(127);
}
int main(int argc, char **argv) {
    const char *role = argc > 1 ? argv[1] : "";
    for (int fd = 0; fd < 3; fd++) /* they must be taken */
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR) != fd) return FAIL;
    if (!strcmp(role, "version")) return write(1, "1\n", 2) == 2 ? 0 : FAIL;
    if (!strcmp(role, "kill") && argc == 5) return proc_kill(argv);
    if (!strcmp(role, "wait") && argc >= 4) return proc_wait(argv);
    if (!strcmp(role, "boot") && argc > 3) role = boot(argv);
    signal_pipe = fcntl(SIGNAL_PIPE, F_GETFD) < 0 ? -1 : SIGNAL_PIPE; title_init(argc, argv);
    if (!strcmp(role, "sealed") && argc == 4) sealed_main(argv);
    if (!strcmp(role, "forward") && argc == 6) return forward_late(argv);
    if (!strcmp(role, "port") && argc > 3) return port_client(argc, argv);
    if (!strcmp(role, "attach") && argc >= 5) return attach(argv);
    if (!strcmp(role, "network")) return net_ask();
    if (!strcmp(role, "tether") && argc > 2) return tether(argv + 2);
    if (!strcmp(role, "probe") && argc == 5) return probe(argv);
    if (!strcmp(role, "processes")) return processes();
    if (!strcmp(role, "join")) join_sealed();
    return !strcmp(role, "supervise") ? run(SUPERVISE) : !strcmp(role, "joined") ? run(JOIN) : !strcmp(role, "enter") ? run(ENTER) : FAIL;
}
