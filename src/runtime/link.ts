import { closeSync, read, write, writeSync } from 'node:fs';
import type { Duplex } from 'node:stream';

/** The bytes between this process and a helper. */
export interface Link {
  /** After the helper's end it does nothing: the helper's last words say why. */
  write(bytes: Uint8Array): void;
  /** The next bytes; undefined when the helper has closed its end. One at a time. */
  read(): Promise<Buffer | undefined>;
  close(): void;
}

const READ = 64 * 1024;

/**
 * A blocking socket without node:net. A read occupies a thread until something comes, and this process cannot end before:
 * whoever reads must know that an event or the end will come.
 */
export class FdLink implements Link {
  #fd: number;

  constructor(fd: number) {
    this.#fd = fd;
  }

  write(bytes: Uint8Array): void {
    try {
      for (let at = 0; this.#fd >= 0 && at < bytes.length; ) at += writeSync(this.#fd, bytes, at);
    } catch {} // EPIPE
  }

  /** As `write`, on a thread, resolved when it is done. One at a time. */
  async send(bytes: Uint8Array): Promise<void> {
    for (let at = 0; this.#fd >= 0 && at < bytes.length; ) {
      const n = await new Promise<number>(resolve =>
        write(this.#fd, bytes, at, bytes.length - at, null, (error, count) => resolve(error ? 0 : count)),
      );
      if (n === 0) return;
      at += n;
    }
  }

  read(): Promise<Buffer | undefined> {
    const buffer = Buffer.allocUnsafe(READ);
    return new Promise(resolve => {
      if (this.#fd < 0) resolve(undefined);
      else
        read(this.#fd, buffer, 0, READ, null, (_, n) => resolve(n > 0 ? buffer.subarray(0, n) : undefined));
    });
  }

  close(): void {
    if (this.#fd >= 0) closeSync(this.#fd);
    this.#fd = -1;
  }
}

/** A pipe of node:child_process. */
export class StreamLink implements Link {
  readonly #stream: Duplex;
  readonly #chunks: Buffer[] = [];
  #ended = false;
  #wake: (() => void) | undefined;

  constructor(stream: Duplex) {
    this.#stream = stream;
    const end = (): void => {
      this.#ended = true;
      this.#wake?.();
    };
    stream.on('data', (chunk: Buffer) => {
      this.#chunks.push(chunk);
      this.#wake?.();
    });
    // The helper may end before it has read everything; EPIPE says nothing.
    for (const event of ['end', 'close', 'error']) stream.on(event, end);
  }

  write(bytes: Uint8Array): void {
    if (!this.#stream.destroyed) this.#stream.write(bytes);
  }

  async read(): Promise<Buffer | undefined> {
    while (this.#chunks.length === 0 && !this.#ended)
      await new Promise<void>(resolve => {
        this.#wake = resolve;
      });
    return this.#chunks.shift();
  }

  close(): void {
    this.#stream.destroy();
  }
}
