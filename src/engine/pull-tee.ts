import { TsboxError } from '../errors.ts';
import type { BlobStore } from '../store/blobs.ts';
import { newSha256 } from '../util/hash.ts';
import type { LayerSink } from './unpack.ts';

/** What checks a blob's bytes, and keeps them or not. */
export interface Receiver {
  readonly offset: number;
  write(chunk: Uint8Array): Promise<void>;
  /** Throws DIGEST. */
  commit(): Promise<unknown>;
  abort(): Promise<void>;
}

export interface BlobSize {
  readonly digest: string;
  readonly size: number;
}

/** Where blobs are not kept, nothing is stored: the same checks alone. */
export async function receiverFor(blobs: BlobStore, blob: BlobSize, keep: boolean): Promise<Receiver> {
  return keep ? blobs.writer({ digest: blob.digest, size: blob.size }) : new Checker(blob);
}

// An archive that proves bad is read on to its end if that is near: its digest tells whether the network or its maker is to blame.
const NEAR_END = 32 << 20;

/** Gives the bytes of a download to the blob's receiver and to the process that unpacks them. */
export class Tee {
  readonly #blob: Receiver;
  readonly #size: number;
  readonly #sink: Promise<LayerSink | undefined>;
  readonly #onBytes: (offset: number) => void;
  #bad: unknown;

  constructor(
    blob: Receiver,
    size: number,
    sink: Promise<LayerSink | undefined>,
    onBytes: (offset: number) => void,
  ) {
    this.#blob = blob;
    this.#size = size;
    this.#sink = sink;
    this.#onBytes = onBytes;
  }

  get offset(): number {
    return this.#blob.offset;
  }

  async write(chunk: Buffer): Promise<void> {
    await Promise.all([this.#blob.write(chunk), this.#unpack(chunk)]);
    this.#onBytes(this.#blob.offset);
  }

  async #unpack(chunk: Buffer): Promise<void> {
    const sink = await this.#sink;
    if (this.#bad !== undefined) return;
    try {
      await sink?.write(chunk);
    } catch (error) {
      const isArchive = error instanceof TsboxError && error.code === 'LAYER';
      if (!isArchive || this.#size - this.#blob.offset > NEAR_END) throw error;
      this.#bad = error;
    }
  }

  /** All bytes are in. A wrong digest of the blob is thrown before what it made of the archive. */
  async finish(): Promise<void> {
    // A tree gets its name only when its own digest is right, so it need not wait for the blob's to be checked and synced.
    const ends = await Promise.allSettled([this.#blob.commit(), this.#endTree()]);
    const failed = ends.find(end => end.status === 'rejected');
    if (failed) throw failed.reason;
  }

  async #endTree(): Promise<void> {
    if (this.#bad !== undefined) throw this.#bad;
    await (await this.#sink)?.end();
  }
}

class Checker implements Receiver {
  readonly #hash = newSha256();
  readonly #blob: BlobSize;
  #offset = 0;

  constructor(blob: BlobSize) {
    this.#blob = blob;
  }

  get offset(): number {
    return this.#offset;
  }

  async write(chunk: Uint8Array): Promise<void> {
    this.#offset += chunk.length;
    if (this.#offset > this.#blob.size)
      throw this.#wrong(`is longer than the ${this.#blob.size} bytes announced`);
    this.#hash.update(chunk);
  }

  async commit(): Promise<void> {
    const digest = `sha256:${this.#hash.digest('hex')}`;
    if (digest !== this.#blob.digest) throw this.#wrong(`does not match: it is ${digest}`);
  }

  async abort(): Promise<void> {}

  #wrong(what: string): TsboxError {
    return new TsboxError('DIGEST', `content of ${this.#blob.digest} ${what}`);
  }
}
