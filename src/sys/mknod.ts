import { bind, check, cPath, type PathLike } from './libc.ts';

const mknod = bind('int mknod(const uint8_t *path, uint32_t mode, uint64_t device)');

const S_IFIFO = 0o010000;
const S_IFCHR = 0o020000;

/** Makes a FIFO (mknod(2)); nothing may be there. Throws SysError. */
export function makeFifo(path: PathLike, mode: number): void {
  check(mknod(cPath(path), S_IFIFO | mode, 0), 'mknod', path);
}

/**
 * Makes an overlayfs whiteout: the character device 0:0, the only one that needs no privilege (Linux 5.8). Throws SysError,
 * EPERM on older kernels.
 */
export function makeWhiteout(path: PathLike): void {
  check(mknod(cPath(path), S_IFCHR, 0), 'mknod', path);
}
