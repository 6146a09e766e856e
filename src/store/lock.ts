import { promises } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { ioError } from './atomic.ts';

export interface LockOptions {
  /** Default exclusive. */
  kind?: 'shared' | 'exclusive';
}

/** A held lock. The kernel drops it when the process ends, however it ends: there are no stale locks. */
export interface Lock {
  release(): Promise<void>;
}

/**
 * What this process holds, and who in it wants to know of a release. A wait for ourselves must not block a worker thread: the
 * threads are few, and the holder needs them to get on with its work and let go.
 */
const held = new Map<string, { count: number; waiting: Array<() => void> }>();

/** Waits of ours for other processes, of which each takes a thread: one at a time. */
let turn: Promise<unknown> = Promise.resolve();

/** Loads what a lock takes, for who has to wait for something else first and will lock then. */
export async function prepareLocks(): Promise<void> {
  await new Promise(resolve => setImmediate(resolve)); // what is waited for is under way by then
  await import('../sys/flock.ts');
}

/** Takes the flock(2) of a file (made when it is missing), waiting for whoever holds it. Throws IO. */
export async function acquireLock(path: string, { kind = 'exclusive' }: LockOptions = {}): Promise<Lock> {
  const { tryFlock, waitFlock } = await import('../sys/flock.ts');
  const file = await openLock(path);
  try {
    while (!tryFlock(file.fd, kind)) {
      const holder = held.get(path);
      if (holder) await new Promise<void>(resolve => holder.waiting.push(resolve));
      else if (await inTurn(() => waitUnlessOurs(path, () => waitFlock(file.fd, kind)))) break;
    }
    return hold(path, file);
  } catch (error) {
    await file.close();
    throw ioError(error, `cannot lock ${path}`);
  }
}

/** The same without waiting: undefined when somebody else holds it. */
export async function tryLock(
  path: string,
  { kind = 'exclusive' }: LockOptions = {},
): Promise<Lock | undefined> {
  const { tryFlock } = await import('../sys/flock.ts');
  const file = await openLock(path);
  if (tryFlock(file.fd, kind)) return hold(path, file);
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

/** False when one of ours has taken the lock while we waited for our turn. */
async function waitUnlessOurs(path: string, wait: () => Promise<void>): Promise<boolean> {
  if (held.has(path)) return false;
  await wait();
  return true;
}

function inTurn<T>(work: () => Promise<T>): Promise<T> {
  const mine = turn.then(work, work);
  turn = mine.catch(() => {});
  return mine;
}

function hold(path: string, file: FileHandle): Lock {
  const entry = held.get(path) ?? { count: 0, waiting: [] };
  entry.count++;
  held.set(path, entry);
  let released: Promise<void> | undefined;
  const release = async () => {
    await file.close();
    if (--entry.count === 0) held.delete(path);
    for (const wake of entry.waiting.splice(0)) wake();
  };
  return {
    release: () => {
      released ??= release();
      return released;
    },
  };
}

async function openLock(path: string): Promise<FileHandle> {
  try {
    return await promises.open(path, 'a', 0o600);
  } catch (error) {
    throw ioError(error, `cannot open the lock ${path}`);
  }
}
