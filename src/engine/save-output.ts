import { type FileHandle, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { hasErrno, TsboxError } from '../errors.ts';
import { TAR_END, tarHeader, tarPadding } from '../layer/tar-writer.ts';
import { ioError, temporaryName } from '../store/atomic.ts';
import type { Engine } from './context.ts';
import { checkAborted } from './load-image.ts';
import { bytesOf, type Member } from './save-members.ts';

// Nothing in an archive depends on when it was made: saving the same image twice makes the same bytes.
const EPOCH = { seconds: 0, nanoseconds: 0 };
// Who unpacks an archive without them makes them for root, which skopeo may not do as a normal user (seen with 1.9).
const DIRECTORIES = ['blobs/', 'blobs/sha256/'];

function headerOf(name: string, type: 'file' | 'dir', size: number): Buffer {
  const mode = type === 'dir' ? 0o755 : 0o644;
  const nobodys = { uid: 0, gid: 0, major: 0, minor: 0, mtime: EPOCH, link: '', xattrs: undefined };
  return tarHeader({ ...nobodys, name, type, mode, size, stored: size });
}

/** The archive's bytes. Throws ABORTED, STORE_CORRUPT, IO. */
export async function* tarOf(engine: Engine, members: readonly Member[]): AsyncGenerator<Buffer> {
  for (const name of DIRECTORIES) yield headerOf(name, 'dir', 0);
  for (const member of members) {
    const { name, size } = member;
    yield headerOf(name, 'file', size);
    for await (const piece of bytesOf(member)) {
      checkAborted(engine);
      yield piece;
    }
    const padding = tarPadding(size);
    if (padding.length > 0) yield padding;
  }
  yield TAR_END;
}

/** Writes to a stream and leaves it open. */
export async function writeToStream(
  bytes: AsyncIterable<Buffer>,
  stream: NodeJS.WritableStream,
): Promise<void> {
  await pipeline(Readable.from(bytes, { objectMode: true, highWaterMark: 2 }), stream, { end: false });
}

/**
 * Writes a file that has its name only when it is whole; what stood there before is there until then. Devices and FIFOs are
 * written to as they are. Throws IO, NO_SPACE.
 */
export async function writeToFile(bytes: AsyncIterable<Buffer>, path: string): Promise<void> {
  const isSpecial = await stat(path).then(
    s => !s.isFile(),
    () => false,
  );
  const target = isSpecial ? path : temporaryName(path);
  try {
    await fill(await open(target, isSpecial ? 'w' : 'wx', 0o666), bytes);
    if (!isSpecial) await rename(target, path);
  } catch (error) {
    if (!isSpecial) await rm(target, { force: true }).catch(() => {});
    throw ioError(error, `cannot write ${path}`);
  }
}

async function fill(file: FileHandle, bytes: AsyncIterable<Buffer>): Promise<void> {
  try {
    for await (const piece of bytes)
      for (let at = 0; at < piece.length; ) at += (await file.write(piece, at)).bytesWritten;
  } finally {
    await file.close();
  }
}

/** Makes a directory of the members; one that is there must be empty. On failure what was made goes. Throws CONFLICT, IO, NO_SPACE. */
export async function writeToDirectory(
  engine: Engine,
  members: readonly Member[],
  directory: string,
): Promise<void> {
  const isNew = await prepare(directory);
  try {
    await mkdir(join(directory, 'blobs', 'sha256'), { recursive: true });
    for (const member of members) {
      checkAborted(engine);
      await fill(await open(join(directory, member.name), 'wx', 0o666), bytesOf(member));
    }
  } catch (error) {
    const made = isNew ? [''] : ['blobs', 'index.json', 'oci-layout'];
    for (const name of made)
      await rm(join(directory, name), { recursive: true, force: true }).catch(() => {});
    throw ioError(error, `cannot write ${directory}`);
  }
}

/** True when the directory was made just now. */
async function prepare(directory: string): Promise<boolean> {
  try {
    await mkdir(directory);
    return true;
  } catch (error) {
    if (!hasErrno(error, 'EEXIST')) throw ioError(error, `cannot make ${directory}`);
  }
  const names = await readdir(directory).catch((error: unknown) => {
    throw ioError(error, `cannot write ${directory}`);
  });
  if (names.length === 0) return false;
  throw new TsboxError('CONFLICT', `${directory} is not empty`, {
    hint: 'an image layout is made in a new or an empty directory',
  });
}
