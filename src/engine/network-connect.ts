import { join } from 'node:path';
import { TsboxError } from '../errors.ts';
import { helperPath } from '../host/binaries.ts';
import type { HolderRecord } from '../network/networks.ts';
import { askHolder } from '../runtime/holder.ts';
import type { ContainerRecord, ContainerState } from '../store/container-record.ts';
import { containerDirectory } from '../store/containers.ts';
import { changeRecord } from '../store/containers-change.ts';
import { recordEvent } from '../store/events.ts';
import { withLock } from '../store/lock.ts';
import type { NetworkRecord } from '../store/network-record.ts';
import { readNetwork } from '../store/networks.ts';
import type { Engine } from './context.ts';
import { refreshEtcFiles } from './etc-live.ts';
import { type Found, find } from './find.ts';
import { mapsFor } from './machine.ts';
import { endpointOf } from './network-choice.ts';
import {
  readEndpoints,
  release,
  releaseEndpoint,
  takeEndpoint,
  takenBy,
  writeStates,
} from './network-endpoints.ts';
import { holderPaths, joinRecords } from './network-place.ts';
import type { NetworkConnectOptions } from './network-types.ts';

/** `tsbox network connect`: for one that runs, and for its next starts. Throws NOT_FOUND, BAD_STATE, CONFLICT, NETWORK. */
export async function connectNetwork(
  engine: Engine,
  nameOrId: string,
  container: string,
  options: NetworkConnectOptions = {},
): Promise<void> {
  await alone(engine, container, async ({ record, state }) => {
    const network = await readNetwork(engine.paths, nameOrId);
    await connect(engine, record, state, network, options);
    tell(engine, network, 'connect', record);
  });
}

/** Two changes of one container's networks at the same time would each take eth1. */
async function alone(
  engine: Engine,
  container: string,
  work: (found: Found) => Promise<void>,
): Promise<void> {
  const { record } = await find(engine, container);
  const lock = join(containerDirectory(engine.paths, record.id), 'networks.lock');
  await withLock(lock, async () => work(await find(engine, record.id)));
}

async function connect(
  engine: Engine,
  record: ContainerRecord,
  state: ContainerState,
  network: NetworkRecord,
  options: NetworkConnectOptions,
): Promise<void> {
  checkKind(record, network);
  if (record.network.networks?.some(each => each.network === network.name))
    throw new TsboxError('CONFLICT', `container ${record.name} is in network ${network.name} already`);
  const { aliases, ...rest } = options;
  const wanted = await endpointOf(engine, network.name, {
    ...rest,
    ...(aliases && { networkAliases: aliases }),
  });
  if (state.status === 'running') await addTo(engine, record, network, wanted);
  await changeRecord(engine.paths, record.id, now => ({
    ...now,
    network: { ...now.network, networks: [...(now.network.networks ?? []), wanted] },
  }));
}

/** Only in the holder's user namespace can a container be given interfaces. */
function checkKind(record: ContainerRecord, network: NetworkRecord): void {
  if (record.network.driver === 'bridge') return;
  throw new TsboxError(
    'BAD_STATE',
    `container ${record.name} cannot be given an interface: it was made with --network ${record.network.driver}, and its user namespace is not one that networks reach`,
    { hint: `make it with --network ${network.name}; then it can be connected to others, too`, exitCode: 1 },
  );
}

async function addTo(
  engine: Engine,
  record: ContainerRecord,
  network: NetworkRecord,
  wanted: Parameters<typeof takeEndpoint>[2],
): Promise<void> {
  const states = readEndpoints(engine, record.id);
  const devices = states.map(each => each.device);
  const device =
    Array.from({ length: states.length + 1 }, (_, i) => `eth${i}`).find(name => !devices.includes(name)) ??
    'eth0';
  const endpoint = await takeEndpoint(engine, record, wanted, device);
  try {
    await ask(engine, record, await joinRecords(engine, record.id, endpoint, Number(device.slice(3))));
  } catch (error) {
    // The interface may be there although the network has no way out.
    await ask(engine, record, [['detach', network.id]]).catch(() => {});
    await releaseEndpoint(engine, record.id, endpoint);
    throw error;
  }
  const { addresses, gateways, mac, names } = endpoint;
  const mine = {
    network: network.name,
    id: network.id,
    device,
    addresses,
    gateways: network.internal ? [] : gateways,
    mac,
  };
  const now = [...states, { ...mine, aliases: names.slice(1, -1) }];
  writeStates(engine, record.id, now);
  await refreshEtcFiles(engine, record, states, now);
}

/** `tsbox network disconnect`. Of a network that was removed while the container did not run, by its name: it would never start again. */
export async function disconnectNetwork(
  engine: Engine,
  nameOrId: string,
  container: string,
  { force = false } = {},
): Promise<void> {
  await alone(engine, container, async ({ record, state }) => {
    const network = await readNetwork(engine.paths, nameOrId).catch(error => {
      const isGone = error instanceof TsboxError && error.code === 'NOT_FOUND';
      if (isGone && record.network.networks?.some(each => each.network === nameOrId)) return undefined;
      throw error;
    });
    if (network === undefined) await forget(engine, record, nameOrId);
    else if (await disconnect(engine, record, state, network, force))
      tell(engine, network, 'disconnect', record);
  });
}

/** False when it was not in it and that is no matter. */
async function disconnect(
  engine: Engine,
  record: ContainerRecord,
  state: ContainerState,
  network: NetworkRecord,
  force: boolean,
): Promise<boolean> {
  const there = record.network.networks?.some(each => each.network === network.name) ?? false;
  if (!there && force) return false;
  if (!there)
    throw new TsboxError('CONFLICT', `container ${record.name} is not in network ${network.name}`, {
      hint: `tsbox network inspect ${network.name}`,
    });
  if (state.status === 'running') await leave(engine, record, network);
  await forget(engine, record, network.name);
  return true;
}

async function forget(engine: Engine, record: ContainerRecord, network: string): Promise<void> {
  await changeRecord(engine.paths, record.id, now => ({
    ...now,
    network: {
      ...now.network,
      networks: (now.network.networks ?? []).filter(each => each.network !== network),
    },
  }));
}

async function leave(engine: Engine, record: ContainerRecord, network: NetworkRecord): Promise<void> {
  await ask(engine, record, [['detach', network.id]]);
  const states = readEndpoints(engine, record.id);
  const gone = states.find(each => each.id === network.id);
  if (gone) await release(engine, record.id, network.name, takenBy(gone));
  const now = states.filter(each => each.id !== network.id);
  writeStates(engine, record.id, now);
  await refreshEtcFiles(engine, record, states, now);
}

async function ask(engine: Engine, record: ContainerRecord, records: readonly HolderRecord[]): Promise<void> {
  const maps = await mapsFor(engine, 'auto');
  await askHolder(helperPath(), { ...holderPaths(engine), maps, request: [['for', record.id], ...records] });
}

const tell = (engine: Engine, network: NetworkRecord, action: string, record: ContainerRecord): void =>
  recordEvent(engine.paths, {
    type: 'network',
    action,
    id: network.id,
    attributes: { name: network.name, type: network.driver, container: record.id },
  });
