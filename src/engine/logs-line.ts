import type { LogLine } from './types.ts';

/**
 * One record of the log, in the format of the kubelet's container runtime interface: `<time> <stream> <P|F> <text>`, P for a
 * piece of a line, F for its end.
 */
export class LogRecord {
  readonly line: LogLine;
  /** False for a piece. */
  readonly full: boolean;

  constructor(line: LogLine, full: boolean) {
    this.line = line;
    this.full = full;
  }

  /** Epoch milliseconds; worked out only for those who ask, since it costs as much as all the rest. */
  get time(): number {
    return Date.parse(this.line.time);
  }
}

const SPACE = 0x20;
const NEWLINE = 0x0a;
const F = 0x46;
const P = 0x50;
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d/;

/**
 * A record without its newline; or with it (`ended`), then nothing is copied and the data is a view of `bytes`. Undefined for
 * what is no record: the torn last write of a machine that lost power.
 */
export function parseLogRecord(bytes: Buffer, ended = false): LogRecord | undefined {
  const length = ended ? bytes.length - 1 : bytes.length;
  const first = bytes.indexOf(SPACE);
  const tag = first + 8;
  if (first < 19 || tag >= length || bytes[first + 7] !== SPACE) return undefined;
  const stream = streamAt(bytes, first + 1);
  const full = bytes[tag] === F;
  if (!stream || (!full && bytes[tag] !== P)) return undefined;
  if (tag + 1 < length && bytes[tag + 1] !== SPACE) return undefined;
  const time = bytes.toString('latin1', 0, first);
  if (!TIME.test(time)) return undefined;
  const text = Math.min(tag + 2, length);
  return new LogRecord({ time, stream, data: dataOf(bytes, text, full, ended) }, full);
}

function dataOf(bytes: Buffer, from: number, full: boolean, ended: boolean): Buffer {
  if (ended) return bytes.subarray(from, full ? bytes.length : bytes.length - 1);
  return full ? Buffer.concat([bytes.subarray(from), Buffer.of(NEWLINE)]) : Buffer.from(bytes.subarray(from));
}

function streamAt(bytes: Buffer, at: number): LogLine['stream'] | undefined {
  const name = bytes.toString('latin1', at, at + 6);
  return name === 'stdout' || name === 'stderr' ? name : undefined;
}

/** Collects bytes as they are read and gives the records that are complete; what is left waits for more. */
export class LogSplitter {
  #rest: Buffer = Buffer.alloc(0);

  /** The records are views of `chunk`: it must not be filled again. */
  push(chunk: Buffer): LogRecord[] {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    const records: LogRecord[] = [];
    let from = 0;
    for (let at = bytes.indexOf(NEWLINE); at >= 0; at = bytes.indexOf(NEWLINE, from)) {
      const record = parseLogRecord(bytes.subarray(from, at + 1), true);
      if (record) records.push(record);
      from = at + 1;
    }
    this.#rest = bytes.subarray(from);
    return records;
  }
}
