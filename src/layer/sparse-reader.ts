import type { TarEntry } from './entry.ts';
import { layerError } from './error.ts';
import {
  checkSparse,
  gnuNumber,
  oldGnuParts,
  paxSparseMap,
  SparseBodyMap,
  type SparseMap,
} from './sparse.ts';
import type { TarSink } from './tar-reader.ts';

/** Reads the map of one sparse file, wherever it is, then hands the stored bytes on to where they belong. */
export class SparseReader {
  readonly #plain: TarEntry;
  readonly #parts: number[] = [];
  #size = 0;
  /** A block of an old GNU header's continuation, or of a PAX 1.0 map, is to come. */
  #needs: 'gnu' | 'map' | undefined;
  readonly #body = new SparseBodyMap();
  #map: SparseMap | undefined;
  #part = 0;
  #inPart = 0;

  private constructor(entry: TarEntry) {
    this.#plain = entry;
  }

  /** Undefined when the entry is an ordinary file. Throws LAYER. */
  static for(buffer: Buffer, at: number, letter: string, entry: TarEntry): SparseReader | undefined {
    if (letter !== 'S' && !entry.sparse) return undefined;
    const reader = new SparseReader(entry);
    if (letter === 'S') reader.#beginGnu(buffer, at);
    else if (entry.sparse) reader.#beginPax(entry.sparse);
    return reader;
  }

  get needsBlock(): boolean {
    return this.#needs !== undefined;
  }

  /** The entry as it is on the disk: real name and size, and how many bytes still follow. */
  get entry(): TarEntry {
    const stored = this.#plain.stored - (this.#plain.sparse ? this.#body.length : 0);
    this.#map = checkSparse(this.#parts, this.#size, stored, this.#plain.name);
    const name = this.#plain.sparse?.get('name') ?? this.#plain.name;
    return { ...this.#plain, name, stored, size: this.#size };
  }

  block(block: Buffer): void {
    const { name } = this.#plain;
    if (this.#needs === 'gnu') {
      this.#parts.push(...oldGnuParts(block, 0, 21));
      if (this.#parts.length > 200_000) throw layerError('malformed sparse map: too many parts', name);
      if (block[504] === 0) this.#needs = undefined;
    } else if (this.#body.push(block, name)) {
      this.#parts.push(...this.#body.parts);
      this.#needs = undefined;
    } else if (this.#body.length >= this.#plain.stored) {
      throw layerError('malformed sparse map: it does not end', name);
    }
  }

  /** Passes on the next stored bytes. */
  data(piece: Buffer, sink: TarSink): void {
    const parts = this.#map?.parts ?? [];
    for (let at = 0; at < piece.length; ) {
      const offset = parts[this.#part];
      const length = parts[this.#part + 1];
      if (offset === undefined || length === undefined) return;
      const count = Math.min(piece.length - at, length - this.#inPart);
      if (count > 0) sink.data(piece.subarray(at, at + count), offset + this.#inPart);
      at += count;
      this.#inPart += count;
      if (this.#inPart === length) {
        this.#part += 2;
        this.#inPart = 0;
      }
    }
  }

  #beginGnu(buffer: Buffer, at: number): void {
    this.#size = gnuNumber(buffer, at + 483) ?? -1;
    this.#parts.push(...oldGnuParts(buffer, at + 386, 4));
    if (buffer[at + 482] !== 0) this.#needs = 'gnu';
  }

  #beginPax(records: ReadonlyMap<string, string>): void {
    this.#size = Number(records.get('realsize') ?? records.get('size') ?? -1);
    const parts = paxSparseMap(records);
    if (parts) for (const n of parts) this.#parts.push(n);
    else this.#needs = 'map';
  }
}
