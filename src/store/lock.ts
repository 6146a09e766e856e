import { type FileHandle, open } from 'node:fs/promises';
import { ioError } from './atomic.ts';

export interface LockOptions {
  /** Default exclusive. */
  kind?: 'shared' | 'exclusive';
}

/** A held lock. The kernel drops it when the process ends, however it ends: there are no stale locks. */
export interface Lock {
  release(): Promise<void>;
}

/** Takes the flock(2) of a file (made when it is missing), waiting for whoever holds it. Throws IO. */
export async function acquireLock(path: string, options: LockOptions = {}): Promise<Lock> {
  const file = await openLock(path);
  try {
    const kind = options.kind ?? 'exclusive';
    const { tryFlock, waitFlock } = await import('../sys/flock.ts');
    if (!tryFlock(file.fd, kind)) await waitFlock(file.fd, kind);
    return { release: () => file.close() };
  } catch (error) {
    await file.close();
    throw ioError(error, `cannot lock ${path}`);
  }
}

/** The same without waiting: undefined when somebody else holds it. */
export async function tryLock(path: string, options: LockOptions = {}): Promise<Lock | undefined> {
  const file = await openLock(path);
  const { tryFlock } = await import('../sys/flock.ts');
  if (tryFlock(file.fd, options.kind ?? 'exclusive')) return { release: () => file.close() };
  await file.close();
  return undefined;
}

/** Runs `work` with the lock of `path` held. */
export async function withLock<T>(
  path: string,
  work: () => Promise<T>,
  options: LockOptions = {},
): Promise<T> {
  const lock = await acquireLock(path, options);
  try {
    return await work();
  } finally {
    await lock.release();
  }
}

async function openLock(path: string): Promise<FileHandle> {
  try {
    return await open(path, 'a', 0o600);
  } catch (error) {
    throw ioError(error, `cannot open the lock ${path}`);
  }
}
