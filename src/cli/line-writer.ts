import type { Output } from './output.ts';

const ENOUGH = 64 * 1024;

/**
 * Gathers small pieces into large writes, and writes at the latest when the event loop turns: a followed log is seen at
 * once, a long one costs few system calls. The order between the two streams is kept.
 */
export class LineWriter {
  readonly #outputs: Readonly<Record<'stdout' | 'stderr', Output>>;
  #pieces: Uint8Array[] = [];
  #size = 0;
  #stream: 'stdout' | 'stderr' = 'stdout';
  #scheduled: NodeJS.Immediate | undefined;
  #failure: unknown;

  constructor(stdout: Output, stderr: Output) {
    this.#outputs = { stdout, stderr };
  }

  write(stream: 'stdout' | 'stderr', data: Uint8Array): void {
    if (this.#failure) throw this.#failure;
    if (stream !== this.#stream) this.flush();
    this.#stream = stream;
    this.#pieces.push(data);
    this.#size += data.length;
    if (this.#size >= ENOUGH) this.flush();
    else this.#scheduled ??= setImmediate(() => this.#later());
  }

  flush(): void {
    clearImmediate(this.#scheduled);
    this.#scheduled = undefined;
    const pieces = this.#pieces;
    this.#pieces = [];
    this.#size = 0;
    if (pieces.length > 0) this.#outputs[this.#stream].write(Buffer.concat(pieces));
  }

  /** Nobody can catch what is thrown here: the next write throws it. */
  #later(): void {
    try {
      this.flush();
    } catch (error) {
      this.#failure = error;
    }
  }
}
