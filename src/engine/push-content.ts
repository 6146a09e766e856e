import type { Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { pipeline, Readable } from 'node:stream';
import { createGzip } from 'node:zlib';
import type { BlobContent, BlobSize } from '../registry/upload-steps.ts';
import { newSha256 } from '../util/hash.ts';

const PIECE = 1 << 20;
// Twice as fast as zlib's default, and the blob is hardly larger: the wire is rarely faster than this.
const LEVEL = 3;

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
    const hash = newSha256();
    const plain = newSha256();
    let size = 0;
    const gzip = createGzip({ level: LEVEL, chunkSize: 256 << 10 });
    // An error of the source comes out of the stream that is read below.
    pipeline(Readable.from(this.#counted(plain), { objectMode: false }), gzip, () => {});
    for await (const chunk of gzip as AsyncIterable<Buffer>) {
      hash.update(chunk);
      size += chunk.length;
      yield chunk;
    }
    const diffId = `sha256:${plain.digest('hex')}`;
    this.#made = { digest: `sha256:${hash.digest('hex')}`, size, diffId };
  }

  /** With the digest of the uncompressed archive as it was read. */
  describe(): BlobSize & { readonly diffId: string } {
    if (this.#made === undefined) throw new Error('the layer has not been compressed to its end');
    return this.#made;
  }

  async *#counted(plain: Hash): AsyncGenerator<Buffer> {
    let done = 0;
    for await (const chunk of this.#open()) {
      plain.update(chunk);
      yield chunk;
      done += chunk.length;
      this.#onBytes(done);
    }
  }
}
