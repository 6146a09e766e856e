import { bind, check, cPath } from './libc.ts';

const chroot = bind('int chroot(const uint8_t *path)');
const fchdir = bind('int fchdir(int fd)');

/**
 * Makes an open directory the root and the working directory of the whole process: its threads share them. Needs
 * CAP_SYS_CHROOT, which root of a user namespace has. By descriptor, since the directories above may be closed to us. Whatever has
 * to be loaded from a file must be loaded before. Throws SysError.
 */
export function enterRootFd(fd: number): void {
  check(fchdir(fd), 'fchdir');
  check(chroot(cPath('.')), 'chroot');
  // Node remembers the working directory; this makes it forget, and leads to the same place.
  process.chdir('/');
}

/** Makes an open directory the working directory alone: relative paths start there, absolute ones at the root. Throws SysError. */
export function enterDirectoryFd(fd: number): void {
  check(fchdir(fd), 'fchdir');
}
