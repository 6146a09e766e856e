import { createReadStream } from 'node:fs';
import { TsboxError } from '../errors.ts';
import { DEFAULT_LIMITS, decompress } from '../layer/decompress.ts';
import type { Descriptor } from '../oci/manifest.ts';
import { newSha256 } from '../util/hash.ts';
import type { Engine } from './context.ts';
import { imageStore } from './find-image.ts';

/** A blob and the layer that an image says it holds. */
export interface LayerPair {
  readonly descriptor: Pick<Descriptor, 'digest'>;
  readonly diffId: string;
}

/**
 * Checks that blobs hold the layers that a new image pairs them with. For layers whose trees were here before: nothing of
 * theirs is unpacked, so the pair would be taken on faith, and push and save would hand on other content than what runs here. Pairs
 * of images that are listed were checked before. Throws DIGEST, LAYER, IO.
 */
export async function checkPairs(engine: Engine, pairs: readonly LayerPair[]): Promise<void> {
  // An uncompressed blob is its own layer.
  const doubtful = pairs.filter(pair => pair.descriptor.digest !== pair.diffId);
  if (doubtful.length === 0) return;
  const known = await listedPairs(engine);
  for (const pair of doubtful) if (!known.has(keyOf(pair))) await checkPair(engine, pair);
}

const keyOf = ({ descriptor, diffId }: LayerPair): string => `${descriptor.digest} ${diffId}`;

async function listedPairs(engine: Engine): Promise<ReadonlySet<string>> {
  const images = await imageStore(engine).list();
  return new Set(
    images.flatMap(({ layers, layerDescriptors }) =>
      layerDescriptors.map((descriptor, i) => keyOf({ descriptor, diffId: layers[i] ?? '' })),
    ),
  );
}

async function checkPair(engine: Engine, { descriptor: { digest }, diffId }: LayerPair): Promise<void> {
  const { blobs } = imageStore(engine);
  // Where blobs are not kept there is nothing that could be handed on.
  if (!(await blobs.has(digest))) return;
  const hash = newSha256();
  const source = createReadStream(blobs.path(digest), { highWaterMark: 1 << 20 });
  const limits = { ...DEFAULT_LIMITS, maxRatio: engine.config.layer.maxRatio };
  for await (const piece of decompress(source as AsyncIterable<Buffer>, limits)) {
    if (engine.signal?.aborted) throw new TsboxError('ABORTED', 'cancelled', { cause: engine.signal.reason });
    hash.update(piece);
  }
  const found = `sha256:${hash.digest('hex')}`;
  if (found === diffId) return;
  throw new TsboxError('DIGEST', `layer ${diffId} has the content of ${found}`, {
    hint: 'the image contradicts itself; report it to whoever publishes it',
  });
}
