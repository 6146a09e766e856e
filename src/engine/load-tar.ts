import { posix } from 'node:path';
import { TsboxError } from '../errors.ts';
import type { TarEntry } from '../layer/entry.ts';
import { TarReader, type TarSink } from '../layer/tar-reader.ts';
import type { BlobDescriptor, BlobStore } from '../store/blobs.ts';
import { type ArchiveFiles, normalName, type OpenWriter, tooLarge } from './load-archive.ts';
import type { MemberWriter } from './load-eager.ts';
import { layerHints } from './load-hints.ts';

/** Files up to this size stay in memory, together up to … */
const SMALL = 1 << 20;
/** … this many bytes; the others go straight into the blob store under their digest. */
const MEMORY = 64 << 20;
const MAX_MEMBERS = 100_000;
/** PATH_MAX. A hundred thousand names of a megabyte each, which compress to nothing, would not fit into memory. */
const MAX_NAME = 4096;
const MAX_LINKS = 10;

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

  /** Reads all of the plain bytes of an archive. Throws LAYER, NO_SPACE, IO. */
  static async read(
    plain: AsyncIterable<Buffer>,
    blobs: BlobStore,
    openWriter: OpenWriter,
  ): Promise<TarFiles> {
    const collector = new Collector(openWriter);
    const reader = new TarReader(collector);
    try {
      for await (const piece of plain) {
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
    let at = normalName(name);
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
  readonly #openWriter: OpenWriter;
  readonly #pending: Array<() => Promise<void>> = [];
  #hints: ReadonlyMap<string, string> | undefined;
  #inMemory = 0;
  #name = '';
  #pieces: Buffer[] | undefined;
  #writer: MemberWriter | undefined;

  constructor(openWriter: OpenWriter) {
    this.#openWriter = openWriter;
  }

  entry(entry: TarEntry): void {
    if (this.members.size >= MAX_MEMBERS)
      throw new TsboxError('LAYER', 'the image archive has too many members');
    if (Math.max(entry.name.length, entry.link.length) > MAX_NAME)
      throw new TsboxError('LAYER', `a name of the image archive is longer than ${MAX_NAME} bytes`);
    const name = normalName(Buffer.from(entry.name, 'latin1').toString());
    const link = Buffer.from(entry.link, 'latin1').toString();
    this.#name = entry.type === 'file' ? name : '';
    if (entry.type === 'symlink')
      this.members.set(name, { kind: 'link', to: normalName(posix.join(posix.dirname(name), link)) });
    if (entry.type === 'hardlink') this.members.set(name, { kind: 'link', to: normalName(link) });
    if (entry.type !== 'file') return;
    if (entry.size !== entry.stored)
      throw new TsboxError('LAYER', `${JSON.stringify(name)} in the archive is a sparse file`);
    const isSmall = entry.stored <= SMALL && this.#inMemory + entry.stored <= MEMORY;
    this.#pieces = isSmall ? [] : undefined;
    if (isSmall) this.#inMemory += entry.stored;
    else this.#open(name, entry.size);
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

  #open(name: string, size: number): void {
    // Once: documents that come later than a layer cannot tell in time, and reading them again would cost.
    this.#hints ??= layerHints(this.#documents());
    const hint = { name, size, diffId: this.#hints.get(name) };
    this.#pending.push(async () => {
      this.#writer = await this.#openWriter(hint);
    });
  }

  #documents(): ReadonlyMap<string, Buffer> {
    const small = [...this.members].flatMap(([name, member]): [string, Buffer][] =>
      member.kind === 'memory' ? [[name, member.bytes]] : [],
    );
    return new Map(small);
  }
}
