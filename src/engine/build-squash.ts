import type { KeptLayer, SquashTask } from '../layer/build-tasks.ts';
import { lowersOf, makeLayer } from './build-layer.ts';
import { startBuildTask } from './build-process.ts';
import type { StageResult } from './build-session.ts';
import type { Engine } from './context.ts';
import { enterHost } from './machine.ts';

/** `--squash`: everything above the base image as one layer. The steps' own layers stay in the cache. */
export async function squashed(engine: Engine, result: StageResult, base: number): Promise<StageResult> {
  if (result.layers.length - base < 2) return result;
  const kept = result.layers.slice(0, base);
  const { maps } = await enterHost(engine);
  const layer = await makeLayer(engine, maps.mode, async (tree, blob) => {
    const lowers = lowersOf(result.layers);
    const task: SquashTask = { task: 'build-squash', mode: maps.mode, lowers, base: lowersOf(kept) };
    const options = { directory: tree.root, output: blob.fd, signal: engine.signal };
    const process = await startBuildTask(await enterHost(engine), task, options);
    try {
      return await process.reply<KeptLayer>();
    } finally {
      await process.stop();
    }
  });
  let layers = 0;
  const created = result.created === undefined ? {} : { created: result.created };
  const history = result.history.map(entry => {
    const isNew = !entry.empty_layer && ++layers > base;
    return isNew ? { ...entry, empty_layer: true } : entry;
  });
  return {
    ...result,
    layers: [...kept, layer.diffId],
    descriptors: [...result.descriptors.slice(0, base), layer.descriptor],
    history: [...history, { ...created, created_by: '', comment: 'squashed' }],
  };
}
