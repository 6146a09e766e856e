import { OCI_LAYER } from '../oci/media-types.ts';
import { BuildCache, type CacheRecord } from '../store/build-cache.ts';
import { LayerStore } from '../store/layers.ts';
import type { BuiltLayer } from './build-layer.ts';
import type { BuildSession } from './build-session.ts';
import { imageStore } from './find-image.ts';

export interface CachedStep {
  readonly layer: BuiltLayer | undefined;
  readonly created: string;
}

/** What a step made when it was done before; undefined when it was not, or when the layer has gone. */
export async function cachedLayer(session: BuildSession, key: string): Promise<CachedStep | undefined> {
  const { engine, cache } = session;
  const record = await cache.get(key);
  if (!record) return undefined;
  const { layer: kept, created } = record;
  if (!kept) return { layer: undefined, created };
  const { blobs } = imageStore(engine);
  const isHere = await new LayerStore(engine.paths.layers).has(kept.diffId);
  if (!isHere || (engine.config.images.keepBlobs && !(await blobs.has(kept.diffId)))) return undefined;
  const descriptor = { mediaType: OCI_LAYER, digest: kept.diffId, size: kept.bytes };
  return { layer: { diffId: kept.diffId, descriptor }, created };
}

/** The note in a history of what a step depended on: what a COPY has read can be told by it. `key`: as the cache has it. */
export const stepNote = (key: string): string => `tsbox.step.${key}`;

interface Done {
  readonly layer: BuiltLayer | undefined;
  readonly text: string;
  readonly created: string;
}

export async function keepStep(
  { cache, engine }: BuildSession,
  key: string,
  { layer, text, created }: Done,
): Promise<void> {
  const record: CacheRecord = {
    version: 1,
    text,
    created,
    ...(layer && {
      layer: {
        diffId: layer.diffId,
        bytes: layer.descriptor.size,
        size: await new LayerStore(engine.paths.layers).size([layer.diffId]),
      },
    }),
  };
  await cache.put(key, record);
}

/** True when a step was done that nothing but the bytes of files tells from this one. */
export async function hasShape({ cache }: BuildSession, shape: unknown): Promise<boolean> {
  return (await cache.get(BuildCache.key(shape))) !== undefined;
}

export async function keepShape(
  { cache }: BuildSession,
  { shape, text }: { readonly shape?: unknown; readonly text: string },
): Promise<void> {
  await cache.put(BuildCache.key(shape), {
    version: 1,
    found: true,
    text,
    created: new Date().toISOString(),
  });
}
