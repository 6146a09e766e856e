import { closeSync, readSync } from 'node:fs';

const PIECE = 256 * 1024;

/** The bytes of an open file from its beginning on; it is closed at the end. Each piece is a buffer of its own. */
export function* readSyncAll(fd: number): Generator<Buffer> {
  try {
    for (let at = 0; ; ) {
      const buffer = Buffer.allocUnsafe(PIECE);
      const count = readSync(fd, buffer, 0, PIECE, at);
      if (count === 0) return;
      at += count;
      yield buffer.subarray(0, count);
    }
  } finally {
    closeSync(fd);
  }
}

/** The same for those who wait for each piece. */
export async function* readAll(fd: number): AsyncGenerator<Buffer> {
  yield* readSyncAll(fd);
}
