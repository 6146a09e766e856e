import { join } from 'node:path';
import { TsboxError } from '../errors.ts';
import { isDigest } from '../oci/digest.ts';
import type { Descriptor } from '../oci/manifest.ts';
import { OCI_INDEX } from '../oci/media-types.ts';
import { mkdir, readdir, rm } from '../util/files.ts';
import { ioError, readJson, writeFileAtomic } from './atomic.ts';
import { withLock } from './lock.ts';

/** Annotations of the entries of index.json. The first is the OCI image-layout's, the others save readers a look at the blobs. */
export const REF_NAME = 'org.opencontainers.image.ref.name';
export const IMAGE_ID = 'io.tsbox.image-id';
export const IMAGE_SIZE = 'io.tsbox.size';
/** `repository@digest`, separated by spaces. */
export const REPO_DIGESTS = 'io.tsbox.repo-digests';

/** One line of index.json: a manifest with at most one name. A manifest with two names has two entries. */
export type Entry = Descriptor;

interface IndexFile {
  readonly schemaVersion: 2;
  readonly mediaType?: string;
  readonly manifests: readonly Entry[];
}

/**
 * `images/index.json`: which manifests are images here and what they are called. Readers take no lock: the file is replaced
 * as a whole. Writers hold `images/index.lock`.
 */
export class ImageIndex {
  readonly #directory: string;

  constructor(imagesDir: string) {
    this.#directory = imagesDir;
  }

  async read(): Promise<readonly Entry[]> {
    const path = join(this.#directory, 'index.json');
    const file = await readJson<Partial<IndexFile>>(path);
    if (file === undefined) return [];
    if (!Array.isArray(file?.manifests)) throw corrupt(path, 'has no manifests');
    const entries = file.manifests as readonly (Entry | null)[];
    if (!entries.every(e => isDigest(e?.digest))) throw corrupt(path, 'has an entry without a digest');
    return entries as readonly Entry[];
  }

  /** Replaces the entries by what `change` makes of them. A `change` that throws changes nothing. */
  async update<T>(
    change: (entries: readonly Entry[]) => Promise<{ entries: readonly Entry[]; result: T }>,
  ): Promise<T> {
    await this.#prepare();
    return withLock(join(this.#directory, 'index.lock'), async () => {
      await this.#sweep();
      const before = await this.read();
      const { entries, result } = await change(before);
      if (entries !== before) await this.#write(entries);
      return result;
    });
  }

  async #write(manifests: readonly Entry[]): Promise<void> {
    const file: IndexFile = { schemaVersion: 2, mediaType: OCI_INDEX, manifests };
    await writeFileAtomic(join(this.#directory, 'index.json'), `${JSON.stringify(file, null, 1)}\n`);
  }

  async #prepare(): Promise<void> {
    try {
      await mkdir(join(this.#directory, 'blobs', 'sha256'), { recursive: true, mode: 0o700 });
    } catch (error) {
      throw ioError(error, `cannot make ${this.#directory}`);
    }
    const layout = join(this.#directory, 'oci-layout');
    if ((await readJson(layout)) === undefined) {
      await writeFileAtomic(layout, '{"imageLayoutVersion":"1.0.0"}\n');
    }
  }

  /** What a writer that was killed left; nobody else writes here while we hold the lock. */
  async #sweep(): Promise<void> {
    const stale = (await readdir(this.#directory)).filter(name => name.startsWith('.tmp-index.json-'));
    await Promise.all(stale.map(name => rm(join(this.#directory, name), { force: true })));
  }
}

function corrupt(path: string, what: string): TsboxError {
  return new TsboxError('STORE_CORRUPT', `${path} ${what}`, {
    hint: 'remove the file and pull or load the images again',
  });
}
