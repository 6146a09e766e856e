import { pipeline, Readable } from 'node:stream';
import zlib from 'node:zlib';
import { Decompress } from 'fzstd';
import { messageOf, TsboxError } from '../errors.ts';
import { layerError } from './error.ts';

export type Compression = 'none' | 'gzip' | 'zstd';
/** What archives of other kinds have and Node cannot undo: programs of the machine do (engine/foreign-compression.ts). */
export type ForeignCompression = 'xz' | 'bzip2';
export type InflateForeign = (
  compression: ForeignCompression,
  source: AsyncIterable<Buffer>,
) => AsyncIterable<Buffer>;

/** What an archive may grow to. */
export interface GrowthLimits {
  /** Times its compressed size … */
  readonly maxRatio: number;
  /** … once it is larger than this many bytes. */
  readonly freeBytes: number;
}

export const DEFAULT_LIMITS: GrowthLimits = { maxRatio: 200, freeBytes: 1 << 30 };

/** Bytes of one decompressed piece. Big pieces let one core inflate while the other writes files. */
const PIECE = 512 * 1024;
const AHEAD = 4 * PIECE;

/** Tells by the first bytes; the media type may be wrong or missing. Throws LAYER for compressions that layers do not have. */
export function detectCompression(head: Uint8Array): Compression {
  if (startsWith(head, 0x1f, 0x8b)) return 'gzip';
  if (startsWith(head, 0x28, 0xb5, 0x2f, 0xfd) || isSkippableFrame(head)) return 'zstd';
  const foreign = foreignCompression(head);
  if (foreign === undefined) return 'none';
  throw new TsboxError('LAYER', `the layer is compressed with ${foreign}`, {
    hint: 'layers are plain, gzip or zstd; make the image again with one of these',
  });
}

/** By the first six bytes. */
export function foreignCompression(head: Uint8Array): ForeignCompression | undefined {
  if (startsWith(head, 0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00)) return 'xz';
  return startsWith(head, 0x42, 0x5a, 0x68) ? 'bzip2' : undefined;
}

/**
 * The plain bytes of an archive, however it is compressed; xz and bzip2 only with `foreign`. Throws LAYER for damaged or
 * absurdly growing input.
 */
export async function* decompress(
  source: AsyncIterable<Buffer>,
  limits: GrowthLimits = DEFAULT_LIMITS,
  foreign?: InflateForeign,
): AsyncGenerator<Buffer> {
  const count = { in: 0, out: 0 };
  const { head, rest } = await peek(source, 6);
  const counted = countIn(rest, count);
  const other = foreign && foreignCompression(head);
  const pieces = other ? foreign(other, counted) : inflate(detectCompression(head), counted);
  for await (const piece of pieces) {
    count.out += piece.length;
    if (count.out > limits.freeBytes && count.out > limits.maxRatio * count.in) {
      throw new TsboxError('LAYER', `the archive grows to more than ${limits.maxRatio} times its size`, {
        hint: 'if it is meant to, raise layer.max_ratio in config.toml',
      });
    }
    yield piece;
  }
}

function inflate(compression: Compression, source: AsyncIterable<Buffer>): AsyncIterable<Buffer> {
  if (compression === 'none') return source;
  if (compression === 'gzip')
    return through(
      zlib.createGunzip({ chunkSize: PIECE, readableHighWaterMark: AHEAD } as zlib.ZlibOptions),
      source,
      'gzip',
    );
  // Node has zstd since 22.15; its declarations here are older.
  const { createZstdDecompress } = zlib as unknown as {
    createZstdDecompress?: (options: object) => zlib.Gunzip;
  };
  if (!createZstdDecompress) return unzstd(source);
  return through(createZstdDecompress({ chunkSize: PIECE, readableHighWaterMark: AHEAD }), source, 'zstd');
}

async function* through(
  transform: zlib.Gunzip,
  source: AsyncIterable<Buffer>,
  name: string,
): AsyncGenerator<Buffer> {
  let failed: unknown;
  // An error of the source (a broken download) is not one of the format: it is told apart by passing here first.
  const watched = watch(source, error => {
    failed = error;
  });
  pipeline(Readable.from(watched, { objectMode: true, highWaterMark: 8 }), transform, () => {});
  try {
    for await (const piece of transform) yield piece as Buffer;
  } catch (error) {
    throw failed ?? layerError(`damaged ${name} data: ${messageOf(error)}`, undefined, error);
  }
}

async function* unzstd(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const ready: Uint8Array[] = [];
  const stream = new Decompress(piece => ready.push(piece));
  const push = (chunk: Uint8Array, last: boolean) => {
    try {
      stream.push(chunk, last);
    } catch (error) {
      throw layerError(`damaged zstd data: ${messageOf(error)}`, undefined, error);
    }
    return ready.splice(0).map(piece => Buffer.from(piece.buffer, piece.byteOffset, piece.length));
  };
  for await (const chunk of source) yield* push(chunk, false);
  yield* push(new Uint8Array(0), true);
}

async function* countIn(source: AsyncIterable<Buffer>, count: { in: number }): AsyncGenerator<Buffer> {
  for await (const chunk of source) {
    count.in += chunk.length;
    yield chunk;
  }
}

async function* watch(
  source: AsyncIterable<Buffer>,
  onError: (error: unknown) => void,
): AsyncGenerator<Buffer> {
  try {
    yield* source;
  } catch (error) {
    onError(error);
    throw error;
  }
}

/** The first bytes (fewer when there are no more), and everything from the beginning again. */
export async function peek(
  source: AsyncIterable<Buffer>,
  count: number,
): Promise<{ head: Buffer; rest: AsyncIterable<Buffer> }> {
  const iterator = source[Symbol.asyncIterator]();
  const chunks: Buffer[] = [];
  let length = 0;
  while (length < count) {
    const next = await iterator.next();
    if (next.done) break;
    chunks.push(next.value);
    length += next.value.length;
  }
  async function* rest(): AsyncGenerator<Buffer> {
    try {
      yield* chunks;
      for (let next = await iterator.next(); !next.done; next = await iterator.next()) yield next.value;
    } finally {
      await iterator.return?.();
    }
  }
  return { head: Buffer.concat(chunks).subarray(0, count), rest: rest() };
}

/** 0x184D2A50 to …5F, little-endian (RFC 8878, 3.1.2): eStargz-like tools begin with one. */
function isSkippableFrame(head: Uint8Array): boolean {
  return head[0] !== undefined && (head[0] & 0xf0) === 0x50 && startsWith(head.subarray(1), 0x2a, 0x4d, 0x18);
}

function startsWith(bytes: Uint8Array, ...magic: number[]): boolean {
  return magic.every((byte, i) => bytes[i] === byte);
}
