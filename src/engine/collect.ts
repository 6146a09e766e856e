import { join } from 'node:path';
import { listContainerRecords } from '../store/containers.ts';
import { ImageStore } from '../store/images.ts';
import { LayerStore } from '../store/layers.ts';
import { tryLock, withLock } from '../store/lock.ts';
import type { Engine } from './context.ts';
import { removeTree } from './remove-tree.ts';

/**
 * Garbage of the image store: layers and blobs that no image and no container refers to. Whoever adds an image holds
 * `images/garbage.lock` shared from its first look at what is here until the image is listed; the collection holds it alone.
 */
const lockPath = (engine: Engine): string => join(engine.paths.images, 'garbage.lock');

/** Runs `work`, which adds blobs and layers, with the collection kept out. */
export async function whileAdding<T>(engine: Engine, work: () => Promise<T>): Promise<T> {
  return withLock(lockPath(engine), work, { kind: 'shared' });
}

/**
 * Removes what nobody refers to; returns the diff ids of the layers removed. Does nothing when an image is being added just now: what
 * is garbage still is so next time.
 */
export async function collect(engine: Engine): Promise<string[]> {
  const lock = await tryLock(lockPath(engine));
  if (!lock) return [];
  try {
    await collectBlobs(engine);
    return await collectLayers(engine);
  } finally {
    await lock.release();
  }
}

async function collectBlobs({ paths }: Engine): Promise<void> {
  const images = new ImageStore(paths.images, paths.tmp);
  const used = await images.referenced();
  const garbage = (await images.blobs.list()).filter(digest => !used.has(digest));
  await Promise.all(garbage.map(digest => images.blobs.remove(digest)));
}

async function collectLayers(engine: Engine): Promise<string[]> {
  const { paths } = engine;
  const images = await new ImageStore(paths.images, paths.tmp).list();
  const containers = await listContainerRecords(paths);
  const used = new Set([...images.map(i => i.layers), ...containers.map(c => c.image.layers)].flat());
  const layers = new LayerStore(paths.layers);
  const garbage = (await layers.list()).filter(diffId => !used.has(diffId));
  for (const diffId of garbage) {
    await removeTree(engine, layers.path(diffId).slice(paths.root.length + 1), { mapped: true });
  }
  return garbage;
}
