import { read } from 'node:fs';
import type { ApplyTask } from '../layer/tasks.ts';
import { type UnpackResult, unpackLayer } from '../layer/unpack.ts';
import { enterRootFd } from '../sys/chroot.ts';
import { ownershipOf } from './ownership.ts';

const DIRECTORY = 0;
const DATA = 4;
const READ = 256 * 1024;

/** The task `apply`: unpacks a layer into the directory. */
export async function apply({ mode, limits }: ApplyTask): Promise<UnpackResult> {
  const ownership = ownershipOf(mode);
  // Everything that is needed from files is loaded by now; from here on they are those of the layer.
  enterRootFd(DIRECTORY);
  return unpackLayer(readAll(DATA), { root: '', ownership, limits });
}

/** Reads on a worker thread, so that a piece is on its way while the one before is being written to files. */
async function* readAll(fd: number): AsyncGenerator<Buffer> {
  for (;;) {
    const buffer = Buffer.allocUnsafeSlow(READ);
    const filled = await fill(fd, buffer);
    if (filled > 0) yield buffer.subarray(0, filled);
    if (filled < READ) return;
  }
}

/** Until the buffer is full or the data ends: a pipe gives little at a time, and each piece costs a round of the decompressor. */
async function fill(fd: number, buffer: Buffer): Promise<number> {
  for (let filled = 0; filled < buffer.length; ) {
    const count = await readSome(fd, buffer, filled);
    if (count === 0) return filled;
    filled += count;
  }
  return buffer.length;
}

function readSome(fd: number, buffer: Buffer, offset: number): Promise<number> {
  return new Promise((resolve, reject) => {
    read(fd, buffer, offset, buffer.length - offset, null, (error, n) =>
      error ? reject(error) : resolve(n),
    );
  });
}
