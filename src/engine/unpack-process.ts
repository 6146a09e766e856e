import type { Writable } from 'node:stream';
import { TsboxError } from '../errors.ts';
import { DEFAULT_LIMITS } from '../layer/decompress.ts';
import type { ApplyTask } from '../layer/tasks.ts';
import type { UnpackResult } from '../layer/unpack.ts';
import type { EnterHost } from '../runtime/enter.ts';
import type { LayerRecord } from '../store/layers.ts';
import type { Engine } from './context.ts';
import { startTask, type UsernsProcess } from './userns-process.ts';

/** The process that unpacks one layer (src/userns/main.ts). */
export interface UnpackProcess {
  readonly mode: LayerRecord['userns'];
  /** Resolves when more bytes are welcome. Rejects with what ended the process. */
  write(chunk: Uint8Array): Promise<void>;
  /** No more bytes: resolves with what was unpacked. */
  finish(): Promise<UnpackResult>;
  /** Ends it and waits until it is gone. */
  stop(): Promise<void>;
}

/** Starts it with the directory `root` as its descriptor 0. Throws USERNS, HOST, IO. */
export async function startUnpack(engine: Engine, host: EnterHost, root: string): Promise<UnpackProcess> {
  const limits = { ...DEFAULT_LIMITS, maxRatio: engine.config.layer.maxRatio };
  const task: ApplyTask = { task: 'apply', mode: host.maps.mode, limits };
  const what = 'the process that unpacks layers';
  return new Running(await startTask(host, task, { name: 'unpack', directory: root, what }), task.mode);
}

class Running implements UnpackProcess {
  readonly mode: LayerRecord['userns'];
  readonly #process: UsernsProcess<UnpackResult>;
  readonly #data: Writable;
  readonly #result: Promise<UnpackResult>;
  #ended = false;

  constructor(process: UsernsProcess<UnpackResult>, mode: LayerRecord['userns']) {
    this.mode = mode;
    this.#process = process;
    this.#data = process.child.stdio[4] as Writable;
    // When it ends early, the pipe breaks; why it ended is in its reply.
    this.#data.on('error', () => {});
    this.#result = process.result.finally(() => {
      this.#ended = true;
    });
    // It may fail before anybody asks.
    this.#result.catch(() => {});
  }

  async write(chunk: Uint8Array): Promise<void> {
    if (!this.#ended && this.#data.writable && this.#data.write(chunk)) return;
    const outcome = await Promise.race([this.#drained(), this.#result]);
    if (outcome !== 'drained') throw new TsboxError('LAYER', 'the archive ended before its last bytes');
  }

  async finish(): Promise<UnpackResult> {
    this.#data.end();
    return this.#result;
  }

  async stop(): Promise<void> {
    // It reads the end of its input as a truncated archive and stops; the signal is for one that does not read any more.
    this.#data.destroy();
    this.#process.child.kill('SIGKILL');
    await this.#result.catch(() => {});
  }

  #drained(): Promise<'drained'> {
    return new Promise(resolve => {
      if (this.#data.writable && !this.#data.writableNeedDrain) resolve('drained');
      else this.#data.once('drain', () => resolve('drained'));
    });
  }
}
