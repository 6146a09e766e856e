import type { Socket } from 'node:net';
import { TsboxError } from '../errors.ts';
import type { Field, Op } from '../plan/ops.ts';
import { Channel } from './channel.ts';
import { describeFailure } from './failure.ts';
import { requestRecords } from './header.ts';
import { type HelperProcess, startHelper } from './helper-process.ts';
import { follow, type LaunchPlan } from './launch.ts';
import { opRecord } from './wire.ts';

/** One command of a warm container, as pid 1 is asked for it (docs/helper-protocol.md, The life of `serve`). */
export interface CommandRequest {
  /** Walked by the command's own process, after what every command does. */
  readonly plan: readonly Op[];
  /** All of it is killed after that many milliseconds; 0: never. */
  readonly timeoutMs: number;
  /** Of both streams together; what comes after is thrown away. */
  readonly maxOutputBytes: number;
  /** What it leaves behind when it ends is killed. */
  readonly killBackground: boolean;
  /** Absent: its stdin is /dev/null. */
  readonly input?: AsyncIterator<Uint8Array> | undefined;
  /** A piece of stdout (1) or stderr (2). */
  readonly onOutput: (stream: 1 | 2, bytes: Buffer) => void;
}

export interface CommandEnd {
  /** 0 when a signal ended it. */
  readonly exitCode: number;
  /** 0: none. */
  readonly signal: number;
  readonly timedOut: boolean;
  readonly truncated: boolean;
  readonly microseconds: number;
  readonly cpuMicroseconds: number;
  /** Largest resident set of one of its processes, KiB. */
  readonly memory: number;
}

interface Waiting extends CommandRequest {
  readonly resolve: (end: CommandEnd) => void;
  readonly reject: (error: TsboxError) => void;
}

/** Commands at once. Pid 1 takes 64 (helpers/sandbox/serve.h); one that failed takes a place a moment longer than here. */
const MOST = 48;

/** What is sent in one piece: pid 1 asks for the next when the command has taken it. */
const PIECE = 256 * 1024;

/** Starts a container whose plan ends in `serve`; its supervisor lives as long as its pid 1, that one as long as this channel. */
export async function launchServing(helper: string, plan: LaunchPlan): Promise<CommandServer> {
  const process = startHelper({
    helper,
    role: 'supervise',
    id: plan.header.id,
    stdio: 'ignore',
    front: false,
  });
  const channel = new Channel(process.channel, plan.trace);
  channel.send(requestRecords(plan.header, plan.init, plan.services));
  try {
    await follow(channel, plan, process);
    return new CommandServer(channel, process);
  } catch (error) {
    channel.close();
    await process.gone();
    throw error;
  }
}

/** Pid 1 of a warm container, seen from here. */
export class CommandServer {
  readonly #channel: Channel;
  readonly #process: HelperProcess;
  readonly #waiting = new Map<string, Waiting>();
  /** Asked for while pid 1 had all the commands that it takes. */
  #queue: string[] = [];
  #count = 0;
  /** Resolves when nothing of the container is left. */
  readonly ended: Promise<void>;
  #alive = true;

  constructor(channel: Channel, process: HelperProcess) {
    this.#channel = channel;
    this.#process = process;
    this.#hold();
    this.ended = this.#listen();
  }

  get alive(): boolean {
    return this.#alive;
  }

  /** Commands under way. */
  get busy(): number {
    return this.#waiting.size;
  }

