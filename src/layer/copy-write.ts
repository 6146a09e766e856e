import { writeSync } from 'node:fs';

const BLOCK = 4096;
const ZEROS = Buffer.alloc(BLOCK);

/**
 * Writes a piece of a new file and leaves out blocks of zeros: what was sparse stays sparse, whatever the archive made of it.
 * Whoever calls sets the length at the end.
 */
export function writeWithHoles(fd: number, piece: Buffer, offset: number): void {
  let from = 0;
  for (let at = nextBlock(offset) - offset; at + BLOCK <= piece.length; at += BLOCK) {
    if (piece.compare(ZEROS, 0, BLOCK, at, at + BLOCK) !== 0) continue;
    writeAll(fd, piece.subarray(from, at), offset + from);
    from = at + BLOCK;
  }
  writeAll(fd, piece.subarray(from), offset + from);
}

const nextBlock = (offset: number): number => Math.ceil(offset / BLOCK) * BLOCK;

function writeAll(fd: number, bytes: Buffer, offset: number): void {
  for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at, bytes.length - at, offset + at);
}
