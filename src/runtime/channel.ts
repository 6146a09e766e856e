import type { Link } from './link.ts';
import { encodeFrame, FrameReader, type Record_ } from './wire.ts';

/** What the helper says (docs/helper-protocol.md, Events). */
export type HelperEvent =
  | {
      readonly type: 'failed';
      readonly plan: string;
      readonly index: number;
      readonly errno: number;
      readonly detail: string;
    }
  | { readonly type: 'prepared'; readonly files: ReadonlyMap<string, FileAnswer> }
  | { readonly type: 'service'; readonly name: string; readonly ready: boolean; readonly detail: string }
  | { readonly type: 'started'; readonly pid: number; readonly start: number }
  | { readonly type: 'exited'; readonly code: number }
  | { readonly type: 'detached' }
  /** The front has ended; the command may go on. */
  | { readonly type: 'left' }
  /** Of a command of a warm container: `output`, `took`, `ended` or `unfit`, and its fields. */
  | { readonly type: 'command'; readonly record: readonly Buffer[] };

/** A file read at the barrier: its bytes, or why not (an errno). */
export type FileAnswer = { readonly content: Buffer } | { readonly errno: number };

/** Receives one line for each message in either direction (TSBOX_DEBUG=helper). */
export type Trace = (text: () => string) => void;

/** Descriptor 3 of a helper: frames out, events in. */
export class Channel {
  readonly #link: Link;
  readonly #reader = new FrameReader();
  readonly #events: HelperEvent[] = [];
  readonly #trace: Trace;

  constructor(link: Link, trace: Trace = () => {}) {
    this.#link = link;
    this.#trace = trace;
  }

  send(records: readonly Record_[]): void {
    this.#trace(() => `sends ${records.length} records: ${records.map(r => String(r[0])).join(' ')}`);
    this.#link.write(encodeFrame(records));
  }

  /** The next event; undefined when the helper has closed its end. One at a time. */
  async next(): Promise<HelperEvent | undefined> {
    while (this.#events.length === 0) {
      const chunk = await this.#link.read();
      if (!chunk) return undefined;
      for (const record of this.#reader.push(chunk)) this.#receive(parseEvent(record));
    }
    return this.#events.shift();
  }

  /** Lets the helper go on alone. */
  close(): void {
    this.#link.close();
  }

  #receive(event: HelperEvent): void {
    this.#trace(() => `says ${describeEvent(event)}`);
    this.#events.push(event);
  }
}

function parseEvent(record: readonly Buffer[]): HelperEvent {
  const [type = '', a = '', b = '', c = '', d = ''] = record.slice(0, 5).map(String);
  switch (type) {
    case 'failed':
      return { type, plan: a, index: Number(b), errno: Number(c), detail: d };
    case 'prepared':
      return { type, files: parseFiles(record.slice(1)) };
    case 'service':
      return { type, name: a, ready: b === 'ready', detail: b === 'ready' ? c : d.trim() || `status ${c}` };
    case 'started':
      return { type, pid: Number(a), start: Number(b) };
    case 'exited':
      return { type, code: Number(a) };
    case 'detached':
    case 'left':
      return { type };
    case 'output':
    case 'took':
    case 'ended':
    case 'unfit':
      return { type: 'command', record };
    default:
      throw new Error(`the helper sent an unknown event ${JSON.stringify(type)}`);
  }
}

function describeEvent(event: HelperEvent): string {
  if (event.type === 'prepared') return `prepared ${[...event.files.keys()].join(' ')}`;
  if (event.type === 'command') return event.record.slice(0, 2).join(' ');
  return Object.values(event).join(' ').trim();
}

function parseFiles(fields: readonly Buffer[]): Map<string, FileAnswer> {
  const files = new Map<string, FileAnswer>();
  for (let i = 0; i + 2 < fields.length; i += 3) {
    const errno = Number(fields[i + 1]);
    const content = fields[i + 2] ?? Buffer.alloc(0);
    files.set(String(fields[i]), errno === 0 ? { content } : { errno });
  }
  return files;
}
