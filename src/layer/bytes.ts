/**
 * File names are bytes. Inside this room a name is a string with one character per byte (latin1): it can be split and
 * compared like text, and no byte is lost on the way to the disk.
 */
export type ByteString = string;

const NOT_ASCII = /[^\0-\x7f]/;

/** As Node's file calls take it: ASCII stays a string, which they take faster; everything else becomes the bytes. */
export function toPath(name: ByteString): string | Buffer {
  return NOT_ASCII.test(name) ? Buffer.from(name, 'latin1') : name;
}

/** The bytes up to the first NUL or the end of the field. */
export function cString(block: Buffer, start: number, length: number): ByteString {
  const end = block.indexOf(0, start);
  return block.toString('latin1', start, end < 0 || end > start + length ? start + length : end);
}

const SHOWN = 200;

/** A name for a message: quoted, decoded, shortened, control characters escaped so that a terminal does not obey them. */
export function show(name: ByteString): string {
  const text = Buffer.from(name.slice(0, SHOWN), 'latin1').toString();
  // JSON leaves DEL, the C1 controls and the bidirectional marks as they are; terminals do not.
  const escaped = JSON.stringify(text).replace(
    /[\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g,
    c => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  return name.length > SHOWN ? `${escaped.slice(0, -1)}…"` : escaped;
}
