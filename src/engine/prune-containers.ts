import { TsboxError } from '../errors.ts';
import { containerState, listContainerRecords } from '../store/containers.ts';
import { containerSizes } from './container-sizes.ts';
import type { Engine } from './context.ts';
import type { Pruned, PruneOptions } from './disk-types.ts';
import { checkFilterKeys } from './object-filters.ts';
import { pruneTest } from './prune-test.ts';
import { remove } from './remove.ts';

const STOPPED = ['created', 'exited', 'dead'];

/** docker container prune: removes containers that do not run; one that starts meanwhile stays. Throws USAGE, IO. */
export async function pruneContainers(engine: Engine, { filters = {} }: PruneOptions = {}): Promise<Pruned> {
  checkFilterKeys('container prune', filters, ['label', 'label!', 'until']);
  const matches = pruneTest(filters);
  const wanted: string[] = [];
  for (const record of await listContainerRecords(engine.paths)) {
    if (!matches(record)) continue;
    if (STOPPED.includes((await containerState(engine.paths, record)).status)) wanted.push(record.id);
  }
  const sizes = await containerSizes(engine, wanted);
  const deleted: string[] = [];
  let reclaimed = 0;
  for (const [i, id] of wanted.entries()) {
    if (!(await removed(engine, id))) continue;
    deleted.push(id);
    reclaimed += sizes[i] ?? 0;
  }
  return { untagged: [], deleted, reclaimed };
}

/** False when somebody has started it, or was faster. */
async function removed(engine: Engine, id: string): Promise<boolean> {
  return remove(engine, id).then(
    () => true,
    (error: unknown) => {
      if (error instanceof TsboxError && ['BAD_STATE', 'NOT_FOUND'].includes(error.code)) return false;
      throw error;
    },
  );
}
