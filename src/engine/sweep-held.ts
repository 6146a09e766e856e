import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { LayerStore } from '../store/layers.ts';
import { collect } from './collect.ts';
import { listHeld } from './collect-held.ts';
import type { Engine } from './context.ts';
import { removeTree } from './remove-tree.ts';

/** A mark stays as long as its layer, which another container of the dead process may stand on until that is swept. */
export async function sweepHeld(engine: Engine): Promise<void> {
  const dead = (await listHeld(engine.paths.tmp)).filter(held => !held.alive);
  if (dead.length === 0) return;
  const layers = new LayerStore(engine.paths.layers);
  if (dead.some(({ diffId }) => existsSync(layers.path(diffId)))) await collect(engine);
  for (const { entry, diffId } of dead)
    if (!existsSync(layers.path(diffId))) await removeTree(engine, join('tmp', entry));
}
