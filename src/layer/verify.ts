import { closeSync, constants, openSync, readlinkSync, readSync, type Stats } from 'node:fs';
import { type ByteString, toPath } from './bytes.ts';
import type { TarEntry } from './entry.ts';
import { statusOf } from './files.ts';
import { placeOf } from './names.ts';
import type { TarSink } from './tar-reader.ts';

const TYPES: Readonly<Record<TarEntry['type'], (stat: Stats) => boolean>> = {
  file: stat => stat.isFile(),
  dir: stat => stat.isDirectory(),
  symlink: stat => stat.isSymbolicLink(),
  hardlink: stat => !stat.isDirectory(),
  fifo: stat => stat.isFIFO(),
  // Placeholders: no user namespace may make device nodes.
  char: stat => stat.isFile(),
  block: stat => stat.isFile(),
};

/**
 * Compares the tree of a layer with its archive: kinds, permissions, sizes, targets of links, content. Owners, times and attributes are
 * not looked at: what a damaged disk or an interrupted write changes shows in these. To be used where the tree is the root of the
 * process. Of a name that the archive has several times the last one counts.
 */
export class LayerVerifier implements TarSink {
  readonly #root: ByteString;
  readonly #problems = new Map<ByteString, string>();
  #path: ByteString = '';
  #fd = -1;
  #buffer = Buffer.alloc(0);

  /** `root`: the tree without a slash at its end; empty when it is the root of the process. */
  constructor(root: ByteString) {
    this.#root = root;
  }

  /** Path and what is wrong with it. */
  get problems(): readonly string[] {
    return [...this.#problems].map(([path, problem]) => `${path} ${problem}`);
  }

  entry(entry: TarEntry): void {
    const { parents, base, whiteout } = placeOf(entry.name);
    if (whiteout || base === '') return;
    this.#path = `/${[...parents, base].join('/')}`;
    this.#problems.delete(this.#path);
    const problem = this.#compare(entry);
    if (problem !== undefined) this.#problems.set(this.#path, problem);
  }

  data(piece: Buffer, offset: number): void {
    if (this.#fd < 0 || this.#problems.has(this.#path)) return;
    if (this.#buffer.length < piece.length) this.#buffer = Buffer.alloc(piece.length);
    const found = this.#buffer.subarray(0, piece.length);
    if (!this.#read(found, offset)) this.#problems.set(this.#path, 'cannot be read');
    else if (!found.equals(piece)) this.#problems.set(this.#path, 'has other content');
  }

  end(): void {
    if (this.#fd >= 0) closeSync(this.#fd);
    this.#fd = -1;
  }

  #compare(entry: TarEntry): string | undefined {
    const path = this.#root + this.#path;
    const stat = statusOf(path);
    if (!stat) return 'is missing';
    if (!TYPES[entry.type](stat)) return `is no ${entry.type}`;
    if (entry.type === 'symlink') {
      const target = readlinkSync(toPath(path), { encoding: 'latin1' });
      return target === entry.link ? undefined : 'leads elsewhere';
    }
    const hasMode = entry.type === 'file' || entry.type === 'dir';
    if (hasMode && (stat.mode & 0o777) !== (entry.mode & 0o777)) return 'has other permissions';
    if (entry.type !== 'file') return undefined;
    if (stat.size !== entry.size) return `has ${stat.size} bytes instead of ${entry.size}`;
    this.#fd = openSync(toPath(path), constants.O_RDONLY | constants.O_NOFOLLOW);
    return undefined;
  }

  #read(into: Buffer, offset: number): boolean {
    try {
      for (let at = 0; at < into.length; ) {
        const count = readSync(this.#fd, into, at, into.length - at, offset + at);
        if (count === 0) return false;
        at += count;
      }
      return true;
    } catch {
      return false;
    }
  }
}