  /** Asks for a command. `started` gets the way to signal it: a number, or 0 for all that it has started. */
  run(request: CommandRequest, started?: (signal: (number: number) => void) => void): Promise<CommandEnd> {
    if (!this.#alive) return Promise.reject(gone());
    const id = String(++this.#count);
    const done = new Promise<CommandEnd>((resolve, reject) => {
      this.#waiting.set(id, { ...request, resolve, reject });
    });
    this.#hold();
    if (this.#waiting.size - this.#queue.length <= MOST) this.#begin(id, request);
    else this.#queue.push(id);
    started?.(number => this.#signal(id, number));
    return done;
  }

  /** One that has not begun yet never does. */
  #signal(id: string, number: number): void {
    if (!this.#queue.includes(id)) {
      this.#channel.send([['signal', id, String(number)]]);
      return;
    }
    this.#queue = this.#queue.filter(each => each !== id);
    const command = this.#waiting.get(id);
    this.#waiting.delete(id);
    command?.reject(new TsboxError('ABORTED', 'the command was called off before it began'));
  }

  /** Ends pid 1, and with it everything; resolves when the kernel has taken it apart. */
  async close(): Promise<void> {
    this.#hold(true);
    if (this.#alive) this.#channel.send([['end']]);
    await this.ended;
    await this.#process.gone();
    this.#channel.close();
  }

  #begin(id: string, { plan, timeoutMs, maxOutputBytes, killBackground, input }: CommandRequest): void {
    const flags = `${input ? 'im' : ''}${killBackground ? 'a' : ''}`;
    const limit = String(Math.min(maxOutputBytes, Number.MAX_SAFE_INTEGER));
    const head: Field[] = ['exec', id, String(Math.ceil(timeoutMs)), limit, flags, ''];
    try {
      this.#channel.send([head, ...plan.map(opRecord)]);
    } catch (error) {
      this.#settle(id)?.reject(error as TsboxError);
    }
  }

  /** The next piece of input; what cannot be read ends the command. */
  async #feed(id: string): Promise<void> {
    const input = this.#waiting.get(id)?.input;
    if (!input) return;
    try {
      const { value, done } = await input.next();
      if (this.#waiting.has(id)) this.#channel.send([['input', id, done ? '' : 'm', done ? '' : value]]);
    } catch (cause) {
      this.#channel.send([['signal', id, '0']]);
      this.#settle(id)?.reject(
        new TsboxError('IO', `the input of a command cannot be read: ${(cause as Error).message}`, { cause }),
      );
    }
  }

  async #listen(): Promise<void> {
    for (let event = await this.#channel.next(); event; event = await this.#channel.next()) {
      if (event.type === 'exited') break;
      if (event.type === 'command') this.#on(event.record);
    }
    this.#alive = false;
    for (const id of [...this.#waiting.keys()]) this.#settle(id)?.reject(gone());
  }

  #on(record: readonly Buffer[]): void {
    const [type, id = ''] = record.slice(0, 2).map(String);
    const command = this.#waiting.get(id);
    if (type === 'output') command?.onOutput(String(record[2]) === '2' ? 2 : 1, Buffer.from(record[3] ?? []));
    else if (type === 'took') void this.#feed(id);
    else if (type === 'unfit') this.#settle(id)?.reject(unfit(record, command?.plan ?? []));
    else this.#settle(id)?.resolve(endOf(record));
  }

  #settle(id: string): Waiting | undefined {
    const command = this.#waiting.get(id);
    this.#waiting.delete(id);
    const next = this.#queue.shift();
    const request = next === undefined ? undefined : this.#waiting.get(next);
    if (next !== undefined && request) this.#begin(next, request);
    void command?.input?.return?.();
    this.#hold();
    return command;
  }

  /** A program ends when nothing is under way, whether it has closed its containers or not: they end with it. */
  #hold(always = false): void {
    const { child } = this.#process;
    const socket = child?.stdio[3] as Socket | undefined;
    const way = always || this.#waiting.size > 0 ? 'ref' : 'unref';
    child?.[way]();
    socket?.[way]();
  }
}

/** What it was given in pieces that are not too large. */
export async function* inPieces(
  input: string | Uint8Array | AsyncIterable<string | Uint8Array>,
): AsyncGenerator<Uint8Array, undefined> {
  const parts = typeof input === 'string' || input instanceof Uint8Array ? [input] : input;
  for await (const part of parts) {
    const bytes = typeof part === 'string' ? Buffer.from(part) : part;
    for (let at = 0; at < bytes.length; at += PIECE) yield bytes.subarray(at, at + PIECE);
  }
  return undefined;
}

const gone = (): TsboxError =>
  new TsboxError('BAD_STATE', 'the sandbox has ended', {
    hint: 'make another one: tsbox.sandbox({ image })',
  });

/** The prologue's failures have no operations here: the sentence names the plan and the step. */
function unfit(record: readonly Buffer[], ops: readonly Op[]): TsboxError {
  const [, , plan = '', index = '0', errno = '0', detail = ''] = record.map(String);
  const own = plan === 'asked';
  if (own && ops[Number(index)]?.name !== 'exec')
    return describeFailure({ plan, index: Number(index), errno: Number(errno), detail, ops });
  return describeFailure({
    plan: own ? 'resume' : plan,
    index: Number(index),
    errno: Number(errno),
    detail,
    ops: own ? ops : [],
  });
}

function endOf(record: readonly Buffer[]): CommandEnd {
  const [exitCode = 0, signal = 0, late, cut, microseconds = 0, cpuMicroseconds = 0, memory = 0] = record
    .slice(2)
    .map(Number);
  return {
    exitCode,
    signal,
    timedOut: late === 1,
    truncated: cut === 1,
    microseconds,
    cpuMicroseconds,
    memory,
  };
}
