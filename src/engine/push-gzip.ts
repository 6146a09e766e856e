import * as zlib from 'node:zlib';

// gzip's own header: no name, no time (the digest depends on the content alone), unknown system.
const HEADER = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff]);
/** The last block of a deflate stream, empty. */
const LAST = Buffer.from([3, 0]);
const PIECE = 1 << 20;
// As many as Node has threads for it; more would only hold memory.
const AT_ONCE = 4;
// Twice as fast as zlib's default, and the blob is hardly larger: the wire is rarely faster than this.
const LEVEL = 3;

/**
 * Compresses to one gzip member (RFC 1952), pieces of 1 MiB at a time on all processors: each ends at a byte's border
 * (Z_SYNC_FLUSH, RFC 1951 stored block of no length), so the pieces only have to be put behind one another.
 */
export async function* gzip(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  yield HEADER;
  const pending: Promise<Buffer>[] = [];
  let crc = 0;
  let size = 0;
  for await (const piece of pieces(source)) {
    crc = crc32(piece, crc);
    size += piece.length;
    pending.push(deflate(piece));
    if (pending.length >= AT_ONCE) yield await (pending.shift() as Promise<Buffer>);
  }
  for (const rest of pending) yield await rest;
  const trailer = Buffer.alloc(8);
  trailer.writeUInt32LE(crc >>> 0, 0);
  trailer.writeUInt32LE(size % 2 ** 32, 4);
  yield Buffer.concat([LAST, trailer]);
}

function deflate(piece: Buffer): Promise<Buffer> {
  const options = { level: LEVEL, finishFlush: zlib.constants.Z_SYNC_FLUSH };
  const work = new Promise<Buffer>((resolve, reject) => {
    zlib.deflateRaw(piece, options, (error, bytes) => (error === null ? resolve(bytes) : reject(error)));
  });
  // Waited for in turn; until then a failure is not unhandled.
  work.catch(() => {});
  return work;
}

/** Copies, because a source may reuse its buffers. */
async function* pieces(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let piece = Buffer.allocUnsafe(PIECE);
  let filled = 0;
  for await (const chunk of source) {
    for (let at = 0; at < chunk.length; ) {
      const copied = chunk.copy(piece, filled, at);
      at += copied;
      filled += copied;
      if (filled < PIECE) continue;
      yield piece;
      piece = Buffer.allocUnsafe(PIECE);
      filled = 0;
    }
  }
  if (filled > 0) yield piece.subarray(0, filled);
}

let table: Uint32Array | undefined;

/** Node has its own since 20.15. */
const crc32: (bytes: Buffer, before: number) => number =
  (zlib as { crc32?: (bytes: Buffer, before: number) => number }).crc32 ?? slowCrc32;

/** CRC-32 of ISO 3309, as RFC 1952 has it. Exported for tests. */
export function slowCrc32(bytes: Buffer, before: number): number {
  table ??= makeTable();
  let crc = ~before;
  for (const byte of bytes) crc = (crc >>> 8) ^ (table[(crc ^ byte) & 0xff] ?? 0);
  return ~crc >>> 0;
}

function makeTable(): Uint32Array {
  return Uint32Array.from({ length: 256 }, (_, n) => {
    let crc = n;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
    return crc >>> 0;
  });
}
