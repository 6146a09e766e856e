import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { posix } from 'node:path';
import { hasErrno, TsboxError } from '../errors.ts';
import { decompress } from '../layer/decompress.ts';
import type { TarEntry } from '../layer/entry.ts';
import { TarReader, type TarSink } from '../layer/tar-reader.ts';
import { ioError } from '../store/atomic.ts';
import type { BlobDescriptor, BlobStore, BlobWriter } from '../store/blobs.ts';

/** An image archive, whatever holds it: files by name. Names are never used as paths of the store. */
export interface ArchiveFiles {
  /** A small file; undefined when there is none of that name. Throws LAYER when it is larger than `maxBytes`. */
  read(name: string, maxBytes: number): Promise<Buffer | undefined>;
  /** Makes sure that a file's content is in the blob store and says what it is; undefined when there is none. */
  store(name: string): Promise<BlobDescriptor | undefined>;
}

/** Files up to this size stay in memory, together up to … */
const SMALL = 1 << 20;
/** … this many bytes; the others go straight into the blob store under their digest. */
const MEMORY = 64 << 20;
const MAX_MEMBERS = 100_000;
/** PATH_MAX. A hundred thousand names of a megabyte each, which compress to nothing, would not fit into memory. */
const MAX_NAME = 4096;
const MAX_LINKS = 10;

/** A directory that holds an OCI layout. */
export class DirectoryFiles implements ArchiveFiles {
  readonly #root: string;
  readonly #blobs: BlobStore;

  constructor(root: string, blobs: BlobStore) {
    this.#root = root;
    this.#blobs = blobs;
  }

  async read(name: string, maxBytes: number): Promise<Buffer | undefined> {
    return this.#withFile(name, async (file, size) => {
      if (size > maxBytes) throw tooLarge(name, maxBytes);
      const { buffer, bytesRead } = await file.read(Buffer.alloc(size), 0, size, 0);
      return buffer.subarray(0, bytesRead);
    });
  }

  store(name: string): Promise<BlobDescriptor | undefined> {
    return this.#withFile(name, async (file, size) => {
      const writer = await this.#blobs.writer({ size });
      try {
        for await (const chunk of file.createReadStream({ highWaterMark: SMALL, autoClose: false }))
          await writer.write(chunk as Buffer);
        return await writer.commit();
      } finally {
        await writer.abort();
      }
    });
  }

  /** Opened without waiting for the other end of a FIFO, and read only when it is a file of a known size: /dev/zero has no end. */
  async #withFile<T>(
    name: string,
    use: (file: FileHandle, size: number) => Promise<T>,
  ): Promise<T | undefined> {
    const path = this.#path(name);
    const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK).catch((error: unknown) => {
      if (hasErrno(error, 'ENOENT', 'ENOTDIR')) return undefined;
      throw ioError(error, `cannot read ${path}`);
    });
    if (!file) return undefined;
    try {
      const status = await file.stat();
      if (!status.isFile())
        throw new TsboxError('MANIFEST', `${JSON.stringify(name)} of the layout is no regular file`);
      return await use(file, status.size);
    } catch (error) {
      throw ioError(error, `cannot read ${path}`);
    } finally {
      await file.close();
    }
  }

  /** Documents of the layout name blobs by digest only, which cannot climb; anything else is refused here. */
  #path(name: string): string {
    if (posix.normalize(name) !== name || name.startsWith('/') || name.startsWith('..')) {
      throw new TsboxError('MANIFEST', `${JSON.stringify(name)} is not a file of the layout`);
    }
    return posix.join(this.#root, name);
  }
}

type Member =
  | { readonly kind: 'memory'; readonly bytes: Buffer }
  | { readonly kind: 'blob'; readonly blob: BlobDescriptor }
  | { readonly kind: 'link'; readonly to: string };

/** The members of a tar archive, read once from beginning to end, as from a pipe. */
export class TarFiles implements ArchiveFiles {
  readonly #members: ReadonlyMap<string, Member>;
  readonly #blobs: BlobStore;

  private constructor(members: ReadonlyMap<string, Member>, blobs: BlobStore) {
    this.#members = members;
    this.#blobs = blobs;
  }

