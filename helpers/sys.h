/*
 * System calls and constants that an older C library does not know. Numbers above 423 are the same on every architecture.
 * With TSBOX_OLD_KERNEL the calls fail as on Linux 4.18, so that the tests can walk the fallbacks.
 */
#ifndef TSBOX_SYS_H
#define TSBOX_SYS_H

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

#ifdef TSBOX_OLD_KERNEL
#define newcall(...) (1 ? (errno = ENOSYS, -1L) : syscall(__VA_ARGS__))
#else
#define newcall(...) syscall(__VA_ARGS__)
#endif

#define NR_PIDFD_SEND_SIGNAL 424
#define NR_OPEN_TREE 428
#define NR_MOVE_MOUNT 429
#define NR_PIDFD_OPEN 434
#define NR_CLONE3 435
#define NR_CLOSE_RANGE 436
#define NR_OPENAT2 437
#define NR_MOUNT_SETATTR 442

#define TREE_CLONE 1
#define TREE_RECURSIVE 0x8000
#define MOVE_FROM_EMPTY 0x4
#define MOVE_TO_EMPTY 0x40
#define CLOSE_CLOEXEC 4
#define IN_NO_XDEV 1
#define IN_NO_MAGICLINKS 2
#define IN_NO_SYMLINKS 4
#define IN_ROOT 0x10

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x80
#endif
#ifndef CLONE_NEWCGROUP
#define CLONE_NEWCGROUP 0x02000000
#endif

#define MAGIC_PROC 0x9fa0
#define MAGIC_DEVPTS 0x1cd1

struct how2 {
    uint64_t flags, mode, resolve;
};

struct attr4 {
    uint64_t set, clear, propagation, userns;
};

struct clone_args3 {
    uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls;
};

#endif
