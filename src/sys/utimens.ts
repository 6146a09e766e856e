import { bind, check, cPath, type PathLike } from './libc.ts';

const utimensat = bind('int utimensat(int fd, const uint8_t *path, const int64_t *times, int flags)');
const futimens = bind('int futimens(int fd, const int64_t *times)');

const AT_FDCWD = -100;
const AT_SYMLINK_NOFOLLOW = 0x100;

// struct timespec[2] with 64-bit members: access, then modification. One buffer serves all calls, they are synchronous.
const times = new BigInt64Array(4);

function setTimes(seconds: number, nanoseconds: number): void {
  times[0] = times[2] = BigInt(seconds);
  times[1] = times[3] = BigInt(nanoseconds);
}

/** Access and modification time of an open file, to the nanosecond, which Node's own call cannot. Throws SysError. */
export function setFdTimes(fd: number, seconds: number, nanoseconds: number): void {
  setTimes(seconds, nanoseconds);
  check(futimens(fd, times), 'futimens');
}

/** The same for a path; a symbolic link's own times. */
export function setPathTimes(path: PathLike, seconds: number, nanoseconds: number): void {
  setTimes(seconds, nanoseconds);
  check(utimensat(AT_FDCWD, cPath(path), times, AT_SYMLINK_NOFOLLOW), 'utimensat', path);
}