  /** Reads all of it (gzip, zstd or plain). Throws LAYER, NO_SPACE, IO. */
  static async read(input: AsyncIterable<Buffer>, blobs: BlobStore, maxRatio: number): Promise<TarFiles> {
    const collector = new Collector(blobs);
    const reader = new TarReader(collector);
    try {
      for await (const piece of decompress(input, { maxRatio, freeBytes: 1 << 30 })) {
        reader.push(piece);
        await collector.settle();
      }
      reader.finish();
      return new TarFiles(collector.members, blobs);
    } finally {
      await collector.abort();
    }
  }

  async read(name: string, maxBytes: number): Promise<Buffer | undefined> {
    const member = this.#find(name);
    if (!member) return undefined;
    const size = member.kind === 'memory' ? member.bytes.length : member.blob.size;
    if (size > maxBytes) throw tooLarge(name, maxBytes);
    return member.kind === 'memory' ? member.bytes : this.#blobs.read(member.blob.digest, maxBytes);
  }

  async store(name: string): Promise<BlobDescriptor | undefined> {
    const member = this.#find(name);
    if (!member) return undefined;
    return member.kind === 'memory' ? this.#blobs.put(member.bytes) : member.blob;
  }

  /** Old docker archives hold a layer once and link to it. */
  #find(name: string): Exclude<Member, { kind: 'link' }> | undefined {
    let at = normal(name);
    for (let links = 0; links < MAX_LINKS; links++) {
      const member = this.#members.get(at);
      if (member?.kind !== 'link') return member;
      at = member.to;
    }
    return undefined;
  }
}

/** Turns what the reader says, one call after the other, into writes that are waited for between two pieces. */
class Collector implements TarSink {
  readonly members = new Map<string, Member>();
  readonly #blobs: BlobStore;
  readonly #pending: Array<() => Promise<void>> = [];
  #inMemory = 0;
  #name = '';
  #pieces: Buffer[] | undefined;
  #writer: BlobWriter | undefined;

  constructor(blobs: BlobStore) {
    this.#blobs = blobs;
  }

  entry(entry: TarEntry): void {
    if (this.members.size >= MAX_MEMBERS)
      throw new TsboxError('LAYER', 'the image archive has too many members');
    if (Math.max(entry.name.length, entry.link.length) > MAX_NAME)
      throw new TsboxError('LAYER', `a name of the image archive is longer than ${MAX_NAME} bytes`);
    const name = normal(Buffer.from(entry.name, 'latin1').toString());
    const link = Buffer.from(entry.link, 'latin1').toString();
    this.#name = entry.type === 'file' ? name : '';
    if (entry.type === 'symlink')
      this.members.set(name, { kind: 'link', to: normal(posix.join(posix.dirname(name), link)) });
    if (entry.type === 'hardlink') this.members.set(name, { kind: 'link', to: normal(link) });
    if (entry.type !== 'file') return;
    if (entry.size !== entry.stored)
      throw new TsboxError('LAYER', `${JSON.stringify(name)} in the archive is a sparse file`);
    const isSmall = entry.stored <= SMALL && this.#inMemory + entry.stored <= MEMORY;
    this.#pieces = isSmall ? [] : undefined;
    if (isSmall) this.#inMemory += entry.stored;
    else {
      this.#pending.push(async () => {
        this.#writer = await this.#blobs.writer({ size: entry.size });
      });
    }
  }

  data(piece: Buffer): void {
    if (this.#pieces) this.#pieces.push(Buffer.from(piece));
    else this.#pending.push(async () => this.#writer?.write(piece));
  }

  end(): void {
    const name = this.#name;
    if (name === '') return;
    if (this.#pieces) this.members.set(name, { kind: 'memory', bytes: Buffer.concat(this.#pieces) });
    else {
      this.#pending.push(async () => {
        const blob = await this.#writer?.commit();
        if (blob) this.members.set(name, { kind: 'blob', blob });
      });
    }
    this.#name = '';
  }

  async settle(): Promise<void> {
    for (const step of this.#pending.splice(0)) await step();
  }

  async abort(): Promise<void> {
    await this.#writer?.abort();
  }
}

/** `./a/../b` is `b`; what would climb out of the archive ends at its top. */
const normal = (name: string): string => posix.join('/', name).slice(1).replace(/\/$/, '');

function tooLarge(name: string, maxBytes: number): TsboxError {
  return new TsboxError('LAYER', `${JSON.stringify(name)} in the archive is larger than ${maxBytes} bytes`);
}
