import { closeSync, ftruncateSync, linkSync, mkdirSync, openSync, symlinkSync, unlinkSync } from 'node:fs';
import { hasErrno } from '../errors.ts';
import { makeFifo, makeWhiteout } from '../sys/mknod.ts';
import { setXattr } from '../sys/xattr.ts';
import { type ByteString, toPath } from './bytes.ts';
import { type Holes, writeWithHoles } from './copy-write.ts';
import type { TarEntry } from './entry.ts';
import { applyError, layerError } from './error.ts';
import { removeAll, statusOf } from './files.ts';
import { isWhiteout, OPAQUE_XATTR } from './marks.ts';
import { Metadata, type Ownership, type Reductions, setTimesOf } from './metadata.ts';
import { componentsOf, type Place, placeOf } from './names.ts';
import type { TarSink } from './tar-reader.ts';
import { makePlainDirectory, Walk } from './walk.ts';

export interface ApplyResult {
  readonly entries: number;
  /** Bytes of the regular files. */
  readonly size: number;
  readonly reductions: Reductions;
}

/** Archives rarely say where the holes of a file were; small ones are not worth a write of their own. */
const HOLES: Holes = { block: 65536, partial: false };

/**
 * Makes the tree of one layer from its archive, whose bytes are hostile. The directory it writes in is the root of its
 * process, so no path can lead out; within it no symbolic link is followed by the kernel (walk.ts), and what is in the way of an
 * entry is replaced, as docker does. Nothing is kept for an entry once it is written: memory does not grow with the layer.
 *
 * The umask must be 0.
 */
export class LayerApplier implements TarSink {
  readonly #metadata: Metadata;
  readonly #walk: Walk;
  #entries = 0;
  #size = 0;
  #current: TarEntry | undefined;
  #path: ByteString = '';
  #fd = -1;
  /** Where the last byte that was written to it ends. */
  #end = 0;

