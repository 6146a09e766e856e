import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isDigest } from '../oci/digest.ts';
import type { Descriptor } from '../oci/manifest.ts';
import { readJson, writeFileAtomic } from '../store/atomic.ts';
import { withLock } from '../store/lock.ts';

/** What an uncompressed layer became when it was pushed, and where it is. */
export interface PushedLayer {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  /** `host/path`, the latest first. */
  readonly repositories: readonly string[];
}

interface MemoryFile {
  readonly version: 1;
  /** By diff id, the latest last. */
  readonly layers: Readonly<Record<string, PushedLayer>>;
}

const FILE = 'pushed.json';
const MAX_LAYERS = 500;
const MAX_REPOSITORIES = 8;

/**
 * `images/pushed.json`: layers that were compressed for a push, so that the next push of the same layer asks for that blob instead of
 * compressing it again. Losing it costs time, nothing else: a file that cannot be read counts as empty.
 */
export class PushMemory {
  readonly #directory: string;

  constructor(imagesDir: string) {
    this.#directory = imagesDir;
  }

  async read(): Promise<ReadonlyMap<string, PushedLayer>> {
    const file = await readJson<Partial<MemoryFile>>(join(this.#directory, FILE)).catch(() => undefined);
    if (file?.version !== 1 || typeof file.layers !== 'object' || file.layers === null) return new Map();
    return new Map(Object.entries(file.layers).filter(([id, layer]) => isDigest(id) && isPushed(layer)));
  }

  /** Adds what was pushed to `repository` (`host/path`). */
  async add(repository: string, pushed: ReadonlyMap<string, Descriptor>): Promise<void> {
    if (pushed.size === 0) return;
    await withLock(join(this.#directory, 'pushed.lock'), async () => {
      await this.#sweep();
      const layers = new Map(await this.read());
      for (const [diffId, { mediaType, digest, size }] of pushed) {
        const before = layers.get(diffId);
        const known = before?.digest === digest ? before.repositories : [];
        const others = known.filter(name => name !== repository);
        layers.delete(diffId);
        const repositories = [repository, ...others].slice(0, MAX_REPOSITORIES);
        layers.set(diffId, { mediaType, digest, size, repositories });
      }
      const file: MemoryFile = {
        version: 1,
        layers: Object.fromEntries([...layers].slice(-MAX_LAYERS)),
      };
      await writeFileAtomic(join(this.#directory, FILE), `${JSON.stringify(file, null, 1)}\n`, {
        fsync: false,
      });
    });
  }

  /** What a push that was killed left; nobody else writes while the lock is held. */
  async #sweep(): Promise<void> {
    const stale = (await readdir(this.#directory)).filter(name => name.startsWith(`.tmp-${FILE}-`));
    await Promise.all(stale.map(name => rm(join(this.#directory, name), { force: true })));
  }
}

function isPushed(layer: Partial<PushedLayer> | null): boolean {
  const texts = [
    layer?.mediaType,
    ...(Array.isArray(layer?.repositories) ? layer.repositories : [undefined]),
  ];
  const numbers = Number.isSafeInteger(layer?.size) && isDigest(layer?.digest);
  return numbers && texts.every(text => typeof text === 'string');
}
