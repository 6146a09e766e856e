import { constants, promises } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { hasErrno } from '../errors.ts';
import { mkdir, readdir, stat } from '../util/files.ts';
import { ioError, newId } from './atomic.ts';

/** Half-written blobs: `tmp/blob-<random>`, locked by who writes them. */
export const BLOB_PREFIX = 'blob-';

/**
 * A directory under `tmp/` that something is being made in. It is held with flock(2) on the directory itself, so that a
 * killed process leaves one that nobody holds: garbage, which the next command sweeps.
 */
export interface WorkDir {
  readonly path: string;
  /** The open directory; a child process that gets it can reach the directory whatever lies above is closed to it. */
  readonly fd: number;
  /** Lets go. What is still there is garbage from now on. */
  release(): Promise<void>;
}

/** Makes and holds `tmp/<prefix>-<random>`, mode 0700. Throws IO or NO_SPACE. */
export async function makeWorkDir(tmpDir: string, prefix: string): Promise<WorkDir> {
  const { tryFlock } = await import('../sys/flock.ts');
  for (;;) {
    const path = join(tmpDir, `${prefix}-${newId().slice(0, 16)}`);
    const directory = await makeAndOpen(path);
    // A sweeper may have come between mkdir and flock: then the directory is its, and gone.
    if (directory && tryFlock(directory.fd, 'exclusive') && (await isStillThere(directory, path))) {
      return { path, fd: directory.fd, release: () => directory.close() };
    }
    await directory?.close();
  }
}

/** Makes and holds `tmp/blob-<random>`, mode 0600. Throws the errors of open(2). */
export async function makeHeldFile(tmpDir: string): Promise<{ path: string; file: FileHandle }> {
  const { tryFlock } = await import('../sys/flock.ts');
  for (;;) {
    const path = join(tmpDir, BLOB_PREFIX + newId().slice(0, 16));
    const file = await promises.open(path, 'wx', 0o600);
    // As above: a sweeper may have come between open and flock.
    if (tryFlock(file.fd, 'exclusive') && (await isStillThere(file, path))) return { path, file };
    await file.close();
  }
}

/** Makes and holds a directory of `tmp/` whose name says what it is for; undefined when somebody else holds it. Throws IO or NO_SPACE. */
export async function takeNamedWorkDir(path: string): Promise<WorkDir | undefined> {
  const { tryFlock } = await import('../sys/flock.ts');
  for (;;) {
    const directory = await makeAndOpen(path);
    if (!directory) continue;
    if (!tryFlock(directory.fd, 'exclusive')) {
      await directory.close();
      return undefined;
    }
    if (await isStillThere(directory, path)) {
      return { path, fd: directory.fd, release: () => directory.close() };
    }
    await directory.close();
  }
}

/** Takes over an entry of `tmp/` that nobody holds; undefined when somebody does, or when it is gone or not of our making. */
export async function takeGarbage(path: string): Promise<WorkDir | undefined> {
  // A half-written blob is the one kind of file that its writer holds a lock on.
  const directory = basename(path).startsWith(BLOB_PREFIX) ? await openFile(path) : await openDirectory(path);
  if (!directory) return undefined;
  const { tryFlock } = await import('../sys/flock.ts');
  if (tryFlock(directory.fd, 'exclusive') && (await isStillThere(directory, path))) {
    return { path, fd: directory.fd, release: () => directory.close() };
  }
  await directory.close();
  return undefined;
}

/** Names in `tmp/`, held or not; empty when there is no `tmp/`. */
export async function listTemporary(tmpDir: string): Promise<string[]> {
  return readdir(tmpDir).catch((error: unknown) => {
    if (hasErrno(error, 'ENOENT')) return [];
    throw ioError(error, `cannot list ${tmpDir}`);
  });
}

async function makeAndOpen(path: string): Promise<FileHandle | undefined> {
  try {
    await mkdir(path, { recursive: true, mode: 0o700 });
    return await openDirectory(path);
  } catch (error) {
    throw ioError(error, `cannot make ${path}`);
  }
}

// A link planted under the name is not followed, and nobody waits for the other end of a FIFO.
const CAREFUL = constants.O_NOFOLLOW | constants.O_NONBLOCK;

const openDirectory = (path: string) => openCarefully(path, CAREFUL | constants.O_DIRECTORY);
const openFile = (path: string) => openCarefully(path, CAREFUL);

async function openCarefully(path: string, flags: number): Promise<FileHandle | undefined> {
  return promises.open(path, flags).catch((error: unknown) => {
    if (hasErrno(error, 'ENOENT', 'ENOTDIR', 'ELOOP')) return undefined;
    throw ioError(error, `cannot open ${path}`);
  });
}

async function isStillThere(directory: FileHandle, path: string): Promise<boolean> {
  const held = await directory.stat({ bigint: true });
  const named = await stat(path, { bigint: true }).catch(() => undefined);
  return named !== undefined && named.ino === held.ino && named.dev === held.dev;
}
