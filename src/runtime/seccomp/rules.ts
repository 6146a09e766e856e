import { type CapabilityName, capabilityBit } from '../capabilities.ts';
import { ERRNO, low32, RET, type Rule } from './rule.ts';

/**
 * The default profile: which system calls a container may make. It allows what docker's default profile allows and adds
 * two refusals (terminal injection, io_uring stays out as docker has it). Everything that is not named is refused with EPERM; a number that no table
 * knows gets ENOSYS, so that a libc newer than this list falls back to what it used before.
 *
 * The lists name calls of all architectures; those that one does not have are skipped there.
 */

/** Allowed always. Grouped by what they are about; the order has no meaning. */
const ALLOWED = [
  // Descriptors and data
  'open openat openat2 creat close close_range read write readv writev pread64 pwrite64 preadv pwritev preadv2 pwritev2',
  'lseek _llseek dup dup2 dup3 fcntl fcntl64 flock pipe pipe2 splice tee vmsplice sendfile sendfile64 copy_file_range',
  'fallocate fadvise64 fadvise64_64 readahead truncate truncate64 ftruncate ftruncate64 cachestat',
  'sync syncfs fsync fdatasync sync_file_range',
  // Names and metadata
  'stat stat64 lstat lstat64 fstat fstat64 fstatat64 newfstatat statx statfs statfs64 fstatfs fstatfs64 statmount listmount',
  'access faccessat faccessat2 chmod fchmod fchmodat fchmodat2 umask name_to_handle_at',
  'chown chown32 fchown fchown32 fchownat lchown lchown32 utime utimes utimensat utimensat_time64 futimesat',
  'link linkat symlink symlinkat readlink readlinkat unlink unlinkat rename renameat renameat2',
  'mkdir mkdirat rmdir mknod mknodat getdents getdents64 getcwd chdir fchdir',
  'getxattr lgetxattr fgetxattr getxattrat setxattr lsetxattr fsetxattr setxattrat',
  'listxattr llistxattr flistxattr listxattrat removexattr lremovexattr fremovexattr removexattrat',
  'inotify_init inotify_init1 inotify_add_watch inotify_rm_watch fanotify_mark',
  // Waiting for several things
  'poll ppoll ppoll_time64 select _newselect pselect6 pselect6_time64',
  'epoll_create epoll_create1 epoll_ctl epoll_ctl_old epoll_wait epoll_wait_old epoll_pwait epoll_pwait2',
  'eventfd eventfd2 signalfd signalfd4 timerfd_create timerfd_gettime timerfd_gettime64 timerfd_settime timerfd_settime64',
  'io_setup io_destroy io_submit io_cancel io_getevents io_pgetevents io_pgetevents_time64',
  // Memory
  'brk mmap mmap2 munmap mremap mprotect madvise mincore msync mseal remap_file_pages membarrier memfd_create memfd_secret',
  'mlock mlock2 mlockall munlock munlockall pkey_alloc pkey_free pkey_mprotect map_shadow_stack',
  // Processes and threads
  'fork vfork execve execveat exit exit_group wait4 waitid waitpid kill tkill tgkill pause',
  'getpid getppid gettid getpgid getpgrp setpgid getsid setsid pidfd_open pidfd_send_signal process_mrelease',
  'prctl seccomp landlock_create_ruleset landlock_add_rule landlock_restrict_self set_tid_address restart_syscall',
  'set_thread_area get_thread_area set_robust_list get_robust_list rseq uretprobe riscv_hwprobe',
  'futex futex_time64 futex_waitv futex_wait futex_wake futex_requeue',
  'getcpu sched_yield sched_getaffinity sched_setaffinity sched_getattr sched_setattr sched_getparam sched_setparam',
  'sched_getscheduler sched_setscheduler sched_get_priority_max sched_get_priority_min',
  'sched_rr_get_interval sched_rr_get_interval_time64 getpriority setpriority ioprio_get ioprio_set',
  'getrlimit ugetrlimit setrlimit prlimit64 getrusage times uname sysinfo getrandom capget capset',
  // Who one is
  'getuid getuid32 geteuid geteuid32 getgid getgid32 getegid getegid32 getresuid getresuid32 getresgid getresgid32',
  'setuid setuid32 setgid setgid32 setreuid setreuid32 setregid setregid32 setresuid setresuid32 setresgid setresgid32',
  'setfsuid setfsuid32 setfsgid setfsgid32 getgroups getgroups32 setgroups setgroups32',
  // Signals
  'rt_sigaction rt_sigprocmask rt_sigreturn rt_sigpending rt_sigsuspend rt_sigtimedwait rt_sigtimedwait_time64',
  'rt_sigqueueinfo rt_tgsigqueueinfo sigaltstack sigprocmask sigreturn',
  // Time; setting the clock is below
  'time gettimeofday clock_gettime clock_gettime64 clock_getres clock_getres_time64 clock_nanosleep clock_nanosleep_time64',
  'nanosleep alarm getitimer setitimer adjtimex clock_adjtime clock_adjtime64',
  'timer_create timer_delete timer_getoverrun timer_gettime timer_gettime64 timer_settime timer_settime64',
  // Sockets; `socket` itself is below. socketcall hides its arguments behind a pointer, which no filter can follow
  'socketpair bind listen accept accept4 connect shutdown getsockname getpeername getsockopt setsockopt socketcall',
  'send sendto sendmsg sendmmsg recv recvfrom recvmsg recvmmsg recvmmsg_time64',
  // System V and POSIX IPC
  'ipc shmget shmat shmctl shmdt semget semop semctl semtimedop semtimedop_time64 msgget msgsnd msgrcv msgctl',
  'mq_open mq_unlink mq_notify mq_getsetattr mq_timedsend mq_timedsend_time64 mq_timedreceive mq_timedreceive_time64',
  // Debugging: harmless across containers since a tracee's calls are filtered after the tracer (Linux 4.8)
  'ptrace process_vm_readv process_vm_writev',
];

