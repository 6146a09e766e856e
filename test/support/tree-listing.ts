import { createHash, type Hash } from 'node:crypto';
import type { TarEntry } from '../../src/layer/entry.ts';
import { TarReader, type TarSink } from '../../src/layer/tar-reader.ts';

/** What an archive says about one path. */
export interface Listed {
  readonly type: string;
  readonly owner: string;
  /** Octal; empty for symbolic links. */
  readonly mode: string;
  readonly mtime: string;
  /** Target of a symbolic link. */
  readonly target: string;
  readonly size: number;
  /** Digest of the blocks that are not zero, so that a hole and zeros are the same. */
  readonly content: string;
  /** All names of the file, when it has several. */
  readonly links: string;
  /** Name to hexadecimal digits. */
  readonly xattrs: Readonly<Record<string, string>>;
}

export type Listing = ReadonlyMap<string, Listed>;

const BLOCK = 4096;
const ZERO = Buffer.alloc(BLOCK);

/** Reads an archive of any length. */
export async function listTar(stream: AsyncIterable<Buffer | string>): Promise<Listing> {
  const lister = new Lister();
  const reader = new TarReader(lister);
  for await (const chunk of stream) reader.push(typeof chunk === 'string' ? Buffer.from(chunk) : chunk);
  reader.finish();
  return lister.listing();
}

class Lister implements TarSink {
  readonly #files = new Map<string, Listed>();
  /** Each further name of a file → its first one. */
  readonly #links = new Map<string, string>();
  #entry: TarEntry | undefined;
  #hash: Hash = createHash('sha256');
  #block = Buffer.alloc(BLOCK);
  #at = 0;

  entry(entry: TarEntry): void {
    this.#entry = entry;
    this.#hash = createHash('sha256');
    this.#at = 0;
    this.#block.fill(0);
  }

  data(piece: Buffer, offset: number): void {
    for (let from = 0; from < piece.length; ) {
      const position = offset + from;
      const start = position - (position % BLOCK);
      if (start !== this.#at) this.#flush(start);
      const count = Math.min(piece.length - from, start + BLOCK - position);
      piece.copy(this.#block, position - start, from, from + count);
      from += count;
    }
  }

  #flush(next: number): void {
    if (!this.#block.equals(ZERO)) this.#hash.update(`${this.#at} `).update(this.#block);
    this.#block.fill(0);
    this.#at = next;
  }

  end(): void {
    const entry = this.#entry;
    if (!entry) return;
    this.#flush(0);
    const name = plain(entry.name);
    if (entry.type === 'hardlink') this.#links.set(name, plain(entry.link));
    else this.#files.set(name, listed(entry, this.#hash.digest('hex').slice(0, 16)));
  }

  listing(): Listing {
    const groups = new Map<string, string[]>();
    for (const [name, first] of this.#links) groups.set(first, [...(groups.get(first) ?? [first]), name]);
    const all = new Map(this.#files);
    for (const [first, names] of groups) {
      const file = this.#files.get(first);
      const links = names.sort().join(' ');
      for (const name of names) if (file) all.set(name, { ...file, links });
    }
    return all;
  }
}

const plain = (name: string): string => name.replace(/^(?:\.?\/)+/, '').replace(/\/$/, '');

function listed(entry: TarEntry, content: string): Listed {
  const { type, uid, gid, mode, mtime, link, size } = entry;
  const xattrs = [...(entry.xattrs ?? [])].map(([key, value]): [string, string] => [
    key,
    value.toString('hex'),
  ]);
  return {
    type,
    owner: `${uid}:${gid}`,
    mode: type === 'symlink' ? '' : mode.toString(8),
    mtime: `${mtime.seconds}.${String(mtime.nanoseconds).padStart(9, '0')}`,
    target: link,
    size,
    content,
    links: '',
    xattrs: Object.fromEntries(xattrs.sort()),
  };
}
