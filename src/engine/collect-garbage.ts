import { join } from 'node:path';
import { BuildCache } from '../store/build-cache.ts';
import { listContainerRecords } from '../store/containers.ts';
import { LayerStore } from '../store/layers.ts';
import { stat } from '../util/files.ts';
import { heldLayers } from './collect-held.ts';
import type { Engine } from './context.ts';
import { imageStore } from './find-image.ts';

/** A layer or a blob that nobody refers to. */
export interface Garbage {
  readonly kind: 'layer' | 'blob';
  readonly digest: string;
  readonly path: string;
  /** Its name among what is moved aside. */
  readonly name: string;
  readonly bytes: number;
}

export interface Unused {
  readonly garbage: readonly Garbage[];
  /** How many were left because a command that adds images may want them. */
  readonly spared: number;
}

/** What was asked for a moment before a command's mark counts as asked for by it: clocks of the kernel are coarse. */
const SLACK = 2000;

// Manifests and configs are read right after they are found here; nothing is won by taking them from under a reader.
const SMALL = 1 << 20;

/** What can be removed. `since`: when the oldest command began that adds images now; what was touched since is spared. */
export async function garbageOf(engine: Engine, since: number | undefined): Promise<Unused> {
  const all = (await Promise.all([unusedLayers(engine), unusedBlobs(engine)])).flat();
  if (since === undefined) return { garbage: all, spared: 0 };
  const isSpared = await Promise.all(
    all.map(async ({ kind, bytes, path }) => {
      return (kind === 'blob' && bytes < SMALL) || (await isTouched(kind, path, since));
    }),
  );
  const garbage = all.filter((_, i) => !isSpared[i]);
  return { garbage, spared: all.length - garbage.length };
}

async function unusedLayers(engine: Engine): Promise<Garbage[]> {
  const store = new LayerStore(engine.paths.layers);
  const used = await usedLayers(engine);
  const unused = (await store.list()).filter(id => !used.has(id));
  return Promise.all(
    unused.map(async digest => ({
      kind: 'layer' as const,
      digest,
      path: store.path(digest),
      name: `layer-${digest.slice('sha256:'.length)}`,
      bytes: await store.size([digest]).catch(() => 0),
    })),
  );
}

async function usedLayers(engine: Engine): Promise<Set<string>> {
  const images = await imageStore(engine).list({ strict: true });
  return new Set([
    ...images.flatMap(i => i.layers),
    ...(await layersOfContainers(engine)),
    ...(await cachedLayers(engine)),
    ...(await heldLayers(engine.paths.tmp)),
  ]);
}

/** What steps of builds have made stays until `build prune`, its archive too. */
const cachedLayers = ({ paths }: Engine): Promise<string[]> => new BuildCache(paths.root).layers();

async function layersOfContainers({ paths }: Engine): Promise<string[]> {
  return (await listContainerRecords(paths)).flatMap(record => record.image.layers);
}

async function unusedBlobs(engine: Engine): Promise<Garbage[]> {
  const images = imageStore(engine);
  const used = await images.referenced();
  for (const layer of await cachedLayers(engine)) used.add(layer);
  const unused = (await images.blobs.list()).filter(digest => !used.has(digest));
  return Promise.all(
    unused.map(async digest => ({
      kind: 'blob' as const,
      digest,
      path: images.blobs.path(digest),
      name: `blob-${digest.slice('sha256:'.length)}`,
      bytes: (await images.blobs.size(digest)) ?? 0,
    })),
  );
}

/**
 * Asked of what has been moved aside: a container made while we looked has its record written before it looks for its layers, so that
 * one of the two sees the other; what was asked for in that moment has a new time.
 */
export async function isWantedAgain(
  engine: Engine,
  aside: string,
  since: number | undefined,
): Promise<(garbage: Garbage) => Promise<boolean>> {
  const used = new Set(await layersOfContainers(engine));
  return async ({ kind, digest, name }) => {
    if (kind === 'layer' && used.has(digest)) return true;
    return since !== undefined && isTouched(kind, join(aside, name), since);
  };
}

async function isTouched(kind: Garbage['kind'], path: string, since: number): Promise<boolean> {
  const info = await stat(kind === 'layer' ? join(path, 'layer.json') : path).catch(() => undefined);
  return info !== undefined && info.mtimeMs >= since - SLACK;
}