/** Allowed on one native architecture and its 32-bit sibling only. */
const ALLOWED_ON: Readonly<Record<NativeArch, readonly string[]>> = {
  x64: ['arch_prctl modify_ldt'],
  arm64: ['arm_fadvise64_64 arm_sync_file_range sync_file_range2 breakpoint cacheflush set_tls'],
};

/** Allowed with a capability. */
const ALLOWED_WITH: ReadonlyArray<readonly [CapabilityName, string]> = [
  ['DAC_READ_SEARCH', 'open_by_handle_at'],
  ['SYS_ADMIN', 'mount umount umount2 mount_setattr move_mount open_tree fsopen fsconfig fsmount fspick'],
  ['SYS_ADMIN', 'setns unshare clone clone3 sethostname setdomainname quotactl quotactl_fd lookup_dcookie'],
  [
    'SYS_ADMIN',
    'bpf perf_event_open fanotify_init syslog lsm_get_self_attr lsm_set_self_attr lsm_list_modules',
  ],
  ['SYS_BOOT', 'reboot'],
  ['SYS_CHROOT', 'chroot'],
  ['SYS_MODULE', 'init_module finit_module delete_module'],
  ['SYS_PACCT', 'acct'],
  ['SYS_PTRACE', 'kcmp pidfd_getfd process_madvise'],
  ['SYS_RAWIO', 'iopl ioperm'],
  ['SYS_TIME', 'settimeofday stime clock_settime clock_settime64'],
  ['SYS_TTY_CONFIG', 'vhangup'],
  ['SYS_NICE', 'get_mempolicy set_mempolicy mbind set_mempolicy_home_node'],
  ['SYSLOG', 'syslog'],
  ['BPF', 'bpf'],
  ['PERFMON', 'perf_event_open'],
];

/** In the tables, and too new to have been thought about: as if the kernel did not have them, so that programs fall back. */
const TOO_NEW = ['open_tree_attr', 'file_getattr', 'file_setattr'];

export type NativeArch = 'x64' | 'arm64';

/**
 * Address families that socket(2) refuses: those the kernel has dropped (DECnet 12, ECONET 19, ATMSVC 20, IRDA 23, WANPIPE 25, ISDN 34,
 * CAIF 37), AF_ALG 38 (kernel crypto, attack surface that a container has no need for), and AF_VSOCK 40, which is not bound to a
 * network namespace and reaches the hypervisor. 0 and those above AF_MCTP 45 are refused as well, 0 by the kernel itself.
 */
const SOCKET_FAMILIES = [
  ...range(0, 11),
  ...range(13, 18),
  21,
  22,
  24,
  ...range(26, 33),
  35,
  36,
  39,
  ...range(41, 45),
];

/** personality(2): PER_LINUX and PER_LINUX32, each with or without UNAME26, and the query. READ_IMPLIES_EXEC and ADDR_NO_RANDOMIZE are out. */
const PERSONALITIES = [0, 0x0008, 0x20000, 0x20008, 0xffffffff];

/** CLONE_NEW* of clone(2), without NEWTIME, whose bit belongs to the exit signal there. */
const CLONE_NEW = 0x7e020000n;

/**
 * TIOCSTI puts input into a terminal that the container shares with the shell outside (CVE-2017-5226), TIOCLINUX does the
 * same by pasting a selection. The kernel looks at 32 bits of the request only, so the filter must, too.
 */
const TERMINAL_INJECTION = [0x5412, 0x541c];

/** The rules for a set of capabilities. The first rule of a call whose conditions hold decides. */
export function defaultRules(native: NativeArch, caps: bigint): Rule[] {
  const has = (name: CapabilityName): boolean => (caps & capabilityBit(name)) !== 0n;
  const rules: Rule[] = [];
  const allow = (lists: readonly string[]): void => {
    for (const name of lists.join(' ').split(' ')) rules.push({ name, when: [], ret: RET.ALLOW });
  };
  allow(ALLOWED);
  allow(ALLOWED_ON[native]);
  for (const [capability, list] of ALLOWED_WITH) if (has(capability)) allow([list]);
  rules.push(...filtered());
  if (!has('SYS_ADMIN')) rules.push(...withoutNamespaces());
  return rules;
}

/** Calls whose arguments decide. */
function filtered(): Rule[] {
  return [
    { name: 'ioctl', when: [low32(1, TERMINAL_INJECTION)], ret: RET.ERRNO | ERRNO.EPERM },
    { name: 'ioctl', when: [], ret: RET.ALLOW },
    { name: 'socket', when: [low32(0, SOCKET_FAMILIES)], ret: RET.ALLOW },
    { name: 'personality', when: [low32(0, PERSONALITIES)], ret: RET.ALLOW },
    ...TOO_NEW.map(name => ({ name, when: [], ret: RET.ERRNO | ERRNO.ENOSYS })),
  ];
}

/**
 * A container without CAP_SYS_ADMIN makes no namespaces. The flags of clone3 are behind a pointer: as it cannot be
 * checked it does not exist, and libc uses clone.
 */
function withoutNamespaces(): Rule[] {
  return [
    { name: 'clone', when: [{ index: 0, mask: CLONE_NEW, values: [0n] }], ret: RET.ALLOW },
    { name: 'clone3', when: [], ret: RET.ERRNO | ERRNO.ENOSYS },
  ];
}

function range(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, i) => first + i);
}
