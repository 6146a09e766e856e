import type { LogLine } from './types.ts';

/**
 * One record of the log, in the format of the kubelet's container runtime interface: `<time> <stream> <P|F> <text>`, P for a
 * piece of a line, F for its end. Offsets are into the record, which has no newline.
 */
export interface LogRecord {
  readonly line: LogLine;
  /** False for a piece. */
  readonly full: boolean;
  /** Epoch milliseconds. */
  readonly time: number;
}

const SPACE = 0x20;
const NEWLINE = Buffer.from('\n');

/** Undefined for what is no record: the torn last write of a machine that lost power. */
export function parseLogRecord(record: Buffer): LogRecord | undefined {
  const first = record.indexOf(SPACE);
  const second = record.indexOf(SPACE, first + 1);
  const third = record.indexOf(SPACE, second + 1);
  if (first <= 0 || second <= first) return undefined;
  const end = third < 0 ? record.length : third;
  const time = record.toString('latin1', 0, first);
  const stream = record.toString('latin1', first + 1, second);
  const tag = record.toString('latin1', second + 1, end);
  const epoch = Date.parse(time);
  if ((stream !== 'stdout' && stream !== 'stderr') || (tag !== 'P' && tag !== 'F') || Number.isNaN(epoch)) {
    return undefined;
  }
  const text = record.subarray(Math.min(end + 1, record.length));
  const data = tag === 'F' ? Buffer.concat([text, NEWLINE]) : Buffer.from(text);
  return { line: { time, stream, data }, full: tag === 'F', time: epoch };
}

/** Collects bytes as they are read and gives the records that are complete; what is left waits for more. */
export class LogSplitter {
  #rest: Buffer = Buffer.alloc(0);

  push(chunk: Buffer): LogRecord[] {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    const records: LogRecord[] = [];
    let from = 0;
    for (let at = bytes.indexOf(NEWLINE); at >= 0; at = bytes.indexOf(NEWLINE, from)) {
      const record = parseLogRecord(bytes.subarray(from, at));
      if (record) records.push(record);
      from = at + 1;
    }
    // A copy: the reader fills its buffer again.
    this.#rest = Buffer.from(bytes.subarray(from));
    return records;
  }
}
