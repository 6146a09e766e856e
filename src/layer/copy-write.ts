import { writeSync } from 'node:fs';

/** What is left out of a file that is written. */
export interface Holes {
  /** Zeros from one multiple of this to the next, at most 65536 bytes. */
  readonly block: number;
  /** Also those of them that a piece holds in part. */
  readonly partial: boolean;
}

const ZEROS = Buffer.alloc(65536);
const SMALL: Holes = { block: 4096, partial: true };

/**
 * Writes a piece of a new file and leaves out blocks of zeros: what was sparse stays sparse, whatever the archive made of it.
 * Returns where the last byte that was written ends, 0 for none. Whoever calls sets the length at the end.
 */
export function writeWithHoles(fd: number, piece: Buffer, offset: number, holes: Holes = SMALL): number {
  let from = 0;
  let end = 0;
  for (let at = 0; at < piece.length; ) {
    const next = Math.min(piece.length, at + holes.block - ((offset + at) % holes.block));
    const counts = holes.partial || next - at === holes.block;
    // Its first byte tells most blocks from zeros.
    if (counts && piece[at] === 0 && piece.compare(ZEROS, 0, next - at, at, next) === 0) {
      end = writeAll(fd, piece.subarray(from, at), offset + from) || end;
      from = next;
    }
    at = next;
  }
  return writeAll(fd, piece.subarray(from), offset + from) || end;
}

function writeAll(fd: number, bytes: Buffer, offset: number): number {
  for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at, bytes.length - at, offset + at);
  return bytes.length === 0 ? 0 : offset + bytes.length;
}
