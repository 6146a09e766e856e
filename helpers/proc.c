/* A process is its pid and its start time: a reused pid is never signalled, waited for, or joined. */
#include "helper.h"
/* Field 22 of stat, after the last ')' since the name may hold anything. 0 when there is none. */
static unsigned long long read_start(int proc) {
    char stat[1024], *p; AUTO fd = openat(proc, "stat", O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, stat, sizeof stat - 1);
    stat[n > 0 ? n : 0] = 0; p = strrchr(stat, ')');
    for (int i = 0; p && i < 20; i++) p = strchr(p + 1, ' ');
    return p ? strtoull(p, NULL, 10) : 0;
}
int open_proc(unsigned long long pid, unsigned long long start) {
    int fd = open(text("/proc/%llu", pid), O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0 && (!start || read_start(fd) == start)) return fd;
    return close(fd), fail(ESRCH);
}
unsigned long long start_of(pid_t pid) { AUTO proc = open_proc((unsigned)pid, 0); return proc < 0 ? 0 : read_start(proc); }
/* The pidfd first, then the check: if it is the right process now, the pidfd is its. -1 on an old kernel. */
static int open_both(char **argv, int *proc) {
    int pidfd = (int)newcall(NR_PIDFD_OPEN, atol(argv[2]), 0);
    return *proc = open_proc(strtoull(argv[2], NULL, 10), strtoull(argv[3], NULL, 10)), pidfd;
}
/* PID START SIGNAL */
int proc_kill(char **argv) {
    int proc, pidfd = open_both(argv, &proc), signal = atoi(argv[4]);
    if (proc >= 0 && !(pidfd >= 0 ? newcall(NR_PIDFD_SEND_SIGNAL, pidfd, signal, NULL, 0) : kill(atoi(argv[2]), signal))) return 0;
    return errno == ESRCH ? 3 : 1;
}
/* PID START [MS]. Before Linux 5.3 there is nothing to wait on, so it looks every 10 ms. */
int proc_wait(char **argv) {
    int proc, pidfd = open_both(argv, &proc), left = argv[4] ? atoi(argv[4]) : -1;
    if (proc >= 0 && pidfd >= 0) return poll(&(struct pollfd){pidfd, POLLIN, 0}, 1, left) == 0 ? 4 : 0;
    for (; proc >= 0 && read_start(proc); poll(NULL, 0, 10), left -= left > 0 ? 10 : 0) if (left >= 0 && left < 10) return 4;
    return 0;
}
