import { type ByteString, show } from './bytes.ts';
import { layerError } from './error.ts';

/**
 * PAX extended headers (POSIX.1-2017, pax): records `LENGTH KEY=VALUE\n`, read as bytes, because extended attributes ride
 * in them (`SCHILY.xattr.*`) and hold anything.
 */
export interface PaxRecords {
  readonly path?: ByteString | undefined;
  readonly linkpath?: ByteString | undefined;
  readonly size?: number | undefined;
  readonly uid?: number | undefined;
  readonly gid?: number | undefined;
  readonly mtime?: PaxTime | undefined;
  readonly xattrs?: ReadonlyMap<ByteString, Buffer> | undefined;
  /** GNU.sparse.* as they stand, repeated keys joined by commas. */
  readonly sparse?: ReadonlyMap<string, string> | undefined;
}

export interface PaxTime {
  readonly seconds: number;
  readonly nanoseconds: number;
}

/** The maps grow in place: a megabyte of header holds tens of thousands of records. */
type Draft = { -readonly [K in keyof PaxRecords]: PaxRecords[K] } & {
  xattrs?: Map<ByteString, Buffer>;
  sparse?: Map<string, string>;
};

const XATTR = 'SCHILY.xattr.';
const SPARSE = 'GNU.sparse.';
/** The longest sensible LENGTH: headers are limited to a megabyte. */
const LENGTH_DIGITS = 8;

/** Throws LAYER for anything that is not exactly a sequence of records. A repeated key: the last one counts. */
export function parsePax(bytes: Buffer): PaxRecords {
  const draft: Draft = {};
  for (let at = 0; at < bytes.length; ) at = readRecord(bytes, at, draft);
  return draft;
}

function readRecord(bytes: Buffer, at: number, draft: Draft): number {
  const space = bytes.indexOf(0x20, at);
  const digits = bytes.toString(
    'latin1',
    at,
    Math.min(space < 0 ? bytes.length : space, at + LENGTH_DIGITS + 1),
  );
  if (!/^[1-9][0-9]{0,7}$/.test(digits)) throw malformed('a record does not begin with its length');
  const end = at + Number(digits);
  if (end > bytes.length || end <= space + 1) throw malformed('a record is longer than the header');
  if (bytes[end - 1] !== 0x0a) throw malformed('a record does not end with a newline');
  const equals = bytes.indexOf(0x3d, space + 1);
  if (equals < 0 || equals >= end || equals === space + 1) throw malformed('a record has no key');
  keep(draft, bytes.toString('latin1', space + 1, equals), bytes.subarray(equals + 1, end - 1));
  return end;
}

function keep(draft: Draft, key: ByteString, value: Buffer): void {
  if (key.includes('\0')) throw malformed('a key contains a NUL');
  const text = value.toString('latin1');
  if (key.startsWith(XATTR)) keepXattr(draft, key.slice(XATTR.length), value);
  else if (key.startsWith(SPARSE)) keepSparse(draft, key.slice(SPARSE.length), text);
  // An empty value takes the record back: the plain header counts again.
  else if (key === 'path' || key === 'linkpath') draft[key] = text === '' ? undefined : noNul(key, text);
  else if (key === 'size' || key === 'uid' || key === 'gid')
    draft[key] = text === '' ? undefined : whole(key, text);
  else if (key === 'mtime') draft.mtime = text === '' ? undefined : time(text);
}

function keepXattr(draft: Draft, name: ByteString, value: Buffer): void {
  if (name === '') throw malformed('an extended attribute has no name');
  draft.xattrs ??= new Map();
  // A copy: the buffer that it lies in is reused.
  draft.xattrs.set(name, Buffer.from(value));
}

function keepSparse(draft: Draft, key: string, text: string): void {
  const before = draft.sparse?.get(key);
  const isList = key === 'offset' || key === 'numbytes';
  if (key !== 'name' && !/^[0-9,]*$/.test(text)) throw malformed(`${show(SPARSE + key)} is not a number`);
  const value = isList && before !== undefined ? `${before},${text}` : noNul(show(SPARSE + key), text);
  draft.sparse ??= new Map();
  draft.sparse.set(key, value);
}

function noNul(key: string, text: string): string {
  if (text.includes('\0')) throw malformed(`${key} contains a NUL`);
  return text;
}

function whole(key: string, text: string): number {
  const value = Number(text);
  if (!/^[0-9]+$/.test(text) || !Number.isSafeInteger(value))
    throw malformed(`${key} is not a number that can be`);
  return value;
}

function time(text: string): PaxTime {
  const match = /^(-?)([0-9]{1,15})(?:\.([0-9]*))?$/.exec(text);
  if (!match) throw malformed('mtime is not a time');
  const [, sign, seconds, fraction = ''] = match;
  const nanoseconds = Number(fraction.slice(0, 9).padEnd(9, '0'));
  if (sign === '') return { seconds: Number(seconds), nanoseconds };
  // timespec counts nanoseconds forward: -1.25 s is -2 s and 750,000,000 ns.
  return nanoseconds === 0
    ? { seconds: -Number(seconds), nanoseconds: 0 }
    : { seconds: -Number(seconds) - 1, nanoseconds: 1e9 - nanoseconds };
}

const malformed = (problem: string) => layerError(`malformed PAX header: ${problem}`);
