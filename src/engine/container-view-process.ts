import type { Duplex } from 'node:stream';
import { TsboxError } from '../errors.ts';
import type { CopyDone, CopyFound, CopyReply } from '../layer/copy-tasks.ts';
import type { EnterProcess } from '../runtime/enter.ts';

/** A task that works in a container's root file system (container-view.ts). */
export interface ContainerView {
  /** The archive, in or out. An error of it is not emitted: `done` has the reason. */
  readonly data: Duplex;
  /** False when the container's lock was somebody else's; then nothing was done. */
  readonly isBegun: Promise<boolean>;
  /** What `copy-out` found, before its archive. Rejects as `done`. */
  readonly found: Promise<CopyFound>;
  /** Resolves when the process has done its work and is gone. Rejects with why it could not. */
  readonly done: Promise<CopyDone>;
  /** Ends it, if it has not ended, and waits until it is gone. */
  stop(): Promise<void>;
}

const MAX_NOISE = 2000;

export class ViewProcess implements ContainerView {
  readonly data: Duplex;
  readonly isBegun: Promise<boolean>;
  readonly found: Promise<CopyFound>;
  readonly done: Promise<CopyDone>;
  readonly #process: EnterProcess;

  constructor(process: EnterProcess, signal: AbortSignal | undefined) {
    this.#process = process;
    this.data = process.child.stdio[4] as Duplex;
    this.data.on('error', () => {});
    const replies = new Replies(process);
    const abort = (): void => void this.stop();
    signal?.addEventListener('abort', abort, { once: true });
    this.done = process.result
      .then(status => {
        signal?.throwIfAborted();
        return replies.result(status);
      })
      .finally(() => signal?.removeEventListener('abort', abort));
    // Who waits for what was found waits no longer than the process lives.
    this.found = Promise.race([replies.found, this.done.then(() => replies.found)]);
    this.isBegun = Promise.race([replies.started, process.result.then(() => true, isOurs)]);
    for (const promise of [this.done, this.found]) promise.catch(() => {});
  }

  async stop(): Promise<void> {
    this.data.destroy();
    this.#process.child.kill('SIGKILL');
    await this.done.catch(() => {});
  }
}

/** The lock's failure is the only one that another attempt mends. */
const isOurs = (error: unknown): boolean =>
  !(error instanceof TsboxError && error.code === 'BAD_STATE' && error.message.includes('just starting it'));

/** Lines of JSON that the process writes. */
class Replies {
  readonly started: Promise<true>;
  readonly found: Promise<CopyFound>;
  readonly #last: CopyReply[] = [];
  readonly #noise: Buffer[] = [];

  constructor({ child }: EnterProcess) {
    let begin = (_: true): void => {};
    let find = (_: CopyFound): void => {};
    this.started = new Promise(resolve => {
      begin = resolve;
    });
    this.found = new Promise(resolve => {
      find = resolve;
    });
    let rest = '';
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        const reply = JSON.parse(line) as CopyReply;
        if ('begun' in reply) begin(true);
        else if ('found' in reply) find(reply.found);
        else this.#last.push(reply);
      }
    });
    child.stderr?.on('data', (chunk: Buffer) => this.#noise.push(chunk));
  }

  result(status: number): CopyDone {
    const reply = this.#last.at(-1);
    if (reply && 'ok' in reply) return reply.ok;
    if (reply && 'error' in reply) throw new TsboxError(reply.error.code, reply.error.message, reply.error);
    const noise = Buffer.concat(this.#noise).toString().trim().slice(-MAX_NOISE);
    throw new TsboxError(
      'INTERNAL',
      `the process in the container's files ended with status ${status}${noise && `: ${noise}`}`,
    );
  }
}
