import type { FileHandle } from 'node:fs/promises';
import { parseLogRecord } from './logs-line.ts';

const BLOCK = 64 * 1024;
const NEWLINE = 0x0a;

/**
 * Where the last `lines` lines of a log begin, in bytes, and how many there are (0 lines: not counted), reading from the end no more than is needed. Pieces of a line
 * belong to the line that they end in; a last line that has no end yet counts as one, unless the log `goesOn` in a newer file (rotation), which has its end.
 */
export async function tailOffset(
  file: FileHandle,
  size: number,
  lines: number,
  { block = BLOCK, goesOn = false }: { block?: number; goesOn?: boolean } = {},
): Promise<{ offset: number; lines: number }> {
  if (lines <= 0) return { offset: size, lines: 0 };
  if (lines === Number.POSITIVE_INFINITY) return { offset: 0, lines: 0 };
  const count = new LineCounter(lines, goesOn);
  // Bytes after the last newline seen so far, i.e. the later part of a record that began in an earlier block.
  let later: Buffer = Buffer.alloc(0);
  for (let end = size; end > 0; ) {
    const begin = Math.max(0, end - block);
    const bytes = Buffer.concat([await readAt(file, begin, end - begin), later]);
    const found = scanBack(bytes, begin, count);
    if (found.start !== undefined) return { offset: found.start, lines };
    later = found.rest;
    end = begin;
  }
  return { offset: count.isEnough(later) ? later.length + 1 : 0, lines: count.counted };
}

/** Records of `bytes` from the last to the first; its beginning may be the middle of one. */
function scanBack(bytes: Buffer, offset: number, count: LineCounter): { start?: number; rest: Buffer } {
  let end = bytes.length;
  for (;;) {
    const at = end > 0 ? bytes.lastIndexOf(NEWLINE, end - 1) : -1;
    if (at < 0) return { rest: Buffer.from(bytes.subarray(0, end)) };
    if (count.isEnough(bytes.subarray(at + 1, end))) return { start: offset + end + 1, rest: bytes };
    end = at;
  }
}

/** Asked about each record, the last one first: does this one belong to a line that is too far back? */
class LineCounter {
  #left: number;
  /** Streams whose newest record has been seen. */
  readonly #seen: Set<string>;

  readonly #wanted: number;

  constructor(lines: number, goesOn: boolean) {
    this.#seen = new Set(goesOn ? ['stdout', 'stderr'] : []);
    this.#left = lines;
    this.#wanted = lines;
  }

  get counted(): number {
    return this.#wanted - Math.max(0, this.#left);
  }

  isEnough(bytes: Buffer): boolean {
    const record = parseLogRecord(bytes);
    if (!record) return false;
    const { stream } = record.line;
    const endsLine = record.full || !this.#seen.has(stream);
    this.#seen.add(stream);
    if (!endsLine) return false;
    return this.#left-- === 0;
  }
}

async function readAt(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const buffer = Buffer.alloc(length);
  let filled = 0;
  while (filled < length) {
    const { bytesRead } = await file.read(buffer, filled, length - filled, position + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return buffer.subarray(0, filled);
}
