import {
  chmodSync,
  closeSync,
  fchmodSync,
  lstatSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { hasErrno, messageOf, TsboxError } from '../errors.ts';
import { builtin } from '../util/builtin.ts';
import { makeDirectories } from './directories.ts';
import { cacheDirectory, ourUid } from './paths.ts';

/** Path inside, SHA-256 in hex, and length of a file. */
interface EmbeddedFile {
  readonly file: string;
  readonly digest: string;
  readonly length: number;
}

/** What the single-file executable carries (src/bundle/exe.ts sets it before anything else runs). */
type Embedded = Readonly<Record<'helper' | 'koffi', EmbeddedFile>>;

const embedded = (): Embedded => (globalThis as { TSBOX_EMBEDDED?: Embedded }).TSBOX_EMBEDDED as Embedded;

/** A real file with the helper that this executable carries. Throws as `unpacked`. */
export const embeddedHelper = (): string => unpacked('helper', '', 'TSBOX_HELPER to an installed helper');

/**
 * A real file with koffi's library. Bun would put it into /tmp under a name that follows from the user's number, where another user, or the same
 * number of another user namespace, may have a file. Throws as `unpacked`.
 */
export const embeddedKoffi = (): string => unpacked('koffi', '.node', 'use the npm package');

/**
 * Named by its digest, in a directory that nobody else can write (0700; root's is 0711, since containers of root run as other ids, which execute
 * the helper too), written and renamed as a whole. A file there that is not ours, has another length or can be written is replaced.
 * Throws HOST when the directory is not the user's own or cannot be made.
 */
function unpacked(what: keyof Embedded, suffix: string, instead: string): string {
  const { file, digest, length } = embedded()[what];
  const directory = cacheDirectory();
  const path = join(directory, `${what}-${digest.slice(0, 32)}${suffix}`);
  const mode = ourUid() === 0 ? 0o711 : 0o700;
  if (isSound(path, length) && isPrivate(directory, mode)) return path;
  try {
    makeDirectories(directory, mode);
    if (isPrivate(directory, 0)) chmodSync(directory, mode);
    if (!isPrivate(directory, mode))
      throw new Error('the directory must be the user’s own and closed to others (mode 0700)');
    place(path, readFileSync(file), digest);
    return path;
  } catch (cause) {
    throw new TsboxError('HOST', `${what} cannot be unpacked into ${directory}: ${messageOf(cause)}`, {
      cause,
      hint: `set XDG_CACHE_HOME to a directory of yours, or ${instead}`,
      check: 'helper-missing',
    });
  }
}

function place(path: string, bytes: Buffer, digest: string): void {
  if (builtin('node:crypto').createHash('sha256').update(bytes).digest('hex') !== digest)
    throw new Error('this executable is damaged');
  const temporary = `${path}.${process.pid}`;
  rmSync(temporary, { force: true });
  const fd = openSync(temporary, 'wx', 0o700);
  try {
    for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at);
    fchmodSync(fd, 0o555);
  } finally {
    closeSync(fd);
  }
  renameSync(temporary, path);
}

function isSound(path: string, length: number): boolean {
  try {
    const stat = lstatSync(path);
    return stat.isFile() && stat.uid === ourUid() && stat.size === length && (stat.mode & 0o222) === 0;
  } catch (error) {
    if (hasErrno(error, 'ENOENT', 'ENOTDIR', 'EACCES')) return false;
    throw error;
  }
}

/** Ours, writable for nobody else, and open as far as `mode` wants it. */
function isPrivate(directory: string, mode: number): boolean {
  const stat = lstatSync(directory);
  return (
    stat.isDirectory() && stat.uid === ourUid() && (stat.mode & 0o022) === 0 && (stat.mode & mode) === mode
  );
}
