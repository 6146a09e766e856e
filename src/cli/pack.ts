import { accessSync, constants, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { Script } from 'node:vm';
import type { Body } from './modules.ts';

/**
 * A file of modules (src/bundle/chunks.ts), compiled from V8's code cache. Compiling takes longer than everything else that
 * a short command does; from the cache it takes a few milliseconds. The cache is made when it is missing, or made for another
 * file or Node, by whoever may write there; nothing depends on it.
 */
export class Pack {
  readonly #path: string;
  readonly #cache: string;
  #table: Readonly<Record<string, Body>> | undefined;
  #script: Script | undefined;
  #tag = '';
  #cached = false;

  /** `path` lacks `.cjs`; the cache is `path.KIND.cache`. */
  constructor(path: string, kind: string) {
    this.#path = path;
    this.#cache = `${path}.${kind}.cache`;
  }

  /** Reads the file when it is first asked. */
  find(name: string): Body | undefined {
    this.#table ??= this.#load();
    return this.#table[name];
  }

  #load(): Readonly<Record<string, Body>> {
    const filename = `${this.#path}.cjs`;
    const source = readFileSync(filename, 'latin1'); // it is ASCII: that saves the decoding
    // V8 compares only the length of the source: the digest in its first line tells two packs apart.
    this.#tag = `${process.version} ${source.slice(0, source.indexOf('\n'))}`.padEnd(96);
    const cachedData = this.#readCache();
    this.#script = new Script(source, { filename, ...(cachedData && { cachedData }) });
    this.#cached = cachedData !== undefined && this.#script.cachedDataRejected !== true;
    return this.#script.runInThisContext();
  }

  #readCache(): Buffer | undefined {
    try {
      const bytes = readFileSync(this.#cache);
      const { length } = this.#tag;
      return bytes.toString('latin1', 0, length) === this.#tag ? bytes.subarray(length) : undefined;
    } catch {
      return undefined;
    }
  }

  /** Functions that have run are in the cache compiled. `grow`: even if there is one (while building, a few commands run). */
  saveCache(grow: boolean): void {
    if (!this.#script || (this.#cached && !grow)) return;
    try {
      accessSync(dirname(this.#path), constants.W_OK);
      const temporary = `${this.#cache}.${process.pid}`;
      writeFileSync(
        temporary,
        Buffer.concat([Buffer.from(this.#tag, 'latin1'), this.#script.createCachedData()]),
      );
      renameSync(temporary, this.#cache);
    } catch {
      // An installation of somebody else's: it starts without a cache.
    }
  }
}
