import koffi from 'koffi';
import { SysError } from './error.ts';

/**
 * The one place that binds C functions. Loading it costs 6 ms: whoever may run without it imports this room dynamically.
 * No call here changes the state of a thread (namespaces, credentials): Node is threaded, that is the helper's work.
 */
export type PathLike = string | Buffer;

// The program itself has libc linked in, glibc or musl: no file name to guess.
const libc = koffi.load(null);

/** A C function by its declaration. Returns what it returns; its errno is `lastErrno()`, to be read at once. */
export function bind(declaration: string): (...args: unknown[]) => number {
  return libc.func(declaration);
}

/** The same, performed on a worker thread, for calls that may block. Never for what belongs to a thread. */
export function bindBlocking(declaration: string): (...args: unknown[]) => Promise<number> {
  const call = libc.func(declaration);
  return (...args) =>
    new Promise((resolve, reject) => {
      // errno is the worker's own and gone by now: callers learn success or failure alone.
      call.async(...args, (error: unknown, result: number) => (error ? reject(error) : resolve(result)));
    });
}

export function lastErrno(): number {
  return koffi.errno();
}

/** Throws SysError when a call has returned -1. */
export function check(result: number, syscall: string, path?: PathLike): number {
  if (result === -1) throw new SysError(syscall, lastErrno(), path?.toString());
  return result;
}

const EINVAL = 22;

/** The path as C reads it. A NUL inside would cut it short, so it is refused (EINVAL). */
export function cPath(path: PathLike): Buffer {
  const bytes = typeof path === 'string' ? Buffer.from(path) : path;
  if (bytes.includes(0)) throw new SysError('path', EINVAL, JSON.stringify(path.toString()));
  return Buffer.concat([bytes, Buffer.alloc(1)]);
}
