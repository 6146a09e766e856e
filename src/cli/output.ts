import { writeSync } from 'node:fs';
import { hasErrno, messageOf, TsboxError } from '../errors.ts';

/** A standard stream of the CLI. What is said on stderr is about the work, which goes on where nobody hears it: there nothing is thrown. */
export interface Output {
  /** Throws OutputClosed, and IO when it cannot be written. */
  write(data: string | Uint8Array): void;
  /** Resolves when everything has been written. Throws OutputClosed. */
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
    const bytes = typeof data === 'string' ? Buffer.from(data) : data;
    if (this.#closed) this.#fail(new OutputClosed());
    else if (this.#stream) this.#stream.write(bytes);
    else this.#writeAll(bytes);
  }

  async flush(): Promise<void> {
    const stream = this.#stream;
    if (stream && !this.#closed) await new Promise<void>(resolve => stream.write('', () => resolve()));
    if (this.#closed) this.#fail(new OutputClosed());
  }

  #writeAll(bytes: Uint8Array): void {
    let rest = bytes;
    try {
      while (rest.length > 0) rest = rest.subarray(writeSync(this.#fd, rest));
    } catch (error) {
      if (hasErrno(error, 'EAGAIN')) this.#switchToStream(rest);
      else this.#fail(this.#reasonOf(error));
    }
  }

  #reasonOf(error: unknown): Error {
    this.#closed = hasErrno(error, 'EPIPE', 'EIO', 'EBADF');
    if (this.#closed) return new OutputClosed();
    return new TsboxError('IO', `cannot write to stdout: ${messageOf(error)}`, { cause: error });
  }

  #fail(error: Error): void {
    if (this.#fd === 1) throw error;
  }

  #switchToStream(rest: Uint8Array): void {
    this.#stream = this.#fd === 1 ? process.stdout : process.stderr;
    this.#stream.on('error', () => {
      this.#closed = true;
    });
    this.#stream.write(rest);
  }
}
