import { type ByteString, cString, show } from './bytes.ts';
import { layerError } from './error.ts';
import { type HeaderNumbers, readNumbers } from './header.ts';
import type { PaxRecords, PaxTime } from './pax.ts';

export type EntryType = 'file' | 'hardlink' | 'symlink' | 'char' | 'block' | 'dir' | 'fifo';

/** One entry of an archive, its extended headers applied. */
export interface TarEntry {
  /** As the archive has it: may be absolute, hold `..` or end in a slash. Never a NUL. */
  readonly name: ByteString;
  readonly type: EntryType;
  /** Bytes of the body in the archive; 0 for anything but files. */
  readonly stored: number;
  /** Bytes of the file; more than `stored` only for a sparse one. */
  readonly size: number;
  /** The lower twelve bits. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly mtime: PaxTime;
  /** Target of a symbolic or hard link. */
  readonly link: ByteString;
  readonly major: number;
  readonly minor: number;
  readonly xattrs: ReadonlyMap<ByteString, Buffer> | undefined;
  /** The records that describe a PAX sparse file. */
  readonly sparse: ReadonlyMap<string, string> | undefined;
}

/** A 512-byte block that is a header. */
export interface Block {
  /** The type. */
  readonly letter: string;
  readonly numbers: HeaderNumbers;
}

/** Names from earlier headers (GNU `L` and `K`, PAX `x`) that belong to the next entry. */
export interface Extension {
  readonly pax?: PaxRecords;
  readonly longName?: ByteString;
  readonly longLink?: ByteString;
}

const TYPES: Readonly<Record<string, EntryType>> = {
  '\0': 'file',
  '0': 'file',
  '7': 'file',
  S: 'file',
  '1': 'hardlink',
  '2': 'symlink',
  '3': 'char',
  '4': 'block',
  '5': 'dir',
  '6': 'fifo',
};

/** (uid_t)-1 means "no id": 2^32 - 2 is the last one. */
const LAST_ID = 0xffff_fffe;

/** Reads a header block; undefined for a block of zeros, which ends the archive. Throws LAYER for a wrong checksum. */
export function readBlock(buffer: Buffer, at: number): Block | undefined {
  const numbers = readNumbers(buffer, at);
  return numbers && { letter: String.fromCharCode(buffer[at + 156] ?? 0), numbers };
}

/** The entry that a block and the extensions before it describe. Throws LAYER for types that no layer holds and impossible numbers. */
export function readEntry(buffer: Buffer, at: number, block: Block, extension: Extension): TarEntry {
  const { pax = {} } = extension;
  const { numbers } = block;
  const name = extension.longName ?? pax.path ?? ustarName(buffer, at);
  const given = TYPES[block.letter];
  if (given === undefined)
    throw layerError(`entries of type ${show(block.letter)} do not belong in a layer`, name);
  // Before ustar a directory was a file with a slash at its end.
  const type = given === 'file' && name.endsWith('/') ? 'dir' : given;
  const size = given === 'file' ? (pax.size ?? numbers.size) : 0;
  if (size < 0) throw layerError('its size is negative or too large', name);
  if (type === 'dir' && (size > 0 || (given === 'file' && !isBlank(buffer, at + 124, 12)))) {
    throw layerError('a directory with a body', name);
  }
  return {
    name,
    type,
    stored: size,
    size,
    mode: number(numbers.mode, 'mode', name) & 0o7777,
    uid: id(pax.uid ?? number(numbers.uid, 'owner', name), name),
    gid: id(pax.gid ?? number(numbers.gid, 'group', name), name),
    mtime: pax.mtime ?? { seconds: numbers.mtime, nanoseconds: 0 },
    link: extension.longLink ?? pax.linkpath ?? cString(buffer, at + 157, 100),
    major: numbers.major,
    minor: numbers.minor,
    xattrs: pax.xattrs,
    sparse: pax.sparse,
  };
}

/** ustar splits a long name; GNU's old format, whose magic ends otherwise, has times where ustar has the prefix. */
function ustarName(buffer: Buffer, at: number): ByteString {
  const name = cString(buffer, at, 100);
  if (buffer.toString('latin1', at + 257, at + 263) !== 'ustar\0') return name;
  const prefix = cString(buffer, at + 345, 155);
  return prefix === '' ? name : `${prefix}/${name}`;
}

function number(value: number, what: string, name: ByteString): number {
  if (value >= 0) return value;
  throw layerError(`its ${what} is not a number that can be`, name);
}

function id(value: number, name: ByteString): number {
  if (value <= LAST_ID) return value;
  throw layerError(`its owner or group ${value} is not an id`, name);
}

/** True for a number field that holds nothing or zero. */
function isBlank(buffer: Buffer, at: number, length: number): boolean {
  for (let i = at; i < at + length; i++) {
    const byte = buffer[i];
    if (byte !== 0 && byte !== 0x20 && byte !== 0x30) return false;
  }
  return true;
}
