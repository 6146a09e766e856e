import { TsboxError } from '../errors.ts';

/** What steers a response that is under way. */
export interface Flow {
  pause(): void;
  resume(): void;
  abort(reason: Error): void;
}

// Above this many bytes waiting for the consumer, the socket is no longer read.
const HIGH_WATER = 1 << 20;

/**
 * A response's body: bytes wait here until they are asked for, and the sender is slowed down when they pile up. Leaving a
 * `for await` loop early cancels the response.
 */
export class Body implements AsyncIterable<Buffer> {
  readonly #flow: Flow;
  #chunks: Buffer[] = [];
  #bytes = 0;
  #ended = false;
  #error: Error | undefined;
  #wake: (() => void) | undefined;

  constructor(flow: Flow) {
    this.#flow = flow;
  }

  push(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    if (this.#bytes > HIGH_WATER) this.#flow.pause();
    this.#wake?.();
  }

  /** The first end counts: what happens to the connection after it is nobody's concern. */
  end(error?: Error): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#error = error;
    this.#wake?.();
  }

  /** No more is wanted. Harmless after the end. */
  cancel(): void {
    if (this.#ended) return;
    this.end();
    this.#flow.abort(new TsboxError('ABORTED', 'the rest of the response is not wanted'));
  }

  /** All that has arrived, as one piece; undefined at the end. Rejects when the response broke off. */
  async next(): Promise<Buffer | undefined> {
    while (this.#chunks.length === 0 && !this.#ended) {
      await new Promise<void>(resolve => {
        this.#wake = resolve;
      });
    }
    const taken = this.#chunks;
    if (taken.length === 0 && this.#error !== undefined) throw this.#error;
    if (taken.length === 0) return undefined;
    const wasFull = this.#bytes > HIGH_WATER;
    this.#chunks = [];
    this.#bytes = 0;
    // Last, because it may push at once.
    if (wasFull && !this.#ended) this.#flow.resume();
    return taken.length === 1 ? taken[0] : Buffer.concat(taken);
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Buffer> {
    try {
      for (let chunk = await this.next(); chunk !== undefined; chunk = await this.next()) yield chunk;
    } finally {
      this.cancel();
    }
  }

  /**
   * The whole body, or what fits into `limit` bytes with `more` set. For small answers: a sender that takes longer than
   * `deadline` milliseconds for all of it is given up.
   */
  async read(limit: number, deadline = 60_000): Promise<{ bytes: Buffer; more: boolean }> {
    const chunks: Buffer[] = [];
    let size = 0;
    const timer = setTimeout(() => this.#giveUp(), deadline);
    try {
      for await (const chunk of this) {
        chunks.push(chunk);
        size += chunk.length;
        if (size > limit) break;
      }
    } finally {
      clearTimeout(timer);
    }
    return { bytes: Buffer.concat(chunks).subarray(0, limit), more: size > limit };
  }

  #giveUp(): void {
    const error = Object.assign(new Error('too slow'), { code: 'ETIMEDOUT' });
    this.end(error);
    this.#flow.abort(error);
  }
}
