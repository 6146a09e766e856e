import {
  type BigIntStats,
  constants,
  lstatSync,
  openSync,
  readlinkSync,
  readSync,
  type Stats,
  writeSync,
} from 'node:fs';
import { hasErrno, messageOf, TsboxError } from '../errors.ts';
import { type ByteString, show, toPath } from '../layer/bytes.ts';
import { copyError, notFound } from '../layer/copy-error.ts';
import { CopyExtractor } from '../layer/copy-extract.ts';
import { insideWay } from '../layer/copy-frames.ts';
import { insideMetadata } from '../layer/copy-metadata.ts';
import { type CopyPlan, inArchive, keepEnd, planCopy, splitEntry } from '../layer/copy-rules.ts';
import type {
  CopyDone,
  CopyFound,
  CopyInTask,
  CopyOutTask,
  CopyReply,
  CopyTask,
  ExportTask,
} from '../layer/copy-tasks.ts';
import { type PackOptions, type PackResult, packItems, packTree } from '../layer/pack.ts';
import { type PackItem, walkTree } from '../layer/pack-items.ts';
import { TarReader } from '../layer/tar-reader.ts';
import { enterRootFd } from '../sys/chroot.ts';
import { realPathBytes } from '../sys/realpath.ts';
import { ownershipOf } from './ownership.ts';
import { writeAll } from './pack.ts';

const REPLY = 1;
const DATA = 4;
const PIECE = 256 * 1024;

/**
 * The tasks `copy-out`, `copy-in` and `export`: in a container's root file system, which becomes the root of this process. A
 * path that leads through any link of the container, whatever it exchanges meanwhile, ends in the container (CVE-2018-15664), and
 * nothing of it is loaded or executed: all code is here before (CVE-2019-14271).
 */
export function copy(task: CopyTask): void {
  process.umask(0);
  try {
    const ownership = ownershipOf(task.mode);
    enterRootFd(
      task.root === undefined ? 0 : openSync(task.root, constants.O_RDONLY | constants.O_DIRECTORY),
    );
    reply({ begun: true });
    reply({ ok: perform(task, ownership) });
  } catch (error) {
    const known = error instanceof TsboxError ? error : copyError(error, '');
    const { code, hint, check, exitCode } = known;
    reply({
      error: {
        code,
        message: messageOf(known),
        exitCode,
        ...(hint !== undefined && { hint }),
        ...(check && { check }),
      },
    });
    process.exitCode = 1;
  }
}

type PackOwnership = PackOptions['ownership'];

function perform(task: CopyTask, ownership: PackOwnership): CopyDone {
  if (task.task === 'copy-in') return copyIn(task, ownership);
  return task.task === 'copy-out' ? copyOut(task, ownership) : exportAll(task, ownership);
}

function copyOut({ path, followLink }: CopyOutTask, ownership: PackOwnership): CopyDone {
  const { source, asked } = followLink ? followed(path) : { source: path, asked: undefined };
  const isDirectory = statusOf(source).isDirectory();
  const base = inArchive(splitEntry(source).base);
  reply({ found: { base, isDirectory, ...(asked !== undefined && { asked }) } satisfies CopyFound });
  const root = source === '/' || source === '/.' ? '' : source;
  return send(packTree(root, { ...PLAIN, ownership, name: base || '.' }));
}

/** -L: what the link of that name leads to, and the name if it has another one. */
function followed(path: ByteString): { source: ByteString; asked: ByteString | undefined } {
  if (!statusOf(path).isSymbolicLink()) return { source: path, asked: undefined };
  const source = keepEnd(realPath(path), path);
  const { base } = splitEntry(path);
  return { source, asked: base === splitEntry(source).base ? undefined : base };
}

