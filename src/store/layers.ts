import { join } from 'node:path';
import { hasErrno } from '../errors.ts';
import { digestHex, isDigest } from '../oci/digest.ts';
import { readdir } from '../util/files.ts';
import { ioError, readJson, touch } from './atomic.ts';

/** `layers/<hex>/layer.json`: written before the directory gets its name, never changed. */
export interface LayerRecord {
  readonly version: 1;
  /** `sha256:…` of the uncompressed archive. */
  readonly diffId: string;
  /** Bytes of the regular files. */
  readonly size: number;
  /** Entries of the archive. */
  readonly entries: number;
  /** RFC 3339, UTC. */
  readonly created: string;
  /** Which map its owners were written with. */
  readonly userns: 'ranges' | 'single' | 'keep-id' | 'root';
  /** What the archive has and this user's files cannot: see docs/state.md. */
  readonly reduced: LayerReductions;
}

/** How often something could only be recorded (`user.containers.override_stat`) or had to be left out. */
export interface LayerReductions {
  /** Owners outside of the id map, recorded. */
  readonly owners: number;
  /** Device nodes, kept as empty files with their numbers recorded. */
  readonly devices: number;
  /** Setuid and setgid bits, recorded (single mode only). */
  readonly setuid: number;
  /** Extended attributes that the file system or the kernel refused. */
  readonly xattrs: number;
}

/** `layers/<hex of the diff id>/`: an unpacked layer is whole if and only if it is there. */
export class LayerStore {
  readonly #directory: string;

  constructor(layersDir: string) {
    this.#directory = layersDir;
  }

  /** The layer's directory; its root is `fs` below it. Throws DIGEST for a malformed id. */
  path(diffId: string): string {
    return join(this.#directory, digestHex(diffId));
  }

  /** As BlobStore.has: also says that the layer is wanted now. */
  async has(diffId: string): Promise<boolean> {
    return touch(join(this.path(diffId), 'layer.json'), `cannot look up layer ${diffId}`);
  }

  /** Undefined when the layer is not here. */
  async record(diffId: string): Promise<LayerRecord | undefined> {
    return readJson<LayerRecord>(join(this.path(diffId), 'layer.json'));
  }

  /** Diff ids of every layer that is here. */
  async list(): Promise<string[]> {
    const names = await readdir(this.#directory).catch((error: unknown) => {
      if (hasErrno(error, 'ENOENT')) return [];
      throw ioError(error, `cannot list ${this.#directory}`);
    });
    return names.map(name => `sha256:${name}`).filter(isDigest);
  }

  /** Bytes of these layers together; a layer that is missing counts nothing. */
  async size(diffIds: readonly string[]): Promise<number> {
    const records = await Promise.all([...new Set(diffIds)].map(id => this.record(id)));
    return records.reduce((sum, record) => sum + (record?.size ?? 0), 0);
  }
}
