import { TsboxError } from '../errors.ts';
import { type Compression, detectCompression } from '../layer/decompress.ts';
import { OCI_LAYER, OCI_LAYER_GZIP, OCI_LAYER_ZSTD } from '../oci/media-types.ts';
import type { BlobDescriptor } from '../store/blobs.ts';
import { LayerStore } from '../store/layers.ts';
import type { Engine } from './context.ts';
import { imageStore } from './find-image.ts';
import { checkSpace, neededSpace } from './pull-space.ts';
import { receiverFor } from './pull-tee.ts';
import { beginLayer, type LayerSink } from './unpack.ts';

export const LAYER_TYPES = { none: OCI_LAYER, gzip: OCI_LAYER_GZIP, zstd: OCI_LAYER_ZSTD } as const;

/** Where a large member of an archive goes. */
export interface MemberWriter {
  write(chunk: Buffer): Promise<void>;
  commit(): Promise<BlobDescriptor>;
  abort(): Promise<void>;
}

/** What is known of a member before its bytes come. */
export interface MemberHint {
  /** For messages and progress. */
  readonly name: string;
  /** Bytes. */
  readonly size: number;
  /** Digest of the layer in it, unpacked, where documents before it in the archive tell. */
  readonly diffId?: string | undefined;
}

/** Layers that were unpacked while their blobs were stored: digest of the blob → digest of what is in it. */
export type EagerLayers = Map<string, string>;

/** Opens the blob for a member; what looks like a layer is unpacked while it is stored, so that its bytes are read once. Throws NO_SPACE. */
export async function eagerWriter(
  engine: Engine,
  hint: MemberHint,
  unpacked: EagerLayers,
): Promise<MemberWriter> {
  return new EagerWriter(engine, hint, await blobWriter(engine, hint), unpacked);
}

/** What is here already is compared instead of being written again. */
async function blobWriter(engine: Engine, { name, size }: MemberHint): Promise<MemberWriter> {
  const { blobs } = imageStore(engine);
  const hex = /^blobs\/sha256\/([0-9a-f]{64})$/.exec(name)?.[1];
  const digest = `sha256:${hex}`;
  if (hex === undefined || !(await blobs.has(digest))) return blobs.writer({ size });
  const checker = await receiverFor(blobs, { digest, size }, false);
  return {
    write: chunk => checker.write(chunk),
    abort: () => checker.abort(),
    commit: async () => {
      await checker.commit();
      return { digest, size };
    },
  };
}

class EagerWriter implements MemberWriter {
  readonly #engine: Engine;
  readonly #hint: MemberHint;
  readonly #blob: MemberWriter;
  readonly #unpacked: EagerLayers;
  #begun = false;
  #sink: Promise<LayerSink> | undefined;
  #offset = 0;

  constructor(engine: Engine, hint: MemberHint, blob: MemberWriter, unpacked: EagerLayers) {
    this.#engine = engine;
    this.#hint = hint;
    this.#blob = blob;
    this.#unpacked = unpacked;
  }

  async write(chunk: Buffer): Promise<void> {
    if (!this.#begun) await this.#begin(chunk);
    await Promise.all([this.#blob.write(chunk), this.#unpack(sink => sink.write(chunk))]);
    this.#offset += chunk.length;
    const { name, size } = this.#hint;
    this.#engine.reporter.progress({
      id: idOf(name),
      status: 'Loading layer',
      current: this.#offset,
      total: size,
    });
  }

  async commit(): Promise<BlobDescriptor> {
    let diffId: string | undefined;
    const keep = async (sink: LayerSink) => {
      diffId = (await sink.end()).diffId;
    };
    const [blob] = await Promise.all([this.#blob.commit(), this.#unpack(keep)]);
    if (diffId !== undefined) this.#unpacked.set(blob.digest, diffId);
    this.#engine.reporter.progress({ id: idOf(this.#hint.name), status: 'Load complete' });
    return blob;
  }

  async abort(): Promise<void> {
    await this.#blob.abort();
    await (await this.#sink?.catch(() => undefined))?.abort();
  }

  async #begin(head: Buffer): Promise<void> {
    this.#begun = true;
    const compression = layerIn(head);
    const engine = this.#engine;
    const treeMissing = await this.#isMissing();
    const { name, size } = this.#hint;
    const mediaType = LAYER_TYPES[compression ?? 'none'];
    const needed = neededSpace([{ mediaType, size, blobMissing: true, treeMissing }], true);
    await checkSpace(engine.paths.root, needed, `${JSON.stringify(name)} of the archive`);
    if (compression === undefined || !treeMissing) return;
    this.#sink = beginLayer(engine, { mediaType });
    // It may fail before anybody waits for it.
    this.#sink.catch(() => {});
  }

  /** docker and podman name a layer by the digest of its content: if that is here, unpacking it again is not worth the while. Only a guess. */
  async #isMissing(): Promise<boolean> {
    const hex = /[0-9a-f]{64}/.exec(this.#hint.name)?.[0];
    const diffId = this.#hint.diffId ?? (hex && `sha256:${hex}`);
    return diffId === undefined || !(await new LayerStore(this.#engine.paths.layers).has(diffId));
  }

  /** What proves to be no layer is stored all the same: whoever names it as one gets the error then. */
  async #unpack(step: (sink: LayerSink) => Promise<void>): Promise<void> {
    if (!this.#sink) return;
    try {
      await step(await this.#sink);
    } catch (error) {
      this.#sink = undefined;
      if (!(error instanceof TsboxError && error.code === 'LAYER')) throw error;
    }
  }
}

/** Twelve digits of the name, as docker shows them, or its last characters. */
function idOf(name: string): string {
  return /[0-9a-f]{64}/.exec(name)?.[0]?.slice(0, 12) ?? name.slice(-12);
}

/** How the layer in a file is compressed; undefined for what does not look like one. */
function layerIn(head: Buffer): Compression | undefined {
  try {
    const compression = detectCompression(head);
    const isTar = head.toString('latin1', 257, 262) === 'ustar';
    return compression !== 'none' || isTar ? compression : undefined;
  } catch {
    return undefined;
  }
}
