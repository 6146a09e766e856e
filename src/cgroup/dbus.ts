import type { Socket } from 'node:net';
import { basename } from 'node:path';
import { messageOf, TsboxError } from '../errors.ts';
import { ourUid } from '../host/paths.ts';
import { type Call, decodeMessage, encodeCall, type Message, messageLength } from './dbus-message.ts';

/** systemd answers within milliseconds; it waits for jobs that hang longer than a user would. */
const TIMEOUT_MS = 25_000;

type Waiting = { readonly resolve: (message: Message) => void; readonly reject: (error: unknown) => void };

/**
 * A connection to a bus, or to the socket at which systemd speaks D-Bus itself (`…/systemd/private`: there is no Hello and no match). To
 * a bus what is sent does not wait for the handshake: all of it is one write and one round trip. systemd itself reads a call that came with
 * the handshake, and keeps its answer until something else happens: it gets the call after its OK.
 */
export class Bus {
  readonly #socket: Socket;
  readonly #path: string;
  #serial = 0;
  #greeted = false;
  readonly #unsent: Buffer[] = [];
  #received = Buffer.alloc(0);
  readonly #calls = new Map<number, Waiting>();
  readonly #signals: Message[] = [];
  #listener: { readonly test: (message: Message) => boolean; readonly waiting: Waiting } | undefined;

  /** `socket`: connecting to `path`. */
  constructor(path: string, socket: Socket) {
    this.#path = path;
    this.#socket = socket;
    this.#socket.setTimeout(TIMEOUT_MS, () => this.#end(new Error('no answer')));
    this.#socket.on('data', chunk => this.#onData(chunk));
    this.#socket.on('error', error => this.#end(error));
    this.#socket.on('close', () => this.#end(new Error('the connection was closed')));
    this.#socket.cork();
    // D-Bus Specification, "Authentication Protocol": our uid as text in hex; the kernel tells the other side who we are.
    this.#socket.write(`\0AUTH EXTERNAL ${Buffer.from(String(ourUid())).toString('hex')}\r\nBEGIN\r\n`);
    if (!this.private) void this.call({ ...BUS, member: 'Hello' }).catch(() => {});
    process.nextTick(() => this.#socket.uncork());
  }

  get private(): boolean {
    return basename(this.#path) === 'private';
  }

  /** Resolves with the answer; rejects with TsboxError HOST for an error of the other side. */
  call(call: Call): Promise<Message> {
    const serial = ++this.#serial;
    const answer = new Promise<Message>((resolve, reject) => this.#calls.set(serial, { resolve, reject }));
    const bytes = encodeCall(this.private ? { ...call, destination: undefined } : call, serial);
    if (this.private && !this.#greeted) this.#unsent.push(bytes);
    else this.#socket.write(bytes);
    return answer;
  }

  /** Asks the bus for a signal. Unheard: without it nothing comes, which `signal` sees. */
  match(rule: string): void {
    if (this.private) return;
    const call: Call = { ...BUS, member: 'AddMatch', signature: 's', body: m => m.string(rule) };
    void this.call(call).catch(() => {});
  }

  /** The first signal that passes, also one that came before. */
  signal(test: (message: Message) => boolean): Promise<Message> {
    const early = this.#signals.find(test);
    if (early) return Promise.resolve(early);
    return new Promise((resolve, reject) => {
      this.#listener = { test, waiting: { resolve, reject } };
    });
  }

  close(): void {
    this.#socket.destroy();
  }

  #onData(chunk: Buffer): void {
    this.#received = Buffer.concat([this.#received, chunk]);
    try {
      if (!this.#greeted) this.#greet();
      for (let length = this.#next(); length !== undefined; length = this.#next()) {
        this.#onMessage(decodeMessage(this.#received.subarray(0, length)));
        this.#received = this.#received.subarray(length);
      }
    } catch (error) {
      this.#end(error);
    }
  }

  /** `OK guid`, or `REJECTED`. */
  #greet(): void {
    const end = this.#received.indexOf('\r\n');
    if (end < 0) return;
    const line = this.#received.toString('latin1', 0, end);
    if (!line.startsWith('OK ')) throw new Error(`it does not accept us: ${line}`);
    this.#greeted = true;
    for (const bytes of this.#unsent.splice(0)) this.#socket.write(bytes);
    this.#received = this.#received.subarray(end + 2);
  }

  #next(): number | undefined {
    const length = this.#greeted ? messageLength(this.#received) : undefined;
    return length !== undefined && this.#received.length >= length ? length : undefined;
  }

  #onMessage(message: Message): void {
    if (message.type === 'signal') {
      if (this.#listener?.test(message)) this.#listener.waiting.resolve(message);
      else this.#signals.push(message);
      return;
    }
    const waiting = this.#calls.get(message.replyTo ?? -1);
    this.#calls.delete(message.replyTo ?? -1);
    if (message.type === 'error') waiting?.reject(refusal(message));
    else waiting?.resolve(message);
  }

  #end(cause: unknown): void {
    const error = new TsboxError('HOST', `D-Bus at ${this.#path}: ${messageOf(cause)}`, {
      cause,
      hint: 'is the user manager there? systemctl --user status',
      check: 'cgroup-manager',
    });
    for (const waiting of this.#calls.values()) waiting.reject(error);
    this.#calls.clear();
    this.#listener?.waiting.reject(error);
    this.#socket.destroy();
  }
}

const BUS = {
  destination: 'org.freedesktop.DBus',
  path: '/org/freedesktop/DBus',
  interface: 'org.freedesktop.DBus',
} as const;

const refusal = ({ error, body }: Message): TsboxError =>
  new TsboxError('HOST', `systemd: ${body[0] ?? error ?? 'error without a name'}`, {
    check: 'cgroup-refused',
  });
