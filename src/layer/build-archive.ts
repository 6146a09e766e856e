import { writeSync } from 'node:fs';
import { hasErrno, TsboxError } from '../errors.ts';
import { newSha256 } from '../util/hash.ts';
import { TAR_END } from './tar-writer.ts';

const PIECE = 256 * 1024;

/** An archive on its way to a file, hashed as it passes. */
export class ArchiveFile {
  readonly #fd: number;
  readonly #hash = newSha256();
  readonly #buffer = Buffer.allocUnsafeSlow(PIECE);
  #filled = 0;
  #length = 0;

  constructor(fd: number) {
    this.#fd = fd;
  }

  add(bytes: Buffer): void {
    for (let at = 0; at < bytes.length; ) {
      if (this.#filled === PIECE) this.#flush();
      const count = bytes.copy(this.#buffer, this.#filled, at);
      this.#filled += count;
      at += count;
    }
  }

  /** `withEnd`: writes the two blocks that end an archive. */
  finish(withEnd = true): { digest: string; length: number } {
    if (withEnd) this.add(TAR_END);
    this.#flush();
    return { digest: `sha256:${this.#hash.digest('hex')}`, length: this.#length };
  }

  #flush(): void {
    const piece = this.#buffer.subarray(0, this.#filled);
    this.#hash.update(piece);
    this.#length += piece.length;
    this.#filled = 0;
    writeWhole(this.#fd, piece);
  }
}

/** Throws NO_SPACE. */
export function writeWhole(fd: number, piece: Buffer): void {
  try {
    for (let at = 0; at < piece.length; ) at += writeSync(fd, piece, at);
  } catch (cause) {
    if (!hasErrno(cause, 'ENOSPC', 'EDQUOT')) throw cause;
    throw new TsboxError('NO_SPACE', 'the disk or the quota is full', {
      cause,
      hint: 'free some space (tsbox system prune), or put the store elsewhere with --root',
      check: 'store-space',
    });
  }
}
