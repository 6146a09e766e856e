import { writeSync } from 'node:fs';

const BLOCK = 4096;
const ZEROS = Buffer.alloc(BLOCK);

/**
 * Writes a piece of a new file and leaves out blocks of zeros: what was sparse stays sparse, whatever the archive made of it.
 * Whoever calls sets the length at the end.
 */
export function writeWithHoles(fd: number, piece: Buffer, offset: number): void {
  let from = 0;
  for (let at = 0; at < piece.length; ) {
    const end = Math.min(piece.length, at + BLOCK - ((offset + at) % BLOCK));
    if (piece.compare(ZEROS, 0, end - at, at, end) === 0) {
      writeAll(fd, piece.subarray(from, at), offset + from);
      from = end;
    }
    at = end;
  }
  writeAll(fd, piece.subarray(from), offset + from);
}

function writeAll(fd: number, bytes: Buffer, offset: number): void {
  for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at, bytes.length - at, offset + at);
}
