import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { BuildCache } from '../store/build-cache.ts';
import { tryLock } from '../store/lock.ts';
import { readdir } from '../util/files.ts';
import { collect } from './collect.ts';
import type { Engine } from './context.ts';
import type { Pruned, PruneOptions } from './disk-types.ts';
import { checkFilterKeys, madeBefore } from './object-filters.ts';
import { removeTree } from './remove-tree.ts';
import { treeSizes } from './tree-sizes.ts';

/**
 * docker builder prune: forgets the steps of builds, so that layers that no image has go; with `all` also the directories of `RUN --mount=type=cache` that nobody uses
 * now. `until` goes by the last use. Throws USAGE, IO.
 */
export async function pruneBuilds(
  engine: Engine,
  { all = false, filters = {} }: PruneOptions = {},
): Promise<Pruned> {
  checkFilterKeys('builder prune', filters, ['until']);
  const isOld = madeBefore(filters.until ?? [], Date.now());
  const cache = new BuildCache(engine.paths.root);
  const entries = (await cache.list()).filter(({ used }) => isOld(new Date(used).toISOString()));
  for (const { key } of entries) await cache.remove(key);
  const mounts = all ? await pruneMounts(engine) : { names: [], bytes: 0 };
  const { layers, bytes } = await collect(engine);
  return {
    untagged: [],
    deleted: [...layers, ...mounts.names],
    reclaimed: bytes + mounts.bytes,
  };
}

async function pruneMounts(engine: Engine): Promise<{ names: string[]; bytes: number }> {
  const directory = join(engine.paths.root, 'build', 'mounts');
  const names: string[] = [];
  let bytes = 0;
  for (const name of await readdir(directory).catch(() => [])) {
    const lock = await tryLock(join(directory, name, 'lock'));
    if (!lock) continue;
    try {
      const data = join('build', 'mounts', name, 'data');
      const [size = 0] = await treeSizes(engine, [data]).catch(() => [0]);
      await removeTree(engine, data);
      await rm(join(directory, name), { recursive: true, force: true });
      names.push(name);
      bytes += size;
    } finally {
      await lock.release();
    }
  }
  return { names, bytes };
}
