import { bind, check, cPath } from './libc.ts';

const chroot = bind('int chroot(const uint8_t *path)');

/**
 * chroot(2) and chdir("/") of the whole process: its threads share one root. Needs CAP_SYS_CHROOT, which root of a user
 * namespace has. Whatever has to be loaded from a file must be loaded before. Throws SysError.
 */
export function enterRoot(directory: string): void {
  check(chroot(cPath(directory)), 'chroot', directory);
  process.chdir('/');
}
