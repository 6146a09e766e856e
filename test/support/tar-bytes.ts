/**
 * Tar archives byte by byte, so that they can be wrong in every way a library would refuse to write. Names and contents are
 * bytes: a string is taken as latin1, one character per byte.
 */
export type Bytes = string | Buffer;

export interface RawHeader {
  name: Bytes;
  /** The type letter; default `0`. */
  type?: string;
  mode?: number | Bytes;
  uid?: number | Bytes;
  gid?: number | Bytes;
  /** What the header says; default: the length of the body. */
  size?: number | bigint | Bytes;
  mtime?: number | Bytes;
  link?: Bytes;
  /** Eight bytes of magic and version; default ustar's. */
  magic?: Bytes;
  prefix?: Bytes;
  major?: number | Bytes;
  minor?: number | Bytes;
  /** Changes the finished block before its checksum is made. */
  edit?: (block: Buffer) => void;
  /** Instead of the right one. */
  checksum?: Bytes;
}

export const bytes = (value: Bytes): Buffer =>
  typeof value === 'string' ? Buffer.from(value, 'latin1') : value;

/** One 512-byte block. Whatever is too long for its field is cut. */
export function header(h: RawHeader, bodyLength = 0): Buffer {
  const block = Buffer.alloc(512);
  const put = (at: number, length: number, value: Bytes) =>
    bytes(value).copy(block, at, 0, Math.min(length, bytes(value).length));
  const number = (at: number, length: number, value: number | bigint | Bytes) =>
    put(
      at,
      length,
      typeof value === 'number' || typeof value === 'bigint' ? numberField(value, length) : value,
    );
  put(0, 100, h.name);
  number(100, 8, h.mode ?? 0o644);
  number(108, 8, h.uid ?? 0);
  number(116, 8, h.gid ?? 0);
  number(124, 12, h.size ?? bodyLength);
  number(136, 12, h.mtime ?? 1_000_000_000);
  put(156, 1, h.type ?? '0');
  put(157, 100, h.link ?? '');
  put(257, 8, h.magic ?? 'ustar\x0000');
  number(329, 8, h.major ?? 0);
  number(337, 8, h.minor ?? 0);
  put(345, 155, h.prefix ?? '');
  h.edit?.(block);
  put(148, 8, h.checksum ?? checksum(block));
  return block;
}

function checksum(block: Buffer): string {
  block.fill(0x20, 148, 156);
  const sum = block.reduce((total, byte) => total + byte, 0);
  return `${sum.toString(8).padStart(6, '0')}\0 `;
}

/** Octal while it fits, else GNU's base 256. */
function numberField(value: number | bigint, length: number): Buffer {
  const big = BigInt(value);
  const octal = big.toString(8);
  if (big >= 0n && octal.length < length) return Buffer.from(`${octal.padStart(length - 1, '0')}\0`);
  return base256(big, length);
}

/** GNU's form for numbers that octal cannot hold, negative ones too. */
export function base256(value: bigint, length: number): Buffer {
  const field = Buffer.alloc(length);
  let rest = BigInt.asUintN(length * 8, value);
  for (let i = length - 1; i >= 0; i--) {
    field[i] = Number(rest & 0xffn);
    rest >>= 8n;
  }
  field[0] = (field[0] ?? 0) | 0x80;
  return field;
}

export const pad = (body: Buffer): Buffer =>
  Buffer.concat([body, Buffer.alloc((512 - (body.length % 512)) % 512)]);

/** A header and its body, filled up to whole blocks. */
export function entry(h: RawHeader, body: Bytes = ''): Buffer {
  return Buffer.concat([header(h, bytes(body).length), pad(bytes(body))]);
}

export const file = (name: Bytes, content: Bytes = '', more: Partial<RawHeader> = {}): Buffer =>
  entry({ name, ...more }, content);
export const dir = (name: Bytes, more: Partial<RawHeader> = {}): Buffer =>
  entry({ name, type: '5', mode: 0o755, ...more });
export const symlink = (name: Bytes, link: Bytes, more: Partial<RawHeader> = {}): Buffer =>
  entry({ name, type: '2', link, mode: 0o777, ...more });
export const hardlink = (name: Bytes, link: Bytes, more: Partial<RawHeader> = {}): Buffer =>
  entry({ name, type: '1', link, ...more });
export const fifo = (name: Bytes, more: Partial<RawHeader> = {}): Buffer =>
  entry({ name, type: '6', ...more });
export const char = (name: Bytes, major: number, minor: number, more: Partial<RawHeader> = {}): Buffer =>
  entry({ name, type: '3', major, minor, ...more });

/** One PAX record with the right length. */
export function paxRecord(key: Bytes, value: Bytes): Buffer {
  const rest = Buffer.concat([bytes(' '), bytes(key), bytes('='), bytes(value), bytes('\n')]);
  let length = rest.length + 1;
  while (String(length).length + rest.length !== length) length = String(length).length + rest.length;
  return Buffer.concat([bytes(String(length)), rest]);
}

/** An extended header for the next entry, from records or from raw bytes. */
export function pax(records: Readonly<Record<string, Bytes>> | Buffer, type = 'x'): Buffer {
  const body = Buffer.isBuffer(records)
    ? records
    : Buffer.concat(Object.entries(records).map(r => paxRecord(...r)));
  return entry({ name: './PaxHeaders/x', type }, body);
}

/** GNU's header for a name (`L`) or link (`K`) of any length. */
export const gnuLong = (type: 'L' | 'K', name: Bytes): Buffer =>
  entry({ name: '././@LongLink', type, magic: 'ustar  \0' }, Buffer.concat([bytes(name), Buffer.alloc(1)]));

export const END = Buffer.alloc(1024);

/** The parts one after the other, and the end. */
export const archive = (...parts: Buffer[]): Buffer => Buffer.concat([...parts, END]);
