import { SysError } from './error.ts';
import { bind, cPath, lastErrno, type PathLike } from './libc.ts';

// PATH_MAX bytes and no more are written (realpath(3)); what is returned is `resolved` or nothing.
const resolve = bind('size_t realpath(const uint8_t *path, uint8_t *resolved)', 0);
const PATH_MAX = 4096;

/**
 * The path without links, `.` and `..`, by libc, which looks at one component after the other: a JavaScript runtime may ask
 * /proc instead, which a root that has been exchanged does not have. Throws SysError.
 */
export function realPathBytes(path: PathLike): Buffer {
  const resolved = Buffer.alloc(PATH_MAX);
  if (Number(resolve(cPath(path), resolved)) === 0)
    throw new SysError('realpath', lastErrno(), path.toString());
  return resolved.subarray(0, resolved.indexOf(0));
}
