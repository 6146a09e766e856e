import { TsboxError } from '../errors.ts';
import { readContainerRecord, shortId } from '../store/containers.ts';
import { recordEvent } from '../store/events.ts';
import { sweepAddresses } from '../store/network-addresses.ts';
import type { NetworkRecord } from '../store/network-record.ts';
import { listNetworkRecords, readNetwork, removeNetworkDirectory } from '../store/networks.ts';
import type { Engine } from './context.ts';
import type { Pruned, PruneOptions } from './disk-types.ts';
import { isBuiltinNetwork } from './network-builtin.ts';
import { checkFilterKeys } from './object-filters.ts';
import { pruneTest } from './prune-test.ts';

/** `tsbox network rm`. Throws NOT_FOUND, CONFLICT for one that containers are in. `force`: no error where there is none. */
export async function removeNetwork(engine: Engine, nameOrId: string, { force = false } = {}): Promise<void> {
  if (isBuiltinNetwork(nameOrId))
    throw new TsboxError('CONFLICT', `network ${nameOrId} is always there and cannot be removed`);
  try {
    await removeRecord(engine, await readNetwork(engine.paths, nameOrId));
  } catch (error) {
    if (!(force && error instanceof TsboxError && error.code === 'NOT_FOUND')) throw error;
  }
}

async function removeRecord(engine: Engine, network: NetworkRecord): Promise<void> {
  await removeNetworkDirectory(engine.paths, network.name, directory => refusal(engine, network, directory));
  recordEvent(engine.paths, {
    type: 'network',
    action: 'destroy',
    id: network.id,
    attributes: { name: network.name, type: network.driver },
  });
}

async function refusal(
  engine: Engine,
  network: NetworkRecord,
  directory: string,
): Promise<TsboxError | undefined> {
  const [holder] = await sweepAddresses(engine.paths, directory);
  if (!holder) return undefined;
  const name = await readContainerRecord(engine.paths, holder.container).then(
    record => record.name,
    () => shortId(holder.container),
  );
  return new TsboxError('CONFLICT', `network ${network.name} is in use by container ${name}`, {
    hint: `tsbox network disconnect ${network.name} ${name}, or stop it`,
  });
}

/** docker's network prune: those that no container is in. Throws USAGE. */
export async function pruneNetworks(engine: Engine, { filters = {} }: PruneOptions = {}): Promise<Pruned> {
  checkFilterKeys('network prune', filters, ['until', 'label', 'label!']);
  const matches = pruneTest(filters);
  const deleted: string[] = [];
  for (const network of (await listNetworkRecords(engine.paths)).filter(matches)) {
    try {
      await removeRecord(engine, network);
      deleted.push(network.name);
    } catch (error) {
      if (!(error instanceof TsboxError && ['CONFLICT', 'NOT_FOUND'].includes(error.code))) throw error;
    }
  }
  return { untagged: [], deleted, reclaimed: 0 };
}
