/* What a forwarder keeps when it is set up: no capability, no way to any, and the system calls of its loop. */
#include "ports.h"
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#if defined __SANITIZE_ADDRESS__ /* the sanitizers of the tests need more calls than the loop */
#elif defined __x86_64__
#define ARCH AUDIT_ARCH_X86_64
#elif defined __aarch64__
#define ARCH AUDIT_ARCH_AARCH64
#endif
static bool no_capabilities(void) {
    struct __user_cap_header_struct h = {_LINUX_CAPABILITY_VERSION_3, 0}; struct __user_cap_data_struct none[2] = {{0, 0, 0}, {0, 0, 0}};
    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    return syscall(SYS_capset, &h, none) == 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0;
}
#ifdef ARCH
static const unsigned short ALLOWED[] = {
    SYS_accept4, SYS_bind, SYS_brk, SYS_clock_gettime, SYS_close, SYS_connect, SYS_epoll_ctl, SYS_epoll_pwait, SYS_exit_group, SYS_fcntl,
    SYS_getpeername, SYS_getsockname, SYS_getsockopt, SYS_madvise, SYS_mmap, SYS_mremap, SYS_munmap, SYS_pipe2, SYS_read, SYS_recvfrom,
    SYS_recvmsg, SYS_rt_sigreturn, SYS_sendmsg, SYS_sendto, SYS_setsockopt, SYS_shutdown, SYS_socket, SYS_splice, SYS_write,
#ifdef SYS_epoll_wait
    SYS_epoll_wait,
#endif
};
enum { N = sizeof ALLOWED / sizeof *ALLOWED };
/* Everything else fails with EPERM: nothing is opened, executed or traced from here. */
static bool few_calls(void) {
    struct sock_filter code[N + 6] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCH, 1, 0),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
    };
    for (unsigned i = 0; i < N; i++) code[4 + i] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ALLOWED[i], (unsigned char)(N - i), 0);
    code[N + 4] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM);
    code[N + 5] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &(struct sock_fprog){N + 6, code}) == 0 || errno == EINVAL; /* a kernel without filters */
}
#else
static bool few_calls(void) { return true; }
#endif
bool confine(void) { return no_capabilities() && few_calls(); }
