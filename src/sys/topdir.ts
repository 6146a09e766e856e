import { bind } from './libc.ts';

// linux/fs.h. The kernel reads and writes an int, whatever the requests' names say.
const FS_IOC_GETFLAGS = 0x80086601;
const FS_IOC_SETFLAGS = 0x40086602;
const FS_TOPDIR_FL = 0x00020000;

const ioctl = bind('int ioctl(int fd, unsigned long request, _Inout_ int32_t *flags)');

/**
 * Asks the file system to put each new directory below this open one somewhere else on the disk (`chattr +T`, ext4's top of
 * unrelated trees), instead of all beside it. False where the file system knows nothing of it: it was a wish.
 */
export function spreadBelow(fd: number): boolean {
  const flags = new Int32Array(1);
  if (ioctl(fd, FS_IOC_GETFLAGS, flags) !== 0) return false;
  const now = flags[0] ?? 0;
  if (now & FS_TOPDIR_FL) return true;
  flags[0] = now | FS_TOPDIR_FL;
  return ioctl(fd, FS_IOC_SETFLAGS, flags) === 0;
}
