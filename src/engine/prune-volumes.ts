import { TsboxError } from '../errors.ts';
import type { Engine } from './context.ts';
import type { Pruned, PruneOptions } from './disk-types.ts';
import { booleanFilter, checkFilterKeys } from './object-filters.ts';
import { pruneTest } from './prune-test.ts';
import { treeSizes } from './tree-sizes.ts';
import { listVolumes, removeVolume } from './volumes.ts';

/** docker volume prune: removes anonymous volumes that no container mounts; with `all` also named ones. Throws USAGE, IO. */
export async function pruneVolumes(
  engine: Engine,
  { all = false, filters = {} }: PruneOptions = {},
): Promise<Pruned> {
  checkFilterKeys('volume prune', filters, ['all', 'label', 'label!']);
  const every = all || (filters.all ?? []).some(value => booleanFilter('all', value));
  const matches = pruneTest(filters);
  const wanted = (await listVolumes(engine)).filter(v => (every || v.anonymous) && matches(v));
  const deleted: string[] = [];
  let reclaimed = 0;
  for (const { name } of wanted) {
    const [size = 0] = await treeSizes(engine, [`volumes/${name}/_data`]);
    if (!(await removed(engine, name))) continue;
    deleted.push(name);
    reclaimed += size;
  }
  return { untagged: [], deleted, reclaimed };
}

/** False when a container mounts it. */
async function removed(engine: Engine, name: string): Promise<boolean> {
  return removeVolume(engine, name, { force: true }).then(
    () => true,
    (error: unknown) => {
      if (error instanceof TsboxError && error.code === 'CONFLICT') return false;
      throw error;
    },
  );
}
