import { TsboxError } from '../errors.ts';
import { readContainerRecord } from '../store/containers.ts';
import { sweepAddresses } from '../store/network-addresses.ts';
import type { NetworkRecord } from '../store/network-record.ts';
import { findNetwork, listNetworkRecords, networkDirectory, readNetwork } from '../store/networks.ts';
import type { Engine } from './context.ts';
import { builtinNetworks } from './network-builtin.ts';
import { readEndpoints } from './network-endpoints.ts';
import type { NetworkListOptions, NetworkSummary } from './network-types.ts';
import { booleanFilter, checkFilterKeys, hasLabels } from './object-filters.ts';

const KEYS = ['dangling', 'driver', 'id', 'label', 'name', 'scope', 'type'];

/** `tsbox network ls`: those that are always there, too, as docker shows them. Sorted by name. Throws USAGE. */
export async function listNetworks(
  engine: Engine,
  { filters = {} }: NetworkListOptions = {},
): Promise<NetworkSummary[]> {
  checkFilterKeys('network ls', filters, KEYS);
  const own = (await listNetworkRecords(engine.paths)).map(summaryOf);
  const dangling = filters.dangling?.map(value => booleanFilter('dangling', value));
  const used = dangling ? await usedNetworks(engine) : new Set<string>();
  return [...builtinNetworks(), ...own]
    .filter(network => matches(network, filters))
    .filter(network => !dangling || dangling.includes(!network.builtin && !used.has(network.name)))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

export const summaryOf = (record: NetworkRecord): NetworkSummary => ({
  id: record.id,
  name: record.name,
  driver: record.driver,
  created: record.created,
  internal: record.internal,
  ipv6: record.pools.some(pool => pool.gateway.includes(':')),
  labels: record.labels,
  builtin: false,
});

function matches(network: NetworkSummary, filters: NonNullable<NetworkListOptions['filters']>): boolean {
  const any = (key: string, test: (value: string) => boolean): boolean =>
    filters[key] === undefined || filters[key].some(test);
  return (
    any('driver', value => network.driver === value) &&
    any('id', value => network.id.startsWith(value)) &&
    any('name', value => network.name.includes(value)) &&
    any('scope', value => value === 'local') &&
    any('type', value => isType(value) === network.builtin) &&
    hasLabels(network.labels, filters.label ?? [])
  );
}

/** True: `builtin`. */
function isType(value: string): boolean {
  if (value === 'builtin' || value === 'custom') return value === 'builtin';
  throw new TsboxError('USAGE', `invalid value for the filter type: ${JSON.stringify(value)}`, {
    hint: 'it is custom or builtin',
  });
}

/** Those that a container which runs has an address in. */
async function usedNetworks(engine: Engine): Promise<Set<string>> {
  const used = new Set<string>();
  for (const { name } of await listNetworkRecords(engine.paths)) {
    if ((await sweepAddresses(engine.paths, networkDirectory(engine.paths, name))).length > 0) used.add(name);
  }
  return used;
}

/** docker's inspect object of a network. Throws NOT_FOUND. */
export async function inspectNetwork(engine: Engine, nameOrId: string): Promise<Record<string, unknown>> {
  const builtin = builtinNetworks().find(each => each.name === nameOrId || each.id.startsWith(nameOrId));
  const found = await findNetwork(engine.paths, nameOrId);
  if (!found && builtin) return inspected({ ...builtin, options: {}, pools: [] }, {});
  const record = found ?? (await readNetwork(engine.paths, nameOrId));
  return inspected(
    { ...summaryOf(record), options: record.options, pools: record.pools },
    await containersOf(engine, record),
  );
}

type Inspected = NetworkSummary & Pick<NetworkRecord, 'options' | 'pools'>;

function inspected(network: Inspected, containers: Record<string, unknown>): Record<string, unknown> {
  return {
    Name: network.name,
    Id: network.id,
    Created: network.created,
    Scope: 'local',
    Driver: network.driver,
    EnableIPv4: true,
    EnableIPv6: network.ipv6,
    IPAM: {
      Driver: 'default',
      Options: {},
      Config: network.pools.map(pool => ({
        Subnet: pool.subnet,
        ...(pool.range !== undefined && { IPRange: pool.range }),
        Gateway: pool.gateway,
        ...(pool.reserved && { AuxiliaryAddresses: pool.reserved }),
      })),
    },
    Internal: network.internal,
    Attachable: false,
    Ingress: false,
    ConfigFrom: { Network: '' },
    ConfigOnly: false,
    Containers: containers,
    Options: network.options,
    Labels: network.labels,
  };
}

/** Who has addresses in it now. */
export async function containersOf(engine: Engine, network: NetworkRecord): Promise<Record<string, unknown>> {
  const holders = await sweepAddresses(engine.paths, networkDirectory(engine.paths, network.name));
  const found: Record<string, unknown> = {};
  for (const id of new Set(holders.map(holder => holder.container))) {
    const name = await readContainerRecord(engine.paths, id).then(
      record => record.name,
      () => '',
    );
    const endpoint = readEndpoints(engine, id).find(each => each.id === network.id);
    found[id] = {
      Name: name,
      EndpointID: endpointId(id, network.id),
      MacAddress: endpoint?.mac ?? '',
      IPv4Address: endpoint?.addresses.find(address => !address.includes(':')) ?? '',
      IPv6Address: endpoint?.addresses.find(address => address.includes(':')) ?? '',
    };
  }
  return found;
}

/** Of the same form as docker's, and the same as long as the connection lasts. */
export const endpointId = (container: string, network: string): string =>
  container.slice(0, 32) + network.slice(0, 32);