/** What is mounted in the container is not its own; the names it is mounted on are. */
function exportAll({ mounts }: ExportTask, ownership: PackOwnership): CopyDone {
  const mounted = new Set(mounts);
  const skip: PackOptions['skip'] = (name, stat) =>
    mounted.has(`/${name.slice(0, Math.max(0, name.lastIndexOf('/')))}`) ||
    (!stat.isDirectory() && mounted.has(`/${name}`));
  return send(packItems(withRootsMounts(walkTree('', { ...PLAIN, skip }), mounted), ownership));
}

/** The kernel's own file systems show an owner that the map does not hold. */
function* withRootsMounts(items: Iterable<PackItem>, mounted: ReadonlySet<ByteString>): Generator<PackItem> {
  for (const item of items) {
    if (item.kind === 'node' && mounted.has(`/${item.name}`)) {
      const stat: BigIntStats = Object.assign(Object.create(Object.getPrototypeOf(item.stat)), item.stat);
      stat.uid = stat.gid = 0n;
      yield { ...item, stat };
    } else yield item;
  }
}

const PLAIN = { removals: false, whiteoutNames: 'files' } as const;

function send(pieces: Generator<Buffer, PackResult>): CopyDone {
  return { entries: writeAll(pieces).entries, skipped: 0 };
}

function copyIn(task: CopyInTask, ownership: PackOwnership): CopyDone {
  const { directory, rename } = planIn(task);
  const real = realDirectory(directory);
  const metadata = insideMetadata(ownership, task.keepOwners);
  const extractor = new CopyExtractor({
    directory: real === '/' ? '' : real,
    rename,
    way: insideWay,
    metadata,
  });
  const reader = new TarReader(extractor);
  try {
    readData(piece => reader.push(piece));
    reader.finish();
    return extractor.finish();
  } finally {
    extractor.close();
  }
}

function planIn({ path, source }: CopyInTask): CopyPlan {
  const { target, stat } = destination(path);
  if (stat?.isCharacterDevice() || stat?.isBlockDevice()) {
    throw new TsboxError('USAGE', `${show(path)} must be a directory or a regular file: got a device`, {
      exitCode: 1,
    });
  }
  const isDirectory = stat?.isDirectory() ?? false;
  if (source) return planCopy(source, { path: target, exists: stat !== undefined, isDirectory });
  if (stat && !isDirectory)
    throw new TsboxError('USAGE', `${show(path)} must be a directory`, { exitCode: 1 });
  return { directory: target, rename: undefined };
}

/** A link at the end of the destination is followed. */
function destination(path: ByteString): { target: ByteString; stat: Stats | undefined } {
  const stat = lstat(path);
  if (!stat?.isSymbolicLink()) return { target: path, stat };
  const target = keepEnd(realPath(path), path);
  return { target, stat: lstat(target) };
}

function realDirectory(path: ByteString): ByteString {
  const real = realPath(path);
  if (lstat(real)?.isDirectory()) return real;
  throw new TsboxError('USAGE', `extraction point is not a directory: ${show(path)}`, { exitCode: 1 });
}

/** By this process's root, as every path here. */
function realPath(path: ByteString): ByteString {
  try {
    return realPathBytes(toPath(path)).toString('latin1');
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) throw notFound(path);
    throw copyError(error, path);
  }
}

function statusOf(path: ByteString): Stats {
  try {
    const stat = lstatSync(toPath(path));
    if (stat.isSymbolicLink()) readlinkSync(toPath(path));
    return stat;
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) throw notFound(path);
    throw copyError(error, path);
  }
}

/** Undefined when nothing can be there. */
function lstat(path: ByteString): Stats | undefined {
  try {
    return lstatSync(toPath(path));
  } catch (error) {
    if (hasErrno(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw copyError(error, path);
  }
}

function readData(use: (piece: Buffer) => void): void {
  const buffer = Buffer.allocUnsafeSlow(PIECE);
  for (let count = readSync(DATA, buffer); count > 0; count = readSync(DATA, buffer))
    use(buffer.subarray(0, count));
}

function reply(message: CopyReply): void {
  writeSync(REPLY, `${JSON.stringify(message)}\n`);
}
