import { open } from 'node:fs/promises';
import type { Readable, Writable } from 'node:stream';
import { messageOf, TsboxError } from '../errors.ts';
import { selfCommand } from '../host/self.ts';
import { DEFAULT_LIMITS } from '../layer/decompress.ts';
import type { ApplyTask, TaskReply } from '../layer/tasks.ts';
import type { UnpackResult } from '../layer/unpack.ts';
import { ops } from '../plan/ops.ts';
import { type EnterHost, type EnterProcess, enter } from '../runtime/enter.ts';
import type { LayerRecord } from '../store/layers.ts';
import type { Engine } from './context.ts';

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

/** Errors of a process that died without a word are cut to this many characters of what it printed. */
const MAX_NOISE = 2000;

/** Starts it with the directory `root` as its descriptor 0. Throws USERNS, HOST, IO. */
export async function startUnpack(engine: Engine, host: EnterHost, root: string): Promise<UnpackProcess> {
  const limits = { ...DEFAULT_LIMITS, maxRatio: engine.config.layer.maxRatio };
  const task: ApplyTask = { task: 'apply', mode: host.maps.mode, limits };
  const [program = '', ...argv] = selfCommand('userns');
  const plan = [
    ops.env(['PATH=/usr/bin:/bin', 'LC_ALL=C'], 'nothing of the caller is needed to unpack'),
    ops.exec(
      program,
      [program, ...argv, JSON.stringify(task)],
      'tsbox itself, where the ids of the layer exist',
    ),
  ];
  const directory = await open(root, 'r');
  try {
    return new Running(
      enter(host, plan, { name: 'unpack', stdio: [directory.fd, 'pipe', 'pipe'], pipes: 1 }),
      task.mode,
    );
  } finally {
    await directory.close();
  }
}

class Running implements UnpackProcess {
  readonly mode: LayerRecord['userns'];
  readonly #process: EnterProcess;
  readonly #data: Writable;
  readonly #result: Promise<UnpackResult>;
  #ended = false;

  constructor(process: EnterProcess, mode: LayerRecord['userns']) {
    this.mode = mode;
    this.#process = process;
    this.#data = process.child.stdio[4] as Writable;
    // When it ends early, the pipe breaks; why it ended is in its reply.
    this.#data.on('error', () => {});
    const said = collect(process.child.stdout);
    const noise = collect(process.child.stderr);
    this.#result = process.result
      .then(status => readReply(said(), noise(), status))
      .finally(() => {
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

function readReply(said: string, noise: string, status: number): UnpackResult {
  const reply = parseReply(said);
  if (reply && 'ok' in reply) return reply.ok;
  if (reply) throw new TsboxError(reply.error.code, reply.error.message, reply.error);
  const detail = noise.trim().slice(-MAX_NOISE);
  throw new TsboxError(
    'INTERNAL',
    `the process that unpacks layers ended with status ${status}${detail && `: ${detail}`}`,
  );
}

function parseReply(line: string): TaskReply | undefined {
  try {
    return JSON.parse(line) as TaskReply;
  } catch (error) {
    if (line === '') return undefined;
    throw new TsboxError(
      'INTERNAL',
      `malformed reply of the process that unpacks layers: ${messageOf(error)}`,
    );
  }
}

function collect(stream: Readable | null): () => string {
  const chunks: Buffer[] = [];
  stream?.on('data', (chunk: Buffer) => chunks.push(chunk));
  return () => Buffer.concat(chunks).toString();
}
