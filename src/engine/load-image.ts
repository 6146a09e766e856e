import { createReadStream } from 'node:fs';
import { TsboxError } from '../errors.ts';
import { parseImageConfig } from '../oci/config.ts';
import type { Descriptor } from '../oci/manifest.ts';
import { familiarReference, parseReference } from '../oci/reference.ts';
import { LayerStore } from '../store/layers.ts';
import type { Engine } from './context.ts';
import { imageStore } from './find-image.ts';
import { checkPairs } from './layer-pairs.ts';
import type { EagerLayers } from './load-eager.ts';
import { beginLayer } from './unpack.ts';

/** An image whose manifest, config and layers are blobs of the store already. */
export interface StoredImage {
  readonly manifest: Descriptor;
  readonly config: Buffer;
  readonly layers: readonly Descriptor[];
  /** As the archive gives them; empty: none. */
  readonly names: readonly string[];
}

/**
 * Unpacks what `eager` has not yet and lists the image; returns its names as docker shows them, or its id. Throws MANIFEST, LAYER,
 * DIGEST.
 */
export async function keepImage(engine: Engine, image: StoredImage, eager: EagerLayers): Promise<string[]> {
  const diffIds = parseImageConfig(image.config).rootfs.diff_ids;
  if (diffIds.length !== image.layers.length) {
    throw new TsboxError(
      'MANIFEST',
      `the image lists ${image.layers.length} layers, its config ${diffIds.length}`,
      {
        hint: 'the archive contradicts itself; save the image again',
      },
    );
  }
  const trees = new LayerStore(engine.paths.layers);
  for (const [i, layer] of image.layers.entries()) {
    const diffId = diffIds[i] ?? '';
    if (eager.get(layer.digest) === diffId) continue;
    if (await trees.has(diffId)) await checkPairs(engine, [{ descriptor: layer, diffId }]);
    else await unpackBlob(engine, layer, diffId);
  }
  const store = imageStore(engine);
  const size = await trees.size(diffIds);
  const ids = [];
  for (const name of image.names.length > 0 ? image.names : [undefined])
    ids.push(await store.add(name, image.manifest, { size }));
  if (!engine.config.images.keepBlobs)
    await Promise.all(image.layers.map(layer => store.blobs.remove(layer.digest)));
  return image.names.length > 0 ? image.names.map(name => familiarReference(parseReference(name))) : ids;
}

/** Feeds a blob that is here to the process that unpacks. */
async function unpackBlob(
  engine: Engine,
  { digest, size, mediaType }: Descriptor,
  diffId: string,
): Promise<void> {
  const id = digest.slice('sha256:'.length, 'sha256:'.length + 12);
  const sink = await beginLayer(engine, { mediaType, diffId });
  try {
    let current = 0;
    for await (const chunk of createReadStream(imageStore(engine).blobs.path(digest), {
      highWaterMark: 1 << 20,
    })) {
      checkAborted(engine);
      await sink.write(chunk as Buffer);
      current += (chunk as Buffer).length;
      engine.reporter.progress({ id, status: 'Extracting', current, total: size });
    }
    await sink.end();
  } finally {
    await sink.abort();
  }
  engine.reporter.progress({ id, status: 'Load complete' });
}

/** Throws ABORTED when the caller has given up. */
export function checkAborted({ signal }: Engine): void {
  if (signal?.aborted) throw new TsboxError('ABORTED', 'cancelled', { cause: signal.reason });
}
