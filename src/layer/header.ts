import { Header } from 'tar/header';
import { cString } from './bytes.ts';
import { layerError } from './error.ts';

/** The numbers of a header block. -1 stands for what is no number or none that can be. */
export interface HeaderNumbers {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  /** Seconds; may be negative. */
  readonly mtime: number;
  readonly major: number;
  readonly minor: number;
}

const CHECKSUM = 148;
const SPACE = 0x20;

/**
 * Reads the numbers of a header block; undefined for a block of zeros. Throws LAYER for a wrong checksum. Nearly every
 * header is plain octal, which is read here, since a layer has thousands of them; whatever else tar has come up with (base 256,
 * negative times) is left to node-tar.
 */
export function readNumbers(buffer: Buffer, at: number): HeaderNumbers | undefined {
  const sum = sumOf(buffer, at);
  if (sum === 8 * SPACE && isZero(buffer, at)) return undefined;
  const fast = readOctal(buffer, at);
  if (fast !== undefined && octal(buffer, at + CHECKSUM, 8) === sum) return fast;
  return readAny(buffer, at);
}

/** All bytes, those of the checksum itself as spaces. */
function sumOf(buffer: Buffer, at: number): number {
  let sum = 8 * SPACE;
  for (let i = at; i < at + CHECKSUM; i++) sum += buffer[i] ?? 0;
  for (let i = at + CHECKSUM + 8; i < at + 512; i++) sum += buffer[i] ?? 0;
  return sum;
}

/** The sum says nothing about the field of the checksum. */
function isZero(buffer: Buffer, at: number): boolean {
  for (let i = at + CHECKSUM; i < at + CHECKSUM + 8; i++) if (buffer[i] !== 0) return false;
  return true;
}

function readOctal(buffer: Buffer, at: number): HeaderNumbers | undefined {
  const numbers = {
    mode: octal(buffer, at + 100, 8),
    uid: octal(buffer, at + 108, 8),
    gid: octal(buffer, at + 116, 8),
    size: octal(buffer, at + 124, 12),
    mtime: octal(buffer, at + 136, 12),
    major: octal(buffer, at + 329, 8),
    minor: octal(buffer, at + 337, 8),
  };
  const { mode, uid, gid, size, mtime, major, minor } = numbers;
  return Math.min(mode, uid, gid, size, mtime, major, minor) < 0 ? undefined : numbers;
}

/** Spaces, octal digits, then NULs or spaces to the end; nothing at all is 0. -1 for anything else. */
function octal(buffer: Buffer, at: number, length: number): number {
  const end = at + length;
  let i = at;
  while (i < end && buffer[i] === SPACE) i++;
  let value = 0;
  for (; i < end; i++) {
    const digit = (buffer[i] ?? 0) - 0x30;
    if (digit < 0 || digit > 7) break;
    value = value * 8 + digit;
  }
  for (; i < end; i++) if (buffer[i] !== 0 && buffer[i] !== SPACE) return -1;
  return value;
}

function readAny(buffer: Buffer, at: number): HeaderNumbers {
  const fail = (problem: string, cause?: unknown) =>
    layerError(`malformed header: ${problem}`, cString(buffer, at, 100), cause);
  let header: Header;
  try {
    header = new Header(buffer, at);
  } catch (error) {
    throw fail('a number cannot be represented', error);
  }
  if (!header.cksumValid) throw fail('its checksum is wrong');
  const or = (value: number | undefined, from: number, length: number) =>
    (buffer[at + from] ?? 0) & 0x80 ? (value ?? -1) : octalText(buffer, at + from, length);
  return {
    mode: or(header.mode, 100, 8),
    uid: or(header.uid, 108, 8),
    gid: or(header.gid, 116, 8),
    size: or(header.size, 124, 12),
    mtime: secondsOf(header.mtime),
    major: header.devmaj ?? 0,
    minor: header.devmin ?? 0,
  };
}

/** Octal up to a NUL, nothing else: node-tar takes `0x10` for 0, and readers that disagree about a size see different entries. */
function octalText(buffer: Buffer, at: number, length: number): number {
  const text = cString(buffer, at, length).trim();
  if (text === '') return 0;
  return /^[0-7]+$/.test(text) ? Number.parseInt(text, 8) : -1;
}

function secondsOf(date: Date | undefined): number {
  const seconds = date ? Math.floor(date.getTime() / 1000) : 0;
  return Number.isSafeInteger(seconds) ? seconds : 0;
}