  /** `root`: the layer's directory without a slash at its end; empty when it is the root of the process. */
  constructor(root: ByteString, ownership: Ownership) {
    this.#metadata = new Metadata(ownership);
    this.#walk = new Walk(root, {
      make: (path, opaque) => this.#makeParent(path, opaque),
      setTimes: setTimesOf,
    });
  }

  entry(entry: TarEntry): void {
    this.#entries++;
    this.#current = entry;
    try {
      this.#apply(entry);
    } catch (error) {
      throw applyError(error, entry.name);
    }
  }

  data(piece: Buffer, offset: number): void {
    // The body of a whiteout goes nowhere.
    if (this.#fd < 0) return;
    try {
      this.#end = Math.max(this.#end, writeWithHoles(this.#fd, piece, offset, HOLES));
    } catch (error) {
      throw applyError(error, this.#current?.name ?? '');
    }
  }

  end(): void {
    const entry = this.#current;
    if (this.#fd < 0 || !entry) return;
    try {
      if (entry.size > this.#end) ftruncateSync(this.#fd, entry.size);
      this.#metadata.file(this.#fd, this.#path, entry);
    } catch (error) {
      throw applyError(error, entry.name);
    } finally {
      this.close();
    }
  }

  /** The archive has ended: gives the directories their times. */
  finish(): ApplyResult {
    this.#walk.finish();
    return { entries: this.#entries, size: this.#size, reductions: this.#metadata.reductions };
  }

  /** Lets go of the file that is being written, if any. */
  close(): void {
    if (this.#fd >= 0) closeSync(this.#fd);
    this.#fd = -1;
  }

  #apply(entry: TarEntry): void {
    const place = placeOf(entry.name);
    if (place.whiteout?.kind === 'ignore') return;
    if (place.base === '') {
      this.#applyRoot(entry);
      return;
    }
    const parent = this.#walk.enter(place.parents, entry.name);
    this.#path = `${parent}/${place.base}`;
    if (place.whiteout) this.#applyWhiteout(parent, place);
    else this.#make(entry, place.base);
  }

  #applyRoot(entry: TarEntry): void {
    if (entry.type !== 'dir') throw layerError(`the root of a layer cannot be a ${entry.type}`, entry.name);
    const root = this.#walk.enter([], entry.name);
    this.#metadata.root(root === '' ? '/' : root, entry);
    this.#walk.setTimes(entry.mtime);
  }

  #make(entry: TarEntry, base: ByteString): void {
    if (entry.type === 'file') {
      this.#size += entry.size;
      this.#end = 0;
      this.#fd = this.#replace(path => openSync(toPath(path), 'wx', entry.mode & 0o777));
    } else if (entry.type === 'dir') this.#makeDirectory(entry, base);
    else if (entry.type === 'hardlink') this.#makeLink(entry);
    else if (entry.type === 'symlink') {
      this.#replace(path => symlinkSync(toPath(entry.link), toPath(path)));
      this.#metadata.symlink(this.#path, entry);
    } else if (entry.type === 'fifo') {
      this.#replace(path => makeFifo(toPath(path), entry.mode & 0o777));
      this.#metadata.fifo(this.#path, entry);
    } else this.#makeDevice(entry);
  }

  /** Makes something at the current path. What is there already goes: an archive may hold a name twice, the last one counts. */
  #replace<T>(make: (path: ByteString) => T): T {
    try {
      return make(this.#path);
    } catch (error) {
      if (!hasErrno(error, 'EEXIST')) throw error;
      removeAll(this.#path);
      return make(this.#path);
    }
  }

  #makeDirectory(entry: TarEntry, base: ByteString): void {
    const there = this.#tryMakeDirectory() ? undefined : statusOf(this.#path);
    if (there && !there.isDirectory()) {
      removeAll(this.#path);
      mkdirSync(toPath(this.#path), 0o700);
      // The whiteout before it hid what is below; a plain directory would show it again.
      if (isWhiteout(there)) this.#makeOpaque(this.#path);
    }
    this.#metadata.directory(this.#path, entry);
    this.#walk.push(base, entry.mtime);
  }

  #tryMakeDirectory(): boolean {
    try {
      mkdirSync(toPath(this.#path), 0o700);
      return true;
    } catch (error) {
      if (!hasErrno(error, 'EEXIST')) throw error;
      return false;
    }
  }

  /** The target must be something of this very layer that is reached through real directories. */
  #makeLink(entry: TarEntry): void {
    const parts = componentsOf(entry.link, entry.name);
    const target = this.#walk.existing(parts, entry.name);
    const there = parts.length > 0 ? statusOf(target) : undefined;
    if (!there) throw layerError('a hard link to something that is not in the layer', entry.name);
    if (there.isDirectory() || isWhiteout(there))
      throw layerError('a hard link to a directory or a removal', entry.name);
    if (target === this.#path) throw layerError('a hard link to itself', entry.name);
    this.#replace(path => linkSync(toPath(target), toPath(path)));
  }

  /** No user namespace may make device nodes: an empty file keeps the place, its attribute says what it is. */
  #makeDevice(entry: TarEntry): void {
    const fd = this.#replace(path => openSync(toPath(path), 'wx', entry.mode & 0o777));
    try {
      this.#metadata.device(fd, this.#path, entry);
    } finally {
      closeSync(fd);
    }
  }

  /** Removals concern the layers below: what this layer itself has under the name stays. */
  #applyWhiteout(parent: ByteString, { whiteout }: Place): void {
    if (whiteout?.kind === 'opaque') {
      this.#makeOpaque(parent === '' ? '/' : parent);
      return;
    }
    if (whiteout?.kind !== 'remove') return;
    const path = `${parent}/${whiteout.name}`;
    const there = statusOf(path);
    if (there?.isDirectory()) this.#makeOpaque(path);
    if (there) return;
    try {
      makeWhiteout(toPath(path));
    } catch (error) {
      if (!hasErrno(error, 'EPERM')) throw error;
      this.#leaveMark(this.#path);
    }
  }

  #makeOpaque(path: ByteString): void {
    try {
      setXattr(toPath(path), OPAQUE_XATTR, Buffer.from('y'));
    } catch (error) {
      if (!hasErrno(error, 'ENOTSUP', 'EOPNOTSUPP', 'EPERM')) throw error;
      this.#leaveMark(`${path === '/' ? '' : path}/.wh..wh..opq`);
    }
  }

  /** The archive's own form, where the kernel or the file system refuse the better one. */
  #leaveMark(path: ByteString): void {
    if (!statusOf(path)) closeSync(openSync(toPath(path), 'wx', 0o600));
  }

  #makeParent(path: ByteString, opaque: boolean): void {
    if (opaque) unlinkSync(toPath(path));
    makePlainDirectory(path);
    if (opaque) this.#makeOpaque(path);
  }
}
