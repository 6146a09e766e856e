import { join } from 'node:path';
import { hasErrno } from '../errors.ts';
import { mkdir, readdir, rm, stat } from '../util/files.ts';
import { newSha256 } from '../util/hash.ts';
import { ioError, readJson, touch, writeFileAtomic } from './atomic.ts';

/** `build/cache/<key>.json`: what a step made when it was done last. Its time of change is that of its last use. */
export interface CacheRecord {
  readonly version: 1;
  /** The layer; absent for a step that changed nothing. */
  readonly layer?: { readonly diffId: string; readonly size: number; readonly bytes: number };
  /** What was found of sources that are not read again as long as their layers are the same. */
  readonly found?: unknown;
  /** The instruction, for lists. */
  readonly text: string;
  /** RFC 3339. */
  readonly created: string;
}

export interface CacheEntry {
  readonly key: string;
  readonly record: CacheRecord;
  /** Epoch milliseconds. */
  readonly used: number;
}

/** The steps of builds that need not be done again. A record that cannot be read counts as none. */
export class BuildCache {
  readonly #directory: string;

  /** `root`: the store's. */
  constructor(root: string) {
    this.#directory = join(root, 'build', 'cache');
  }

  /** Names what a step depends on: equal values, equal names. */
  static key(what: unknown): string {
    return newSha256().update(JSON.stringify(what)).digest('hex');
  }

  async get(key: string): Promise<CacheRecord | undefined> {
    const record = await readJson<CacheRecord>(this.#path(key)).catch(() => undefined);
    if (record?.version !== 1) return undefined;
    await touch(this.#path(key), 'cannot mark a step of the build cache as used').catch(() => false);
    return record;
  }

  /** Not synced: after a power failure a step is done again. */
  async put(key: string, record: CacheRecord): Promise<void> {
    await mkdir(this.#directory, { recursive: true, mode: 0o700 });
    await writeFileAtomic(this.#path(key), `${JSON.stringify(record)}\n`, { fsync: false });
  }

  async remove(key: string): Promise<void> {
    await rm(this.#path(key), { force: true });
  }

  async list(): Promise<CacheEntry[]> {
    const names = await readdir(this.#directory).catch((error: unknown) => {
      if (hasErrno(error, 'ENOENT')) return [];
      throw ioError(error, `cannot list ${this.#directory}`);
    });
    const keys = names.flatMap(name => /^([0-9a-f]{64})\.json$/.exec(name)?.[1] ?? []);
    const entries = await Promise.all(keys.map(key => this.#entry(key)));
    return entries.filter(entry => entry !== undefined);
  }

  /** Diff ids of the layers that the cache holds. */
  async layers(): Promise<string[]> {
    return (await this.list()).flatMap(({ record }) => record.layer?.diffId ?? []);
  }

  async #entry(key: string): Promise<CacheEntry | undefined> {
    const path = this.#path(key);
    const record = await readJson<CacheRecord>(path).catch(() => undefined);
    const used = await stat(path).then(
      info => info.mtimeMs,
      () => undefined,
    );
    return record?.version === 1 && used !== undefined ? { key, record, used } : undefined;
  }

  #path(key: string): string {
    return join(this.#directory, `${key}.json`);
  }
}
