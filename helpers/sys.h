/* Calls that an older C library lacks. With TSBOX_OLD_KERNEL they fail as on Linux 4.18: the tests walk the fallbacks. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>
#ifdef TSBOX_OLD_KERNEL
#define newcall(...) (1 ? (errno = ENOSYS, -1L) : syscall(__VA_ARGS__))
#else
#define newcall(...) syscall(__VA_ARGS__)
#endif
enum { NR_PIDFD_SEND_SIGNAL = 424, NR_OPEN_TREE = 428, NR_MOVE_MOUNT = 429, NR_PIDFD_OPEN = 434, NR_CLONE3 = 435,
       NR_CLOSE_RANGE = 436, NR_OPENAT2 = 437, NR_MOUNT_SETATTR = 442 }; /* the same on every architecture */
enum { TREE_CLONE = 1, TREE_RECURSIVE = 0x8000, MOVE_FROM_EMPTY = 4, MOVE_TO_EMPTY = 0x40, CLOSE_CLOEXEC = 4 };
enum { IN_NO_XDEV = 1, IN_NO_MAGICLINKS = 2, IN_NO_SYMLINKS = 4, IN_ROOT = 0x10, MEMFD_EXECUTABLE = 0x10, MAGIC_PROC = 0x9fa0, MAGIC_DEVPTS = 0x1cd1, NEWTIME = 0x80 };
struct open_how2 { uint64_t flags, mode, resolve; }; struct mount_attr4 { uint64_t set, clear, propagation, userns; };
struct clone_args3 { uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls; };
