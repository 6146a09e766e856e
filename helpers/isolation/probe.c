/* tsbox doctor --isolation: run inside a container, it tries what must not work there. A line for each: NAME, then `held` or
 * `open`, then what was seen. */
#include "../helper.h"
#include <arpa/inet.h>
#include <linux/capability.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
static void say(const char *name, bool held, const char *what) { printf("%s %s %s\n", name, held ? "held" : "open", what); }
/* For a call that must fail; -1 means it did, with errno. */
static void refused(const char *name, long result) {
    say(name, result < 0, result < 0 ? strerror(errno) : "it succeeded");
    if (result > 2) close((int)result);
}
static void unreadable(const char *name, const char *path) {
    char p[16]; AUTO fd = open(path, O_RDONLY | O_CLOEXEC); int e = errno;
    ssize_t n = fd < 0 ? -1 : read(fd, p, sizeof p);
    say(name, n <= 0, fd < 0 ? strerror(e) : n > 0 ? "it can be read" : "empty");
}
static void unwritable(const char *name, const char *path) { refused(name, open(path, O_WRONLY | O_CLOEXEC)); }
static void unconnected(const char *name, const char *address, int port) {
    AUTO fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    struct timeval wait = {.tv_usec = 500000};
    inet_pton(AF_INET, address, &a.sin_addr); setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof wait);
    /* slirp4netns answers for the host before it has asked it: only a byte from the other side counts */
    char byte; setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
    bool open = fd >= 0 && !connect(fd, (void *)&a, sizeof a) && read(fd, &byte, 1) == 1;
    say(name, !open, open ? "it answers" : strerror(errno));
}
static void calls(void) {
    refused("mount", mount("x", "/dev", "tmpfs", 0, NULL)); refused("unshare", unshare(CLONE_NEWUSER));
    long child = syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0);
    if (child == 0) _exit(0);
    refused("clone", child); refused("clone3", syscall(NR_CLONE3, NULL, 0));
    refused("setns", syscall(SYS_setns, 0, 0)); refused("bpf", syscall(SYS_bpf, 0, NULL, 0));
    refused("perf_event_open", syscall(SYS_perf_event_open, NULL, 0, -1, -1, 0)); refused("keyctl", syscall(SYS_keyctl, 0, -3, 0));
    refused("io_uring_setup", syscall(425, 1, NULL)); refused("userfaultfd", syscall(SYS_userfaultfd, 0));
    refused("init_module", syscall(SYS_init_module, NULL, 0, "")); refused("AF_VSOCK", socket(40, SOCK_STREAM, 0));
    refused("AF_ALG", socket(38, SOCK_SEQPACKET, 0)); refused("TIOCSTI", ioctl(0, TIOCSTI, " "));
    refused("open_by_handle_at", syscall(SYS_open_by_handle_at, AT_FDCWD, NULL, 0));
    mknod("/probe-device", S_IFBLK | 0600, makedev(8, 0)); refused("device", open("/probe-device", O_RDONLY | O_CLOEXEC));
}
static void state(void) {
    struct __user_cap_header_struct h = {_LINUX_CAPABILITY_VERSION_3, 0}; struct __user_cap_data_struct d[2] = {{0, 0, 0}, {0, 0, 0}};
    enum { DOCKER = 0xa80425fb }; struct rlimit core = {0, 0}; int extra = 0;
    syscall(SYS_capget, &h, d); getrlimit(RLIMIT_CORE, &core);
    say("capabilities", !(d[0].permitted & ~(unsigned)DOCKER) && !d[1].permitted, text("%08x", d[0].permitted));
    say("inheritable", !d[0].inheritable && !d[1].inheritable, text("%08x", d[0].inheritable));
    say("seccomp", prctl(PR_GET_SECCOMP, 0, 0, 0, 0) == 2, "mode of the filter");
    say("core", core.rlim_max <= 1, text("%llu", (unsigned long long)core.rlim_max));
    for (int fd = 3; fd < 1024; fd++) extra += fcntl(fd, F_GETFD) >= 0;
    say("descriptors", !extra, text("%d beside the standard ones", extra));
    long abi = syscall(444, NULL, 0, 1);
    say("landlock", abi >= 2, abi < 0 ? "this kernel has none" : text("ABI %ld", abi));
}
/* probe CANARY PID PORT: a file, a process and a listening port of the host. */
int probe(char **argv) {
    pid_t pid = atoi(argv[3]); int port = atoi(argv[4]);
    unreadable("host-file", argv[2]); unreadable("host-file-root", text("/proc/1/root%s", argv[2]));
    refused("signal", kill(pid, 0)); refused("ptrace", ptrace(PTRACE_ATTACH, pid, NULL, NULL));
    unconnected("loopback", "127.0.0.1", port); unconnected("gateway", "10.0.2.2", port);
    unwritable("core_pattern", "/proc/sys/kernel/core_pattern"); unwritable("sysrq", "/proc/sysrq-trigger");
    unwritable("sys", "/sys/kernel/uevent_helper"); unwritable("cgroup", "/sys/fs/cgroup/cgroup.procs");
    unwritable("own-program", "/proc/self/exe"); unreadable("kcore", "/proc/kcore"); unreadable("keys", "/proc/keys");
    calls(); state();
    return fflush(stdout) ? FAIL : 0;
}
