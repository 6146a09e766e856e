import type { ByteString } from './bytes.ts';
import { layerError } from './error.ts';

/**
 * Sparse files: the archive holds only the parts that have data, and a map of where they belong (GNU tar manual, "Storing
 * Sparse Files"). Old GNU keeps the map in the header, PAX 0.0 and 0.1 in records, PAX 1.0 at the beginning of the body.
 */
export interface SparseMap {
  /** Offset and length by turns, in order, without overlap. */
  readonly parts: readonly number[];
  /** Bytes of the file. */
  readonly size: number;
}

/** Parts of one map: a megabyte of text can hold about that many. */
const MAX_PARTS = 100_000;

/** Checks that the parts are in order, inside the file, and make up exactly the stored bytes. Throws LAYER. */
export function checkSparse(
  parts: readonly number[],
  size: number,
  stored: number,
  name: ByteString,
): SparseMap {
  const wrong = (why: string) => layerError(`malformed sparse map: ${why}`, name);
  if (parts.length % 2 !== 0) throw wrong('an offset without a length');
  if (parts.length / 2 > MAX_PARTS) throw wrong('too many parts');
  let end = 0;
  let sum = 0;
  for (let i = 0; i < parts.length; i += 2) {
    const [offset = -1, length = -1] = [parts[i], parts[i + 1]];
    if (!isSize(offset) || !isSize(length) || offset < end || offset + length > size) {
      throw wrong('a part lies outside of the file or of its turn');
    }
    end = offset + length;
    sum += length;
  }
  if (!isSize(size) || sum !== stored) throw wrong('its parts are not the bytes that follow');
  return { parts, size };
}

/** The map of PAX 0.0 and 0.1 from its records; undefined when they announce 1.0 (the map is in the body) or no sparse file. */
export function paxSparseMap(records: ReadonlyMap<string, string>): number[] | undefined {
  const map = records.get('map');
  if (map !== undefined) return numbers(map);
  const offsets = records.get('offset');
  const lengths = records.get('numbytes');
  if (offsets === undefined || lengths === undefined) return undefined;
  const [at, of] = [numbers(offsets), numbers(lengths)];
  if (at.length !== of.length) return [-1, -1];
  return at.flatMap((offset, i) => [offset, of[i] ?? -1]);
}

function numbers(text: string): number[] {
  if (text === '') return [];
  return text.split(',', 2 * MAX_PARTS + 1).map(part => (part === '' ? -1 : Number(part)));
}

/** The map at the beginning of a PAX 1.0 body: a count, then offsets and lengths, one a line, padded to whole blocks. */
export class SparseBodyMap {
  #text = '';
  #lines: number[] = [];
  #blocks = 0;

  /** Takes one 512-byte block; true when the map is complete. Throws LAYER. */
  push(block: Buffer, name: ByteString): boolean {
    this.#blocks++;
    const lines = (this.#text + block.toString('latin1')).split('\n');
    this.#text = lines.pop() ?? '';
    for (const line of lines) {
      if (this.#isComplete()) break;
      if (!/^[0-9]{1,16}$/.test(line)) throw layerError('malformed sparse map: a line is not a number', name);
      this.#lines.push(Number(line));
    }
    if ((this.#lines[0] ?? 0) > MAX_PARTS || (this.#text.length > 512 && !this.#isComplete())) {
      throw layerError('malformed sparse map: it does not end', name);
    }
    return this.#isComplete();
  }

  /** Bytes of the body that the map took. */
  get length(): number {
    return this.#blocks * 512;
  }

  get parts(): number[] {
    return this.#lines.slice(1);
  }

  #isComplete(): boolean {
    const count = this.#lines[0];
    return count !== undefined && this.#lines.length >= 1 + 2 * count;
  }
}

/** Offsets and lengths in an old GNU header (4 from byte 386) or in one of its extension blocks (21 from byte 0). */
export function oldGnuParts(block: Buffer, at: number, count: number): number[] {
  const parts: number[] = [];
  for (let i = 0; i < count; i++) {
    const offset = gnuNumber(block, at + 24 * i);
    const length = gnuNumber(block, at + 24 * i + 12);
    // An empty field ends the list. A part of length zero only marks where the file ends.
    if (offset === undefined || length === undefined) break;
    parts.push(offset, length);
  }
  return parts;
}

/** A twelve-byte number of a GNU header; undefined for an empty field, -1 for what is none. */
export function gnuNumber(block: Buffer, at: number): number | undefined {
  if ((block[at] ?? 0) & 0x80) {
    const value = Number(block.readBigUInt64BE(at + 4));
    const isSmall = block[at] === 0x80 && block.readUIntBE(at + 1, 3) === 0;
    return isSmall && Number.isSafeInteger(value) ? value : -1;
  }
  const text = block
    .toString('latin1', at, at + 12)
    .replace(/[\0 ]+$/, '')
    .trim();
  if (text === '') return undefined;
  return /^[0-7]+$/.test(text) ? Number.parseInt(text, 8) : -1;
}

const isSize = (value: number): boolean => Number.isSafeInteger(value) && value >= 0;
