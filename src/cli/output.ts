import { writeSync } from 'node:fs';
import { hasErrno, messageOf, TsboxError } from '../errors.ts';

const NAMES = { 1: 'stdout', 2: 'stderr' } as const;

/** A standard stream of the CLI. */
export interface Output {
  write(data: string | Uint8Array): void;
  /** Resolves when everything has been written. Throws OutputClosed, as write does. */
  flush(): Promise<void>;
}

/** The reader of our output has gone (`tsbox ps | head -1`): there is nothing more to do, and nothing to say. */
export class OutputClosed extends Error {}

/**
 * Writes straight to a descriptor. process.stdout is avoided: creating it costs start-up time and makes a pipe
 * non-blocking that a container may share. Only when the descriptor is non-blocking already does it take over.
 */
export class FdOutput implements Output {
  readonly #fd: 1 | 2;
  #stream: NodeJS.WriteStream | undefined;
  #closed = false;

  constructor(fd: 1 | 2) {
    this.#fd = fd;
  }

  write(data: string | Uint8Array): void {
    if (this.#closed) throw new OutputClosed();
    const bytes = typeof data === 'string' ? Buffer.from(data) : data;
    if (this.#stream) this.#stream.write(bytes);
    else this.#writeAll(bytes);
  }

  async flush(): Promise<void> {
    const stream = this.#stream;
    if (stream && !this.#closed) await new Promise<void>(resolve => stream.write('', () => resolve()));
    if (this.#closed) throw new OutputClosed();
  }

  #writeAll(bytes: Uint8Array): void {
    let rest = bytes;
    try {
      while (rest.length > 0) rest = rest.subarray(writeSync(this.#fd, rest));
    } catch (error) {
      if (hasErrno(error, 'EAGAIN')) this.#switchToStream(rest);
      else if (hasErrno(error, 'EPIPE', 'EIO', 'EBADF')) this.#close();
      else
        throw new TsboxError('IO', `cannot write to ${NAMES[this.#fd]}: ${messageOf(error)}`, {
          cause: error,
        });
    }
  }

  #close(): never {
    this.#closed = true;
    throw new OutputClosed();
  }

  #switchToStream(rest: Uint8Array): void {
    this.#stream = this.#fd === 1 ? process.stdout : process.stderr;
    this.#stream.on('error', () => {
      this.#closed = true;
    });
    this.#stream.write(rest);
  }
}
