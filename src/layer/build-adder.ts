import type { LayerApplier } from './apply.ts';
import type { ArchiveFile } from './build-archive.ts';
import type { LowerTree } from './build-lower.ts';
import { partsOf } from './build-match.ts';
import { clampTime } from './build-members.ts';
import { linkedDirectory } from './build-place.ts';
import { join } from './build-select.ts';
import type { AddTask } from './build-tasks.ts';
import type { ByteString } from './bytes.ts';
import type { TarEntry } from './entry.ts';
import type { TarSink } from './tar-reader.ts';
import { type TarMember, tarHeader, tarPadding } from './tar-writer.ts';

/**
 * Takes the entries of an archive and makes a layer of them, the tree and its archive. Directories on the way are listed as the layers below have
 * them, because those of a layer cover those below it; a link of the layers below to a directory is gone through, as docker does.
 */
export class LayerAdder implements TarSink {
  readonly #lower: LowerTree;
  readonly #applier: LayerApplier;
  readonly #archive: ArchiveFile;
  readonly #task: AddTask;
  /** What this layer has under a name: directories and links, files do not matter. */
  readonly #made = new Map<ByteString, 'dir' | 'symlink'>();
  readonly #now = Math.floor(Date.now() / 1000);
  /** Where files of the directory that was entered last go: most entries follow one of the same. */
  #last: { readonly directory: ByteString; readonly parent: ByteString } | undefined;
  #stored = -1;
  entries = 0;
  size = 0;

  constructor(lower: LowerTree, applier: LayerApplier, archive: ArchiveFile, task: AddTask) {
    this.#lower = lower;
    this.#applier = applier;
    this.#archive = archive;
    this.#task = task;
  }

  entry(entry: TarEntry): void {
    const path = this.#pathOf(entry);
    const linked = entry.type === 'dir' ? this.#linked(path) : undefined;
    if (linked !== undefined) this.#enter(partsOf(linked));
    else this.#put({ ...entry, name: entry.type === 'dir' ? `${path}/` : path }, path);
  }

  #pathOf({ name, type }: TarEntry): ByteString {
    const slash = name.lastIndexOf('/');
    const directory = name.slice(0, Math.max(slash, 0));
    if (type === 'file' && this.#last?.directory === directory && !/^\.{0,2}$/.test(name.slice(slash + 1)))
      return join(this.#last.parent, name.slice(slash + 1));
    const parts = partsOf(name);
    const base = parts.pop() ?? '';
    const parent = this.#enter(parts);
    this.#last = { directory, parent };
    return join(parent, base);
  }

  data(piece: Buffer, offset: number): void {
    this.#archive.add(piece);
    this.#applier.data(piece, offset);
  }

  end(): void {
    if (this.#stored < 0) return;
    this.#archive.add(tarPadding(this.#stored));
    this.#applier.end();
    this.#stored = -1;
  }

  /** A link of the layers below that this layer has not replaced. */
  #linked(path: ByteString): ByteString | undefined {
    return this.#made.has(path) ? undefined : linkedDirectory(this.#lower, path);
  }

  /** Lists the directories on the way; returns where it leads. */
  #enter(parts: readonly ByteString[]): ByteString {
    let way: ByteString = '';
    for (const name of parts) {
      const path = join(way, name);
      const made = this.#made.get(path);
      // A link of this archive: the applier goes through it.
      if (made === 'symlink') return join(path, parts.slice(partsOf(path).length).join('/'));
      const linked = made ? undefined : this.#linked(path);
      if (linked !== undefined) way = this.#enter(partsOf(linked));
      else {
        if (!made) this.#list(path);
        way = path;
      }
    }
    return way;
  }

  #list(path: ByteString): void {
    const below = this.#lower.find(path);
    const known = below?.type === 'dir' ? below.describe(path)?.member : undefined;
    this.#put(known ?? this.#directory(path), path);
    this.end();
  }

  #directory(path: ByteString): TarMember {
    const { uid, gid } = this.#task;
    const mtime = { seconds: this.#now, nanoseconds: 0 };
    const plain = { size: 0, stored: 0, link: '', major: 0, minor: 0, xattrs: undefined };
    return { ...plain, name: `${path}/`, type: 'dir', mode: 0o755, uid, gid, mtime };
  }

  #put(entry: TarMember, path: ByteString): void {
    const member = clampTime(entry, this.#task.epoch);
    this.entries++;
    this.size += member.size;
    if (member.type === 'dir' || member.type === 'symlink') {
      this.#made.set(path, member.type);
      this.#last = undefined;
    } else if (this.#made.delete(path)) this.#last = undefined;
    this.#stored = member.stored;
    this.#archive.add(tarHeader(member));
    this.#applier.entry({ ...member, sparse: undefined });
  }
}
