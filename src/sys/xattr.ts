import { SysError } from './error.ts';
import { bind, check, cPath, lastErrno, type PathLike } from './libc.ts';

const lset = bind(
  'int lsetxattr(const uint8_t *path, const uint8_t *name, const uint8_t *v, size_t n, int flags)',
);
const lget = bind(
  'intptr_t lgetxattr(const uint8_t *path, const uint8_t *name, _Out_ uint8_t *value, size_t size)',
);
const llist = bind('intptr_t llistxattr(const uint8_t *path, _Out_ uint8_t *list, size_t size)');

const lremove = bind('int lremovexattr(const uint8_t *path, const uint8_t *name)');

/** XATTR_SIZE_MAX and XATTR_LIST_MAX of linux/limits.h. */
const MAX = 65536;
// Of the largest size once: a fresh one for each call would be most of the cost. Calls are synchronous.
const scratch = Buffer.alloc(MAX);
const ENODATA = 61;
const ENOTSUP = 95;

/** Sets an extended attribute of the path itself (xattr(7)), never of what a symbolic link points to. Throws SysError. */
export function setXattr(path: PathLike, name: PathLike, value: Uint8Array): void {
  check(lset(cPath(path), cPath(name), value, value.length, 0), 'lsetxattr', path);
}

/** The value, or undefined when the file has none of that name or its file system knows none. Throws SysError. */
export function getXattr(path: PathLike, name: PathLike): Buffer | undefined {
  const size = lget(cPath(path), cPath(name), scratch, MAX);
  if (size >= 0) return Buffer.from(scratch.subarray(0, size));
  const errno = lastErrno();
  if (errno === ENODATA || errno === ENOTSUP) return undefined;
  throw new SysError('lgetxattr', errno, path.toString());
}

/** Names of the extended attributes of the path itself. */
export function listXattr(path: PathLike): string[] {
  const size = llist(cPath(path), scratch, MAX);
  if (size === 0 || (size < 0 && lastErrno() === ENOTSUP)) return [];
  check(size, 'llistxattr', path);
  return scratch
    .subarray(0, size)
    .toString()
    .split('\0')
    .filter(name => name !== '');
}

/** Takes an extended attribute of the path itself away. Throws SysError, ENODATA when there is none of that name. */
export function removeXattr(path: PathLike, name: PathLike): void {
  check(lremove(cPath(path), cPath(name)), 'lremovexattr', path);
}
