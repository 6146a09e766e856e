import { SysError } from './error.ts';
import { bind, bindBlocking, check, lastErrno } from './libc.ts';

const LOCK_SH = 1;
const LOCK_EX = 2;
const LOCK_NB = 4;
const EWOULDBLOCK = 11;
const EINTR = 4;

const flock = bind('int flock(int fd, int operation)');
const flockBlocking = bindBlocking('int flock(int fd, int operation)');

export type LockKind = 'shared' | 'exclusive';

/** flock(2) without waiting: false when another open file holds it. The kernel drops the lock when the file is closed. */
export function tryFlock(fd: number, kind: LockKind): boolean {
  if (flock(fd, (kind === 'shared' ? LOCK_SH : LOCK_EX) | LOCK_NB) === 0) return true;
  const errno = lastErrno();
  if (errno === EWOULDBLOCK || errno === EINTR) return false;
  throw new SysError('flock', errno);
}

/** flock(2) that waits, on a worker thread. The lock belongs to the open file, not to the thread that asked. */
export async function waitFlock(fd: number, kind: LockKind): Promise<void> {
  const operation = kind === 'shared' ? LOCK_SH : LOCK_EX;
  if ((await flockBlocking(fd, operation)) !== 0) check(flock(fd, operation | LOCK_NB), 'flock');
}
