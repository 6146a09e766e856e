import { closeSync, constants, lstatSync, openSync, readlinkSync, realpathSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { hasErrno, TsboxError } from '../errors.ts';
import type { ByteString } from '../layer/bytes.ts';
import { copyError } from '../layer/copy-error.ts';
import { CopyExtractor } from '../layer/copy-extract.ts';
import { heldWay } from '../layer/copy-frames.ts';
import { hostMetadata } from '../layer/copy-metadata.ts';
import {
  asksForDirectory,
  type CopyTarget,
  cleaned,
  inArchive,
  keepEnd,
  planCopy,
  splitEntry,
} from '../layer/copy-rules.ts';
import type { CopyFound } from '../layer/copy-tasks.ts';
import { heldPath, walkHeld } from '../layer/copy-walk.ts';
import { packItems } from '../layer/pack.ts';
import { TarReader } from '../layer/tar-reader.ts';

/** The host's side of `cp`: files of the caller, by the caller's own rights. */

const MAX_LINKS = 10;
/** O_PATH | O_DIRECTORY: to go in, the right to list it is not needed. */
const HOLD_THROUGH_LINK = 0o10000000 | constants.O_DIRECTORY;

/** Where a copy out will go. Throws USAGE with docker's words. */
export function checkDestination(path: string): CopyTarget {
  const absolute = keepEnd(cleaned(resolve(path)), path);
  const parent = dirname(cleaned(absolute));
  if (!statSync(parent, { throwIfNoEntry: false }))
    throw usage(`invalid output path: directory ${JSON.stringify(parent)} does not exist`);
  const target = withoutLinks(absolute);
  const stat = statSync(cleaned(target), { throwIfNoEntry: false });
  if (stat && !stat.isDirectory() && !stat.isFile())
    throw usage(`invalid output path: ${JSON.stringify(path)} must be a directory or a regular file`);
  if (stat?.isFile() && asksForDirectory(target)) throw usage(`${path}: not a directory`);
  return { path: target, exists: stat !== undefined, isDirectory: stat?.isDirectory() ?? false };
}

/** A link at the end leads to the destination. It is the user's own: where it leads is where the copy goes. */
function withoutLinks(path: string): string {
  let target = path;
  for (let links = 0; lstatSync(cleaned(target), { throwIfNoEntry: false })?.isSymbolicLink(); links++) {
    if (links > MAX_LINKS) throw usage(`too many symlinks in ${path}`);
    const clean = cleaned(target);
    target = keepEnd(resolve(dirname(clean), readlinkSync(clean)), path);
  }
  return target;
}

/** Writes what comes out of a container. No link that is made meanwhile is followed (copy-frames.ts). */
export async function extractTo(
  target: CopyTarget,
  found: CopyFound,
  pieces: AsyncIterable<Buffer>,
  keepOwners: boolean,
): Promise<void> {
  const { directory, rename } = planCopy(found, { ...target, path: bytesOf(target.path) });
  const fd = openDirectory(Buffer.from(directory, 'latin1').toString());
  const extractor = new CopyExtractor({
    directory: heldPath(fd),
    rename,
    way: heldWay,
    metadata: hostMetadata(keepOwners),
  });
  const reader = new TarReader(extractor);
  try {
    for await (const piece of pieces) reader.push(piece);
    reader.finish();
    extractor.finish();
  } finally {
    extractor.close();
    closeSync(fd);
  }
}

export interface CopySourceFiles {
  readonly found: CopyFound;
  /** The archive; a piece is valid until the next one is asked for. */
  readonly pieces: Iterable<Buffer>;
}

/** What a copy in takes. Throws NOT_FOUND, IO. */
export function openSource(path: string, followLink: boolean): CopySourceFiles {
  const absolute = keepEnd(cleaned(resolve(path)), path);
  const { source, asked } = followLink ? followed(absolute) : { source: absolute, asked: undefined };
  const stat = statusOf(source, path);
  const { directory, base } = splitEntry(source);
  const name = bytesOf(inArchive(base));
  return {
    found: {
      base: name,
      isDirectory: stat.isDirectory(),
      ...(asked !== undefined && { asked: bytesOf(asked) }),
    },
    pieces: archiveOf(
      directory,
      base,
      name,
      asksForDirectory(source) && lstatSync(cleaned(source)).isSymbolicLink(),
    ),
  };
}

/** The directory above is held while the archive is made. A link that ends in a slash means the directory behind it. */
function* archiveOf(
  directory: string,
  base: string,
  name: ByteString,
  throughLink: boolean,
): Generator<Buffer> {
  const fd = openDirectory(throughLink ? join(directory, base) : directory);
  try {
    const start = throughLink || base === '/' ? '.' : bytesOf(base);
    yield* packItems(walkHeld(heldPath(fd), start, name || '.'), OWNERSHIP);
  } catch (error) {
    throw copyError(error, name);
  } finally {
    closeSync(fd);
  }
}

/** The numbers of the host are the numbers of the archive. */
const OWNERSHIP = { holdsUid: () => true, holdsGid: () => true, keepSetuid: true };

function followed(path: string): { source: string; asked: string | undefined } {
  try {
    const source = keepEnd(realpathSync(path), path);
    const { base } = splitEntry(path);
    return { source, asked: base === splitEntry(source).base ? undefined : base };
  } catch (error) {
    throw unreadable(error, path);
  }
}

function statusOf(source: string, path: string) {
  try {
    return lstatSync(source);
  } catch (error) {
    throw unreadable(error, path);
  }
}

function openDirectory(path: string): number {
  try {
    return openSync(path, HOLD_THROUGH_LINK);
  } catch (error) {
    throw unreadable(error, path);
  }
}

function unreadable(error: unknown, path: string): TsboxError {
  if (hasErrno(error, 'ENOENT'))
    return new TsboxError('NOT_FOUND', `${path}: no such file or directory`, { cause: error, exitCode: 1 });
  return copyError(error, bytesOf(path));
}

const usage = (message: string): TsboxError => new TsboxError('USAGE', message, { exitCode: 1 });
const bytesOf = (text: string): ByteString => Buffer.from(text).toString('latin1');
