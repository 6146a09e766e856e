import koffi from 'koffi';
import { SysError } from './error.ts';

/**
 * The one place that binds C functions. Loading it costs 6 ms: whoever may run without it imports this room dynamically.
 * No call here changes the state of a thread (namespaces, credentials): Node is threaded, that is the helper's work.
 */
export type PathLike = string | Buffer;

// The program itself has libc linked in, glibc or musl: no file name to guess.
const libc = koffi.load(null);

type Call = (...args: unknown[]) => number;

/** A C function by its declaration. Returns what it returns; after `failure` its errno is `lastErrno()`, to be read at once. */
export function bind(declaration: string, failure = -1): Call {
  const call: Call = libc.func(declaration);
  return BUN ? steady(call, failure) : call;
}

const BUN = process.versions.bun !== undefined;
let seen = 0;

/**
 * errno belongs to the thread, and Bun's compiler may run between a call and the look at it: it opens /proc/self/statm, which a root
 * that has been exchanged does not have. What is bound here does nothing when it fails, so it is called again until two
 * failures in a row look alike.
 */
function steady(call: Call, failure: number): Call {
  return (...args) => {
    let result = call(...args);
    for (let before = 0; Number(result) === failure; result = call(...args)) {
      seen = koffi.errno();
      if (seen === before) break;
      before = seen;
    }
    return result;
  };
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
  return BUN ? seen : koffi.errno();
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
