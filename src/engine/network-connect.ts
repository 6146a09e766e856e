import { TsboxError } from '../errors.ts';
import { helperPath } from '../host/binaries.ts';
import type { HolderRecord } from '../network/networks.ts';
import { askHolder } from '../runtime/holder.ts';
import type { ContainerRecord, ContainerState } from '../store/container-record.ts';
import { changeRecord } from '../store/containers-change.ts';
import { recordEvent } from '../store/events.ts';
import type { NetworkRecord } from '../store/network-record.ts';
import { readNetwork } from '../store/networks.ts';
import type { Engine } from './context.ts';
import { find } from './find.ts';
import { mapsFor } from './machine.ts';
import { endpointOf } from './network-choice.ts';
import { readEndpoints, release, releaseEndpoint, takeEndpoint, writeStates } from './network-endpoints.ts';
import { holderPaths, joinRecords } from './network-place.ts';
import type { NetworkConnectOptions } from './network-types.ts';

/** `tsbox network connect`: for one that runs, and for its next starts. Throws NOT_FOUND, BAD_STATE, CONFLICT, NETWORK. */
export async function connectNetwork(
  engine: Engine,
  nameOrId: string,
  container: string,
  options: NetworkConnectOptions = {},
): Promise<void> {
  const { record, state } = await find(engine, container);
  const network = await readNetwork(engine.paths, nameOrId);
  checkKind(record, network);
  if (record.network.networks?.some(each => each.network === network.name))
    throw new TsboxError('CONFLICT', `container ${record.name} is in network ${network.name} already`);
  const { aliases, ...rest } = options;
  const wanted = await endpointOf(engine, network.name, {
    ...rest,
    ...(aliases && { networkAliases: aliases }),
  });
  if (state.status === 'running') await join(engine, record, network, wanted);
  await changeRecord(engine.paths, record.id, now => ({
    ...now,
    network: { ...now.network, networks: [...(now.network.networks ?? []), wanted] },
  }));
  tell(engine, network, 'connect', record);
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

async function join(
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
    await ask(engine, record, joinRecords(record.id, endpoint, Number(device.slice(3))));
  } catch (error) {
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
  writeStates(engine, record.id, [...states, { ...mine, aliases: names.slice(1, -1) }]);
}

/** `tsbox network disconnect`. */
export async function disconnectNetwork(
  engine: Engine,
  nameOrId: string,
  container: string,
  { force = false } = {},
): Promise<void> {
  const { record, state } = await find(engine, container);
  const network = await readNetwork(engine.paths, nameOrId);
  const there = record.network.networks?.some(each => each.network === network.name) ?? false;
  if (!there && force) return;
  if (!there)
    throw new TsboxError('CONFLICT', `container ${record.name} is not in network ${network.name}`, {
      hint: `tsbox network inspect ${network.name}`,
    });
  if (state.status === 'running') await leave(engine, record, network, state);
  await changeRecord(engine.paths, record.id, now => ({
    ...now,
    network: {
      ...now.network,
      networks: (now.network.networks ?? []).filter(each => each.network !== network.name),
    },
  }));
  tell(engine, network, 'disconnect', record);
}

async function leave(
  engine: Engine,
  record: ContainerRecord,
  network: NetworkRecord,
  _state: ContainerState,
): Promise<void> {
  await ask(engine, record, [['detach', network.id]]);
  const states = readEndpoints(engine, record.id);
  const gone = states.find(each => each.id === network.id);
  if (gone) await release(engine, record.id, network.name, gone.addresses);
  writeStates(
    engine,
    record.id,
    states.filter(each => each.id !== network.id),
  );
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
