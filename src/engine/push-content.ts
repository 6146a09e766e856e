import { createReadStream } from 'node:fs';
import type { BlobContent, BlobSize } from '../registry/upload-steps.ts';
import { newSha256 } from '../util/hash.ts';
import { gzip } from './push-gzip.ts';

const PIECE = 1 << 20;

/** A blob of the store as it is. */
export function storedBlob(path: string, known: BlobSize): BlobContent {
  return {
    known,
    open: () => createReadStream(path, { highWaterMark: PIECE }) as AsyncIterable<Buffer>,
    describe: () => known,
  };
}

/** Compresses a layer with gzip on its way. `open` gives the uncompressed archive; `onBytes` tells how much of it is done. */
export class CompressedLayer implements BlobContent {
  readonly known = undefined;
  readonly #open: () => AsyncIterable<Buffer>;
  readonly #onBytes: (done: number) => void;
  #made: (BlobSize & { readonly diffId: string }) | undefined;

  constructor(open: () => AsyncIterable<Buffer>, onBytes: (done: number) => void) {
    this.#open = open;
    this.#onBytes = onBytes;
  }

  async *open(): AsyncGenerator<Buffer> {
    this.#made = undefined;
    const plain = newSha256();
    const packed = newSha256();
    let size = 0;
    for await (const chunk of gzip(this.#read(bytes => plain.update(bytes)))) {
      packed.update(chunk);
      size += chunk.length;
      yield chunk;
    }
    const diffId = `sha256:${plain.digest('hex')}`;
    this.#made = { digest: `sha256:${packed.digest('hex')}`, size, diffId };
  }

  /** With the digest of the uncompressed archive as it was read. */
  describe(): BlobSize & { readonly diffId: string } {
    if (this.#made === undefined) throw new Error('the layer has not been compressed to its end');
    return this.#made;
  }

  async *#read(each: (chunk: Buffer) => void): AsyncGenerator<Buffer> {
    let done = 0;
    for await (const chunk of this.#open()) {
      each(chunk);
      done += chunk.length;
      yield chunk;
      this.#onBytes(done);
    }
  }
}
