/* tsbox: tether PROGRAM ARG…: runs a program that must not outlive who started us, and would: it changes its credentials, with which
 * the kernel forgets PR_SET_PDEATHSIG (pasta), or knows no exit descriptor. Its end is ours, ours is its, and so is that of
 * descriptor 4. */
#include "net.h"
int tether(char **argv) {
    static const int signals[] = {SIGCHLD, SIGTERM, SIGINT, SIGHUP, 0}; int status = 0, events = signals_block(signals);
    pid_t pid = fork();
    if (pid == 0) { signals_default(); tie_to_parent(); close(events), close(4); execve(argv[0], argv, environ); perror(argv[0]); _exit(127); }
    close(3); title("tether", NULL);
    struct pollfd p[2] = {{4, POLLIN, 0}, {events, POLLIN, 0}}; struct signalfd_siginfo info;
    for (bool over = pid < 0; !over;) {
        poll(p, 2, -1); over = p[0].revents;
        while (read(events, &info, sizeof info) == sizeof info) over |= info.ssi_signo != SIGCHLD;
        if (waitpid(pid, &status, WNOHANG) == pid) return docker_status(status);
    }
    if (pid > 0) kill(pid, SIGKILL), waitpid(pid, &status, 0);
    return FAIL;
}
