import { promises, readdirSync, statSync } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { hasErrno } from '../errors.ts';
import { ioError } from '../store/atomic.ts';

/** The files of a log, which is put aside as `log.1`, `log.2` … when it has reached its size: the newest first. */
export function logFiles(path: string): string[] {
  const prefix = `${basename(path)}.`;
  const numbers = names(dirname(path))
    .filter(name => name.startsWith(prefix) && /^\d+$/.test(name.slice(prefix.length)))
    .map(name => Number(name.slice(prefix.length)));
  return [path, ...numbers.sort((a, b) => a - b).map(n => `${path}.${n}`)];
}

function names(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

/** Looks for a file again as long as the log is put aside under it: names then mean other files than they did. */
export async function whileSteady<T extends { close(): Promise<void> }>(
  path: string,
  look: () => Promise<T | undefined>,
): Promise<T | undefined> {
  for (;;) {
    const before = inodeOf(path);
    const found = await look();
    if (inodeOf(path) === before) return found;
    await found?.close();
  }
}

const inodeOf = (path: string): number | undefined => statSync(path, { throwIfNoEntry: false })?.ino;

/** Undefined when there is none. */
export async function openLog(path: string): Promise<FileHandle | undefined> {
  return promises.open(path, 'r').catch((error: unknown) => {
    if (hasErrno(error, 'ENOENT')) return undefined;
    throw ioError(error, `cannot read ${path}`);
  });
}

/**
 * The file that comes after `file`, which may have got another name meanwhile; undefined while it is the newest. When it is
 * gone, because more was written than is kept, the oldest there is.
 */
export async function nextLog(path: string, file: FileHandle): Promise<FileHandle | undefined> {
  const { ino } = await file.stat();
  if (inodeOf(path) === ino) return undefined;
  return whileSteady(path, () => fileAfter(path, ino));
}

async function fileAfter(path: string, ino: number): Promise<FileHandle | undefined> {
  let newer: FileHandle | undefined;
  for (const name of logFiles(path)) {
    const candidate = await openLog(name);
    if (!candidate) continue;
    if ((await candidate.stat()).ino === ino) {
      await candidate.close();
      return newer;
    }
    await newer?.close();
    newer = candidate;
  }
  return newer;
}
