import { WHITEOUT_PREFIX } from '../oci/whiteout.ts';
import { changeOf } from './build-members.ts';
import { join } from './build-select.ts';
import type { SourceGo } from './build-tasks.ts';
import { type DecompressOptions, decompressed } from './build-unpack-head.ts';
import type { TarEntry } from './entry.ts';
import { layerError } from './error.ts';
import { componentsOf } from './names.ts';
import { refused } from './pack-items.ts';
import { TarReader, type TarSink } from './tar-reader.ts';
import { tarHeader, tarPadding } from './tar-writer.ts';

const ZEROS = Buffer.alloc(64 * 1024);
/** They become zeros here: a few bytes must not fill the disk. */
const MAX_HOLES = 1 << 30;

/**
 * An archive of anybody's as an archive with final names: everything beneath the destination, sparse files filled. A name or the target of a hard link
 * that leads out is refused (LAYER).
 */
export async function* unpackedTo(
  source: AsyncIterable<Buffer>,
  go: SourceGo,
  options: DecompressOptions,
): AsyncGenerator<Buffer> {
  const sink = new Renamer(go);
  const reader = new TarReader(sink);
  for await (const piece of decompressed(source, options)) {
    reader.push(piece);
    yield* sink.take();
  }
  reader.finish();
  yield* sink.take();
}

class Renamer implements TarSink {
  readonly #go: SourceGo;
  readonly #change: ReturnType<typeof changeOf>;
  #out: Buffer[] = [];
  #entry: TarEntry | undefined;
  #at = 0;

  constructor(go: SourceGo) {
    this.#go = go;
    this.#change = changeOf(go);
  }

  /** What has been made since it was last asked for. */
  take(): Buffer[] {
    const out = this.#out;
    this.#out = [];
    return out;
  }

  entry(entry: TarEntry): void {
    const parts = componentsOf(entry.name, entry.name);
    this.#entry = undefined;
    if (parts.length === 0) return;
    if (parts.some(part => part.startsWith(WHITEOUT_PREFIX))) throw refused(entry.name);
    const path = join(this.#go.path, parts.join('/'));
    const link =
      entry.type === 'hardlink'
        ? join(this.#go.path, componentsOf(entry.link, entry.name).join('/'))
        : entry.link;
    if (entry.size - entry.stored > MAX_HOLES)
      throw layerError(`a sparse file with more than ${MAX_HOLES} bytes of holes`, entry.name);
    const { sparse: _, ...plain } = entry;
    this.#entry = entry;
    this.#at = 0;
    const name = entry.type === 'dir' ? `${path}/` : path;
    this.#out.push(tarHeader(this.#change({ ...plain, name, link, stored: entry.size })));
  }

  data(piece: Buffer, offset: number): void {
    if (!this.#entry) return;
    this.#fill(offset);
    this.#out.push(Buffer.from(piece));
    this.#at = offset + piece.length;
  }

  end(): void {
    if (!this.#entry) return;
    this.#fill(this.#entry.size);
    this.#out.push(tarPadding(this.#entry.size));
  }

  #fill(to: number): void {
    for (; this.#at < to; this.#at += Math.min(ZEROS.length, to - this.#at))
      this.#out.push(ZEROS.subarray(0, Math.min(ZEROS.length, to - this.#at)));
  }
}
