import {
  closeSync,
  ftruncateSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  type Stats,
  symlinkSync,
  unlinkSync,
} from 'node:fs';
import { hasErrno, TsboxError } from '../errors.ts';
import { makeFifo } from '../sys/mknod.ts';
import { type ByteString, show, toPath } from './bytes.ts';
import { copyError } from './copy-error.ts';
import { Frames, type Way } from './copy-frames.ts';
import type { CopyPlan } from './copy-rules.ts';
import type { CopyDone } from './copy-tasks.ts';
import { writeWithHoles } from './copy-write.ts';
import type { TarEntry } from './entry.ts';
import { componentsOf } from './names.ts';
import type { TarSink } from './tar-reader.ts';

/** Puts owner, mode, times and attributes on what was just made. */
export interface CopyMetadata {
  file(fd: number, path: ByteString, entry: TarEntry): void;
  /** When everything in it has been made. */
  directory(path: ByteString, entry: TarEntry): void;
  symlink(path: ByteString, entry: TarEntry): void;
  fifo(path: ByteString, entry: TarEntry): void;
}

export interface ExtractOptions {
  /** The existing directory, without a slash at its end; empty for the root of the process. */
  readonly directory: string;
  readonly rename: CopyPlan['rename'];
  readonly way: Way;
  readonly metadata: CopyMetadata;
}

/**
 * Makes the files of an archive in a directory that has files of its own: directories are merged, other things replaced, and
 * neither becomes the other (docker's rules for cp). Not for layers: a name `.wh.x` is nothing special. The umask must not matter: modes are set.
 */
export class CopyExtractor implements TarSink {
  readonly #frames: Frames;
  readonly #options: ExtractOptions;
  #entries = 0;
  #skipped = 0;
  #entry: TarEntry | undefined;
  #path: ByteString = '';
  #fd = -1;

  constructor(options: ExtractOptions) {
    this.#options = options;
    this.#frames = new Frames(options.directory, options.way);
  }

  entry(entry: TarEntry): void {
    this.#entry = entry;
    this.#entries++;
    this.#guard(() => this.#make(entry));
  }

  data(piece: Buffer, offset: number): void {
    if (this.#fd >= 0) this.#guard(() => writeWithHoles(this.#fd, piece, offset));
  }

  end(): void {
    const entry = this.#entry;
    if (this.#fd < 0 || !entry) return;
    this.#guard(() => {
      // Its end may be a hole.
      ftruncateSync(this.#fd, entry.size);
      this.#options.metadata.file(this.#fd, this.#path, entry);
    });
    this.#closeFile();
  }

  finish(): CopyDone {
    this.#guard(() => this.#frames.finish());
    return { entries: this.#entries, skipped: this.#skipped };
  }

  /** Lets go of everything; harmless after `finish`. */
  close(): void {
    this.#closeFile();
    this.#frames.close();
  }

  #guard(work: () => void): void {
    try {
      work();
    } catch (error) {
      throw copyError(error, this.#entry?.name ?? '');
    }
  }

  #closeFile(): void {
    if (this.#fd >= 0) closeSync(this.#fd);
    this.#fd = -1;
  }

  #make(entry: TarEntry): void {
    const parts = this.#renamed(entry.name, entry.name);
    // The destination itself is there, and stays as it is.
    if (parts.length === 0) return;
    const parent = this.#frames.go(parts.slice(0, -1), entry.name);
    this.#path = `${parent}/${parts.at(-1) ?? ''}`;
    if (entry.type === 'dir') this.#makeDirectory(entry, parts);
    else {
      this.#refuseDirectory(entry);
      this.#makeOther(entry);
    }
  }

  #renamed(name: ByteString, entry: ByteString): ByteString[] {
    const parts = componentsOf(name, entry);
    const { rename } = this.#options;
    if (!rename) return parts;
    if (rename.from !== '' && parts[0] === rename.from) parts.shift();
    return [...componentsOf(rename.to, entry), ...parts];
  }

  #makeDirectory(entry: TarEntry, parts: readonly ByteString[]): void {
    try {
      mkdirSync(toPath(this.#path), 0o700);
    } catch (error) {
      if (!hasErrno(error, 'EEXIST')) throw error;
      if (!this.#there()?.isDirectory()) throw conflict('non-directory', 'directory', this.#path, entry);
    }
    this.#frames.go(parts, entry.name);
    this.#frames.whenLeft(path => this.#options.metadata.directory(path, entry));
  }

  #refuseDirectory(entry: TarEntry): void {
    if (this.#there()?.isDirectory()) throw conflict('directory', 'non-directory', this.#path, entry);
  }

  #there(): Stats | undefined {
    return lstatSync(toPath(this.#path), { throwIfNoEntry: false });
  }

  #makeOther(entry: TarEntry): void {
    if (entry.type === 'file')
      this.#fd = this.#replace(path => openSync(toPath(path), 'wx', entry.mode & 0o777));
    else if (entry.type === 'symlink') {
      this.#replace(path => symlinkSync(toPath(entry.link), toPath(path)));
      this.#options.metadata.symlink(this.#path, entry);
    } else if (entry.type === 'fifo') {
      this.#replace(path => makeFifo(toPath(path), entry.mode & 0o777));
      this.#options.metadata.fifo(this.#path, entry);
    } else if (entry.type === 'hardlink') this.#makeLink(entry);
    // Nobody without privilege makes device nodes.
    else this.#skipped++;
  }

  #makeLink(entry: TarEntry): void {
    const parts = this.#renamed(entry.link, entry.name);
    this.#frames.visit(parts.slice(0, -1), entry.name, directory => {
      const target = `${directory}/${parts.at(-1) ?? ''}`;
      if (target !== this.#path) this.#replace(path => linkSync(toPath(target), toPath(path)));
    });
  }

  /** What is there goes; a link that is there is replaced, never written through. */
  #replace<T>(make: (path: ByteString) => T): T {
    try {
      return make(this.#path);
    } catch (error) {
      if (!hasErrno(error, 'EEXIST')) throw error;
      unlinkSync(toPath(this.#path));
      return make(this.#path);
    }
  }
}

/** docker's words. */
function conflict(there: string, comes: string, path: ByteString, entry: TarEntry): TsboxError {
  const name = show(path.slice(path.lastIndexOf('/') + 1));
  return new TsboxError('CONFLICT', `cannot overwrite ${there} ${name} with ${comes} ${show(entry.name)}`, {
    exitCode: 1,
  });
}
