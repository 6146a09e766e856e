import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { TsboxError } from '../errors.ts';
import { giveToStore } from '../host/owner.ts';
import { digestHex } from '../oci/digest.ts';
import { ioError, newId } from '../store/atomic.ts';
import type { ContainerRecord } from '../store/container-record.ts';
import { changeRecord } from '../store/containers-change.ts';
import type { LayerRecord } from '../store/layers.ts';
import { type Cleanup, withCleanup } from '../util/cleanup.ts';
import { withoutCollection } from './collect.ts';
import { markHeld } from './collect-held.ts';
import type { Engine } from './context.ts';
import { removeTree } from './remove-tree.ts';

/**
 * What a sandbox had changed until a snapshot: its upper directory, renamed, not copied. It has no archive, and its name is a
 * random digest. Sandboxes that stand on it, and handles of snapshots, hold it; it goes with the last of them.
 */
export class SharedLayer {
  readonly diffId: string;
  readonly #engine: Engine;
  readonly #unmark: () => Promise<void>;
  #holders = 0;

  /** `unmark`: takes away what keeps collections from it. */
  constructor(engine: Engine, diffId: string, unmark: () => Promise<void>) {
    this.#engine = engine;
    this.diffId = diffId;
    this.#unmark = unmark;
  }

  /** Returns how to let it go, which does its work once. */
  hold(): () => Promise<void> {
    let held = true;
    this.#holders++;
    return async () => {
      if (!held) return;
      held = false;
      if (--this.#holders > 0) return;
      await removeTree(this.#engine, `layers/${digestHex(this.diffId)}`);
      await this.#unmark();
    };
  }
}

/** Drivers whose upper directory can be another mount's lower one as it is. */
const STACKING = ['overlay', 'fuse-overlayfs'];

/** Throws STORAGE where the driver has no such thing as a layer of changes. */
export function checkStacking({ storage }: ContainerRecord): void {
  if (STACKING.includes(storage.driver)) return;
  throw new TsboxError('STORAGE', `sandboxes with the storage driver ${storage.driver} cannot be forked`, {
    hint: 'make it from an image with storageDriver overlay or fuse-overlayfs',
  });
}

/** Turns what a container that does not run has changed into a layer, and puts the container on top of it. */
export async function freeze(
  engine: Engine,
  container: ContainerRecord,
): Promise<{ layer: SharedLayer; record: ContainerRecord }> {
  try {
    return await withCleanup(async cleanup => {
      const diffId = `sha256:${newId()}`;
      const unmark = await markHeld(engine.paths.tmp, diffId, container.image.layers);
      cleanup.push(unmark);
      const record = await withoutCollection(engine, () => moved(engine, container, diffId, cleanup));
      return { layer: new SharedLayer(engine, diffId, unmark), record };
    });
  } catch (error) {
    throw ioError(error, `cannot make a layer of sandbox ${container.name}`);
  }
}

async function moved(
  { paths }: Engine,
  container: ContainerRecord,
  diffId: string,
  cleanup: Cleanup,
): Promise<ContainerRecord> {
  const directory = join(paths.layers, digestHex(diffId));
  const record = await changeRecord(paths, container.id, old => ({
    ...old,
    image: { ...old.image, layers: [...container.image.layers, diffId] },
  }));
  await mkdir(directory, { recursive: true, mode: 0o755 });
  cleanup.push(() => rm(directory, { recursive: true, force: true }));
  giveToStore(paths.root, directory);
  await writeFile(join(directory, 'layer.json'), `${JSON.stringify(layerRecord(diffId, record))}\n`);
  // Last: if anything has failed before, the sandbox has its files still.
  await rename(join(paths.root, 'containers', container.id, 'upper'), join(directory, 'fs'));
  return record;
}

/** Sizes are not counted: that would take as long as copying. */
const layerRecord = (diffId: string, { userns }: ContainerRecord): LayerRecord => ({
  version: 1,
  diffId,
  size: 0,
  entries: 0,
  created: new Date().toISOString(),
  userns: userns.mode,
  reduced: { owners: 0, devices: 0, setuid: 0, xattrs: 0 },
});
