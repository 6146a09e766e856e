import { TsboxError } from '../errors.ts';
import type { Field, Op } from '../plan/ops.ts';

/** The framing of docs/helper-protocol.md: records of length-checked, NUL-terminated fields, in both directions. */

const MAGIC = Buffer.from('TSBX');
const FRAME_HEAD = 8;
/** Largest payload either side accepts, bytes. */
export const MAX_PAYLOAD = 16 * 1024 * 1024;

export type Record_ = readonly Field[];

/** An operation as the helper reads it; `?` marks an optional one. */
export function opRecord(op: Op): Record_ {
  return [op.optional ? `?${op.name}` : op.name, ...op.fields];
}

/** Throws USAGE when the records are larger than the helper takes (arguments and environment of more than 16 MiB). */
export function encodeFrame(records: readonly Record_[]): Buffer {
  const lengths = records.map(recordLength);
  const length = lengths.reduce((n, l) => n + 4 + l, 0);
  if (length > MAX_PAYLOAD) {
    throw new TsboxError(
      'USAGE',
      `the command and its environment take ${length} bytes, the limit is ${MAX_PAYLOAD}`,
    );
  }
  const frame = Buffer.alloc(FRAME_HEAD + length);
  MAGIC.copy(frame);
  let at = putLength(frame, length, 4);
  records.forEach((record, i) => {
    at = putLength(frame, lengths[i] ?? 0, at);
    for (const field of record) at = writeField(frame, field, at);
  });
  return frame;
}

const fieldLength = (field: Field): number =>
  typeof field === 'string' ? Buffer.byteLength(field) : field.length;

const recordLength = (record: Record_): number =>
  record.reduce((n, field) => n + 4 + fieldLength(field) + 1, 0);

/** Returns where the next field begins; the terminating NUL is there already. */
function writeField(frame: Buffer, field: Field, at: number): number {
  const start = putLength(frame, fieldLength(field), at);
  if (typeof field === 'string') frame.write(field, start);
  else frame.set(field, start);
  return start + fieldLength(field) + 1;
}

/** Buffer's own checks what it writes three times over; a run writes some four hundred lengths before V8 compiles anything. */
function putLength(frame: Buffer, length: number, at: number): number {
  for (let i = 0; i < 4; i++) frame[at + i] = length >>> (8 * i);
  return at + 4;
}

/** Collects bytes as they arrive and gives whole frames; throws INTERNAL for what is no frame. */
export class FrameReader {
  #buffer: Buffer = Buffer.alloc(0);

  /** The records of every frame that is complete now, in order. */
  push(chunk: Uint8Array): Buffer[][] {
    this.#buffer = Buffer.concat([this.#buffer, chunk]);
    const records: Buffer[][] = [];
    for (let frame = this.#take(); frame; frame = this.#take()) records.push(...decodeRecords(frame));
    return records;
  }

  #take(): Buffer | undefined {
    if (this.#buffer.length < FRAME_HEAD) return undefined;
    if (!this.#buffer.subarray(0, 4).equals(MAGIC)) throw malformed('no magic');
    const length = this.#buffer.readUInt32LE(4);
    if (length > MAX_PAYLOAD) throw malformed(`a payload of ${length} bytes`);
    if (this.#buffer.length < FRAME_HEAD + length) return undefined;
    const payload = this.#buffer.subarray(FRAME_HEAD, FRAME_HEAD + length);
    this.#buffer = this.#buffer.subarray(FRAME_HEAD + length);
    return payload;
  }
}

function decodeRecords(payload: Buffer): Buffer[][] {
  const records: Buffer[][] = [];
  for (let at = 0; at < payload.length; ) {
    const end = at + 4 + lengthAt(payload, at);
    if (end > payload.length) throw malformed('a record beyond its frame');
    records.push(decodeFields(payload.subarray(at + 4, end)));
    at = end;
  }
  return records;
}

function decodeFields(body: Buffer): Buffer[] {
  const fields: Buffer[] = [];
  for (let at = 0; at < body.length; ) {
    const end = at + 4 + lengthAt(body, at);
    if (end >= body.length || body[end] !== 0) throw malformed('a field without its terminator');
    fields.push(body.subarray(at + 4, end));
    at = end + 1;
  }
  return fields;
}

function lengthAt(buffer: Buffer, at: number): number {
  if (at + 4 > buffer.length) throw malformed('a truncated length');
  return buffer.readUInt32LE(at);
}

function malformed(what: string): TsboxError {
  return new TsboxError('INTERNAL', `the helper sent ${what}`, {
    hint: 'the helper and tsbox are of different versions: run ./install.sh again',
  });
}
