import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { hasErrno, TsboxError } from '../errors.ts';
import { OPAQUE_NAME } from '../oci/whiteout.ts';
import { type ByteString, show, toPath } from './bytes.ts';
import { Describer, mark, type PackOwnership, removalOf } from './pack-entry.ts';
import { type PackItem, type WalkOptions, walkTree } from './pack-items.ts';
import { TAR_END, type TarMember, tarHeader, tarPadding } from './tar-writer.ts';

/** Receives the same entries as the archive, in the same order: a LayerApplier makes the tree that the archive describes. */
export interface PackCopy {
  entry(member: TarMember): void;
  data(piece: Buffer, offset: number): void;
  end(): void;
}

export interface PackResult {
  readonly entries: number;
  /** Bytes of the regular files. */
  readonly size: number;
}

export interface PackOptions extends WalkOptions {
  readonly ownership: PackOwnership;
  /** Name of the first entry; default: empty, which for a directory is `./` and left out if it says nothing. */
  readonly name?: ByteString;
}

const PIECE = 256 * 1024;

/**
 * The archive of a directory (or of one file), in pieces. A piece is valid until the next one is asked for. `root`: its
 * path without a slash at the end, empty for the root of the process, which it should be when somebody else can write to the tree.
 * Throws LAYER or IO; then the archive is cut off.
 */
export function packTree(root: ByteString, options: PackOptions): Generator<Buffer, PackResult> {
  return packItems(walkTree(root, options, options.name), options.ownership);
}

/** The same for items that somebody else has chosen. */
export function* packItems(
  items: Iterable<PackItem>,
  ownership: PackOwnership,
  copy?: PackCopy,
): Generator<Buffer, PackResult> {
  const out = new Batch();
  const describer = new Describer(ownership);
  const total = { entries: 0, size: 0 };
  for (const item of items) {
    try {
      if (item.kind === 'node') yield* packNode(item, describer, out, total, copy);
      else yield* packMark(item, out, total, copy);
    } catch (error) {
      throw packError(error, item.name);
    }
  }
  yield* out.add(TAR_END);
  yield* out.rest();
  return total;
}

type Total = { -readonly [K in keyof PackResult]: PackResult[K] };

function* packMark(
  { kind, name }: Exclude<PackItem, { kind: 'node' }>,
  out: Batch,
  total: Total,
  copy: PackCopy | undefined,
): Generator<Buffer> {
  const member =
    kind === 'removed' ? removalOf(name) : mark(`${name === '' ? '' : `${name}/`}${OPAQUE_NAME}`);
  total.entries++;
  copy?.entry(member);
  yield* out.add(tarHeader(member));
  copy?.end();
}

function* packNode(
  { name, path, stat }: Extract<PackItem, { kind: 'node' }>,
  describer: Describer,
  out: Batch,
  total: Total,
  copy: PackCopy | undefined,
): Generator<Buffer> {
  const fd = stat.isFile() ? openFile(path) : -1;
  try {
    if (stat.isFile() && fd < 0) return;
    const member = describer.describe(name, path, fd < 0 ? stat : fstatSync(fd, { bigint: true }));
    if (!member || (name === '' && isPlainRoot(member))) return;
    total.entries++;
    total.size += member.size;
    copy?.entry(member);
    yield* out.add(tarHeader(member));
    if (member.stored > 0) yield* packBody(fd, member.stored, out, copy);
    copy?.end();
  } finally {
    if (fd >= 0) closeSync(fd);
  }
}

/** A layer's root is this unless the archive says otherwise. */
const isPlainRoot = ({ type, uid, gid, mode, xattrs }: TarMember): boolean =>
  type === 'dir' && uid === 0 && gid === 0 && mode === 0o755 && !xattrs;

/** Neither a link nor a FIFO that was put in its place is followed. -1: it is gone. */
function openFile(path: ByteString): number {
  try {
    return openSync(toPath(path), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    if (hasErrno(error, 'ENOENT', 'ELOOP')) return -1;
    throw error;
  }
}

/** As many bytes as the header says, whatever becomes of the file meanwhile: a short one is filled with zeros, as by tar. */
export function* packBody(
  fd: number,
  size: number,
  out: Batch,
  copy: Pick<PackCopy, 'data'> | undefined,
): Generator<Buffer> {
  yield* packBytes(fd, size, out, copy);
  yield* out.add(tarPadding(size));
}

/** The same without what fills the last block. */
export function* packBytes(
  fd: number,
  size: number,
  out: Batch,
  copy?: Pick<PackCopy, 'data'>,
): Generator<Buffer> {
  for (let at = 0; at < size; ) {
    const room = yield* out.room();
    const wanted = Math.min(room.length, size - at);
    const count = readSync(fd, room, 0, wanted, at);
    if (count === 0) room.fill(0, 0, wanted);
    const piece = room.subarray(0, count === 0 ? wanted : count);
    copy?.data(piece, at);
    out.take(piece.length);
    at += piece.length;
  }
}

/** Collects small things: a pipe takes few large pieces faster than many small ones. */
export class Batch {
  readonly #buffer = Buffer.allocUnsafeSlow(PIECE);
  #filled = 0;

  *add(bytes: Buffer): Generator<Buffer> {
    for (let at = 0; at < bytes.length; ) {
      const room = yield* this.room();
      const count = bytes.copy(room, 0, at);
      this.take(count);
      at += count;
    }
  }

  /** What is free of the buffer, at least a byte; `take` says how much of it was filled. */
  *room(): Generator<Buffer, Buffer> {
    if (this.#filled === PIECE) yield* this.rest();
    return this.#buffer.subarray(this.#filled);
  }

  take(count: number): void {
    this.#filled += count;
  }

  *rest(): Generator<Buffer> {
    if (this.#filled > 0) yield this.#buffer.subarray(0, this.#filled);
    this.#filled = 0;
  }
}

function packError(error: unknown, name: ByteString): TsboxError {
  if (error instanceof TsboxError) return error;
  const { code, syscall } = error as { code?: unknown; syscall?: unknown };
  const reason = typeof code === 'string' ? `${String(syscall)}: ${code}` : String(error);
  return new TsboxError('IO', `cannot read ${show(name)}: ${reason}`, { cause: error });
}
