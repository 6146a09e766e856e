import { closeSync, openSync, promises, readSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { hasErrno, messageOf, TsboxError } from '../errors.ts';
import { access, readFile, rename, rm, utimes } from '../util/files.ts';

export interface AtomicOptions {
  /** Permission bits of the new file; default 0600. */
  mode?: number;
  /** Wait until the bytes are on the disk before they get their name. Default true; false for what a crash may lose. */
  fsync?: boolean;
}

/**
 * Writes a whole file so that a reader sees either the old content or the new: a temporary file beside it, fsync(2),
 * rename(2). On failure the old file is untouched and the temporary one removed. Throws NO_SPACE or IO.
 */
export async function writeFileAtomic(
  path: string,
  data: string | Uint8Array,
  options: AtomicOptions = {},
): Promise<void> {
  const temporary = temporaryName(path);
  try {
    await writeNew(temporary, data, options);
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => {});
    throw ioError(error, `cannot write ${path}`);
  }
}

/** The name begins with `.tmp-`: whoever holds the lock of the directory may remove what a killed writer left. */
export function temporaryName(path: string): string {
  return join(dirname(path), `.tmp-${basename(path)}-${newId().slice(0, 12)}`);
}

async function writeNew(path: string, data: string | Uint8Array, options: AtomicOptions): Promise<void> {
  const file = await promises.open(path, 'wx', options.mode ?? 0o600);
  try {
    await file.writeFile(data);
    if (options.fsync ?? true) await file.sync();
  } finally {
    await file.close();
  }
}

/** The parsed file, or undefined when there is none. Throws STORE_CORRUPT for anything that is not JSON, IO otherwise. */
export async function readJson<T>(path: string): Promise<T | undefined> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    if (hasErrno(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw ioError(error, `cannot read ${path}`);
  });
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as T;
  } catch (cause) {
    throw new TsboxError('STORE_CORRUPT', `${path} is not JSON: ${messageOf(cause)}`, {
      cause,
      hint: 'remove the container, image or volume it belongs to and make it again',
    });
  }
}

/** False when there is no such file; otherwise its time of change is now, where it may be set. Throws IO. */
export async function touch(path: string, what: string): Promise<boolean> {
  const now = new Date();
  try {
    await utimes(path, now, now).catch((error: unknown) => {
      if (!hasErrno(error, 'EROFS', 'EPERM', 'EACCES')) throw error;
      return access(path);
    });
    return true;
  } catch (error) {
    if (hasErrno(error, 'ENOENT', 'ENOTDIR')) return false;
    throw ioError(error, what);
  }
}

/** A system error as the store reports it: NO_SPACE when disk or quota are full, IO otherwise. A TsboxError stays itself. */
export function ioError(error: unknown, what: string): TsboxError {
  if (error instanceof TsboxError) return error;
  const text = `${what}: ${messageOf(error)}`;
  return hasErrno(error, 'ENOSPC', 'EDQUOT')
    ? new TsboxError('NO_SPACE', text, {
        cause: error,
        hint: 'free some space (tsbox rmi, tsbox rm), or put the store elsewhere with --root',
        check: 'store-space',
      })
    : new TsboxError('IO', text, { cause: error });
}

/** 64 hex digits of the kernel's randomness. From random(4), because loading node:crypto would cost 2 ms at every start. */
export function newId(): string {
  const bytes = Buffer.alloc(32);
  const fd = openSync('/dev/urandom', 'r');
  try {
    if (readSync(fd, bytes) !== bytes.length) throw new Error('short read from /dev/urandom');
  } finally {
    closeSync(fd);
  }
  return bytes.toString('hex');
}
