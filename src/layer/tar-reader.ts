import { type ByteString, cString } from './bytes.ts';
import { type Block, type Extension, readBlock, readEntry, type TarEntry } from './entry.ts';
import { layerError } from './error.ts';
import { parsePax } from './pax.ts';
import { SparseReader } from './sparse-reader.ts';

/** Receives an archive entry by entry. Everything is synchronous: what it throws ends the reading. */
export interface TarSink {
  /** The next entry. `data` follows for files that are not empty, `end` for all. */
  entry(entry: TarEntry): void;
  /** A piece of the body that belongs at `offset` of the file. The buffer is valid during the call only. */
  data(piece: Buffer, offset: number): void;
  end(): void;
}

const BLOCK = 512;
/** Extended headers and long names. Extended attributes are at most 64 KiB each, names 4 KiB. */
const MAX_META = 1 << 20;
const META = new Set(['x', 'g', 'L', 'K']);
const FILES = new Set(['\0', '0', '7', 'S']);

/**
 * Reads a tar archive (ustar, PAX, GNU, v7) that is pushed into it in pieces of any size; big ones are faster. Bodies are
 * passed on without copying. What stands after the end of the archive is ignored, as every tar does.
 */
export class TarReader {
  readonly #sink: TarSink;
  readonly #block = Buffer.alloc(BLOCK);
  #filled = 0;
  /** What the bytes that come next are. */
  #state: 'header' | 'meta' | 'sparse' | 'body' | 'done' = 'header';
  /** Bytes of the body or meta header still to come, then those that fill up its last block. */
  #left = 0;
  #padding = 0;
  #offset = 0;
  #zeroBlocks = 0;
  #entry: TarEntry | undefined;
  #sparse: SparseReader | undefined;
  #meta: { readonly letter: string; readonly pieces: Buffer[] } | undefined;
  #extension: Extension = {};

  constructor(sink: TarSink) {
    this.#sink = sink;
  }

  /** True once the two blocks of zeros have been seen. */
  get ended(): boolean {
    return this.#state === 'done';
  }

  /** Throws LAYER, or what the sink throws. */
  push(chunk: Buffer): void {
    for (let at = 0; at < chunk.length; ) {
      if (this.#state === 'done') return;
      if (this.#left > 0) at = this.#pass(chunk, at);
      else if (this.#padding > 0) at = this.#skip(chunk, at);
      else at = this.#fill(chunk, at);
    }
  }

  /** No more bytes come. Throws LAYER when the archive breaks off inside of an entry. */
  finish(): void {
    const isWhole =
      this.#state === 'done' || (this.#state === 'header' && this.#padding === 0 && this.#filled === 0);
    const isPending = this.#extension.pax || this.#extension.longName || this.#extension.longLink;
    if (!isWhole || (isPending && this.#state !== 'done')) {
      throw layerError('the archive is truncated', this.#entry?.name);
    }
  }

  #pass(chunk: Buffer, at: number): number {
    const end = Math.min(chunk.length, at + this.#left);
    const piece = at === 0 && end === chunk.length ? chunk : chunk.subarray(at, end);
    this.#left -= end - at;
    if (this.#meta) this.#meta.pieces.push(Buffer.from(piece));
    else if (this.#sparse) this.#sparse.data(piece, this.#sink);
    else this.#sink.data(piece, this.#offset);
    this.#offset += end - at;
    if (this.#left === 0) this.#finishBody();
    return end;
  }

  #skip(chunk: Buffer, at: number): number {
    const count = Math.min(chunk.length - at, this.#padding);
    this.#padding -= count;
    return at + count;
  }

  /** Collects a block where one is needed as a whole; most lie whole in the chunk and are read in place. */
  #fill(chunk: Buffer, at: number): number {
    if (this.#filled === 0 && chunk.length - at >= BLOCK) {
      this.#take(chunk, at);
      return at + BLOCK;
    }
    const count = Math.min(BLOCK - this.#filled, chunk.length - at);
    chunk.copy(this.#block, this.#filled, at, at + count);
    this.#filled += count;
    if (this.#filled === BLOCK) {
      this.#filled = 0;
      this.#take(this.#block, 0);
    }
    return at + count;
  }

  #take(buffer: Buffer, at: number): void {
    if (this.#state === 'sparse') this.#takeSparse(buffer.subarray(at, at + BLOCK));
    else this.#takeHeader(buffer, at);
  }

  #takeHeader(buffer: Buffer, at: number): void {
    const block = readBlock(buffer, at);
    if (!block) {
      // One alone may be the end of a careless archive; two are the end.
      if (++this.#zeroBlocks === 2) this.#state = 'done';
      return;
    }
    if (this.#zeroBlocks > 0)
      throw layerError('a header after the end of the archive', cString(buffer, at, 100));
    if (META.has(block.letter)) this.#beginMeta(block);
    else this.#beginEntry(buffer, at, block);
  }

  #beginMeta({ letter, numbers: { size } }: Block): void {
    if (size < 0 || size > MAX_META)
      throw layerError(`an extended header of ${size} bytes, at most ${MAX_META} are read`);
    this.#meta = { letter, pieces: [] };
    this.#begin('meta', size);
  }

  #beginEntry(buffer: Buffer, at: number, block: Block): void {
    const entry = readEntry(buffer, at, block, this.#extension);
    if (entry.name.includes('\0') || entry.link.includes('\0'))
      throw layerError('its name contains a NUL', entry.name);
    this.#extension = {};
    this.#entry = entry;
    this.#sparse = FILES.has(block.letter) ? SparseReader.for(buffer, at, block.letter, entry) : undefined;
    if (this.#sparse?.needsBlock) {
      this.#state = 'sparse';
      return;
    }
    this.#announce();
  }

  #takeSparse(block: Buffer): void {
    this.#sparse?.block(block);
    if (!this.#sparse?.needsBlock) this.#announce();
  }

  #announce(): void {
    const entry = this.#sparse?.entry ?? this.#entry;
    if (!entry) return;
    this.#sink.entry(entry);
    this.#begin('body', entry.stored);
  }

  #begin(state: 'meta' | 'body', size: number): void {
    this.#state = state;
    this.#left = size;
    this.#padding = (BLOCK - (size % BLOCK)) % BLOCK;
    this.#offset = 0;
    if (size === 0) this.#finishBody();
  }

  #finishBody(): void {
    const meta = this.#meta;
    this.#meta = undefined;
    this.#state = 'header';
    if (meta) this.#applyMeta(meta.letter, Buffer.concat(meta.pieces));
    else {
      this.#sparse = undefined;
      this.#sink.end();
    }
  }

  #applyMeta(letter: string, bytes: Buffer): void {
    // Global headers carry comments (git archive); docker ignores them too.
    if (letter === 'x') this.#extension = { ...this.#extension, pax: parsePax(bytes) };
    else if (letter === 'L') this.#extension = { ...this.#extension, longName: longName(bytes) };
    else if (letter === 'K') this.#extension = { ...this.#extension, longLink: longName(bytes) };
  }
}

function longName(bytes: Buffer): ByteString {
  return cString(bytes, 0, bytes.length);
}
