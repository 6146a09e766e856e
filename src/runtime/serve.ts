import type { Socket } from 'node:net';
import { messageOf, TsboxError } from '../errors.ts';
import type { Field, Op } from '../plan/ops.ts';
import { Channel } from './channel.ts';
import { describeFailure } from './failure.ts';
import { requestRecords } from './header.ts';
import { type HelperProcess, startHelper } from './helper-process.ts';
import { enrolled, follow, type LaunchPlan } from './launch.ts';
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
  readonly reject: (error: unknown) => void;
  /** It has failed; whoever asked for it hears of it when pid 1 has no process of it any more. */
  failure?: { readonly error: unknown };
}

/** Commands at once. Pid 1 takes 64 (helpers/sandbox/serve.h). */
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
  try {
    const header = plan.enroll ? await enrolled(plan, plan.enroll, process) : plan.header;
    channel.send(requestRecords(header, plan.init, plan.services));
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
    this.#forget(id)?.reject(new TsboxError('ABORTED', 'the command was called off before it began'));
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
    const limits = [whole(Math.ceil(timeoutMs)), whole(Math.floor(maxOutputBytes))];
    const head: Field[] = ['exec', id, ...limits, flags, ''];
    try {
      this.#channel.send([head, ...plan.map(opRecord)]);
    } catch (error) {
      this.#settle(id)?.reject(error);
    }
  }

  /** The next piece of input; what cannot be read ends the command. */
  async #feed(id: string, command: Waiting): Promise<void> {
    const { input, failure } = command;
    if (!input || failure) return;
    try {
      const { value, done } = await input.next();
      if (this.#waiting.has(id)) this.#channel.send([['input', id, done ? '' : 'm', done ? '' : value]]);
    } catch (cause) {
      const message = `the input of a command cannot be read: ${messageOf(cause)}`;
      this.#fail(id, command, new TsboxError('IO', message, { cause }));
    }
  }

  /** What the caller does with it is the caller's: it must hold up no other command. */
  #pass(id: string, command: Waiting, [, , stream, bytes = Buffer.alloc(0)]: readonly Buffer[]): void {
    if (command.failure) return;
    try {
      command.onOutput(String(stream) === '2' ? 2 : 1, Buffer.from(bytes));
    } catch (error) {
      this.#fail(id, command, error);
    }
  }

  #fail(id: string, command: Waiting, error: unknown): void {
    command.failure ??= { error };
    this.#channel.send([['signal', id, '0']]);
  }

  async #listen(): Promise<void> {
    const error = await this.#events().catch((cause: unknown) => {
      // What follows something that is no frame cannot be understood. Without its channel the container ends.
      this.#channel.close();
      return cause;
    });
    this.#alive = false;
    this.#queue = [];
    for (const id of [...this.#waiting.keys()]) this.#settle(id)?.reject(error ?? gone());
  }

  async #events(): Promise<void> {
    for (let event = await this.#channel.next(); event; event = await this.#channel.next()) {
      if (event.type === 'exited') return;
      if (event.type === 'command') this.#on(event.record);
    }
  }

  #on(record: readonly Buffer[]): void {
    const [type, id = '', plan] = record.slice(0, 3).map(String);
    const command = this.#waiting.get(id);
    if (!command) return;
    if (type === 'output') this.#pass(id, command, record);
    else if (type === 'took') void this.#feed(id, command);
    else if (type === 'ended') this.#end(id, record);
    else command.failure ??= { error: unfit(record, command.plan) };
    // Pid 1 could not even begin it: no `ended` follows.
    if (type === 'unfit' && plan === 'header') this.#end(id, record);
  }

  #end(id: string, record: readonly Buffer[]): void {
    const command = this.#settle(id);
    if (command?.failure) command.reject(command.failure.error);
    else command?.resolve(endOf(record));
  }

  #settle(id: string): Waiting | undefined {
    const command = this.#forget(id);
    const next = command && this.#queue.shift();
    const request = next === undefined ? undefined : this.#waiting.get(next);
    if (next !== undefined && request) this.#begin(next, request);
    return command;
  }

  #forget(id: string): Waiting | undefined {
    const command = this.#waiting.get(id);
    this.#waiting.delete(id);
    void command?.input?.return?.().catch(() => {});
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

/** A number as the helper reads it: digits alone, and far from where its own overflow. */
const whole = (value: number): string => String(Math.min(value, Number.MAX_SAFE_INTEGER));

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
