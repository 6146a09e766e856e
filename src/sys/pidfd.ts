import { SysError } from './error.ts';
import { bind, lastErrno } from './libc.ts';

const PIDFD_SEND_SIGNAL = 424;
const PIDFD_OPEN = 434;
const ESRCH = 3;

/** The numbers are the same on every architecture. */
const syscall = bind('long syscall(long number, long a, long b, long c, long d)');
const close = bind('int close(int fd)');

/**
 * Sends a signal through a pidfd (pidfd_open(2), Linux 5.3), so that a reused pid is never signalled: `isIt` is asked when
 * the pidfd is open already. False when the process is gone or another one. Throws SysError.
 */
export function pidfdSignal(pid: number, signal: number, isIt: () => boolean): boolean {
  const fd = Number(syscall(PIDFD_OPEN, pid, 0, 0, 0));
  if (fd < 0) return gone('pidfd_open');
  try {
    if (!isIt()) return false;
    return Number(syscall(PIDFD_SEND_SIGNAL, fd, signal, 0, 0)) === 0 || gone('pidfd_send_signal');
  } finally {
    close(fd);
  }
}

function gone(name: string): false {
  const errno = lastErrno();
  if (errno === ESRCH) return false;
  throw new SysError(name, errno);
}
