import { TsboxError } from '../errors.ts';

/** As much as tells an archive from a text: one block of tar. */
const HEAD = 512;
const MAX_TEXT = 16 << 20;

const MAGICS: readonly (readonly number[])[] = [
  [0x1f, 0x8b],
  [0x28, 0xb5, 0x2f, 0xfd],
  [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00],
  [0x42, 0x5a, 0x68],
];

/** The beginning of a stream, and the whole of it as if nothing had been read. */
export async function peekStart(
  stream: AsyncIterable<Buffer>,
): Promise<{ head: Buffer; all: AsyncIterable<Buffer> }> {
  const pieces = stream[Symbol.asyncIterator]();
  const read: Buffer[] = [];
  let length = 0;
  while (length < HEAD) {
    const next = await pieces.next();
    if (next.done) break;
    read.push(Buffer.from(next.value));
    length += next.value.length;
  }
  const head = Buffer.concat(read);
  return { head, all: joined(head, pieces) };
}

async function* joined(head: Buffer, rest: AsyncIterator<Buffer>): AsyncGenerator<Buffer> {
  if (head.length > 0) yield head;
  for (let next = await rest.next(); !next.done; next = await rest.next()) yield next.value;
}

/** By the magic numbers of compressions, or the checksum of a tar header. */
export function isArchive(head: Buffer): boolean {
  if (MAGICS.some(magic => magic.every((byte, i) => head[i] === byte))) return true;
  if (head.length < HEAD) return false;
  const block = head.subarray(0, HEAD);
  // An archive without entries is two empty blocks.
  if (block.every(byte => byte === 0)) return true;
  const said = Number.parseInt(block.toString('latin1', 148, 156), 8);
  const sum = block.reduce((total, byte, i) => total + (i >= 148 && i < 156 ? 0x20 : byte), 0);
  return sum === said;
}

export async function textOf(stream: AsyncIterable<Buffer>): Promise<string> {
  const pieces: Buffer[] = [];
  let length = 0;
  for await (const piece of stream) {
    length += piece.length;
    if (length > MAX_TEXT) throw new TsboxError('DOCKERFILE', 'the Dockerfile is larger than 16 MiB');
    pieces.push(Buffer.from(piece));
  }
  return Buffer.concat(pieces).toString();
}
