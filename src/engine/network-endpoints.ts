import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { hasErrno, TsboxError } from '../errors.ts';
import { firstFree, macOf, parseSubnet } from '../network/ipam.ts';
import type { Endpoint } from '../network/networks.ts';
import { ioError, temporaryName } from '../store/atomic.ts';
import type { ContainerRecord } from '../store/container-record.ts';
import { containerDirectory, shortId } from '../store/containers.ts';
import {
  holderOf,
  isHeld,
  keepAddress,
  releaseAddress,
  releaseOf,
  releaseOwn,
  sweepAddresses,
  takeAddress,
  takenAddresses,
} from '../store/network-addresses.ts';
import type { EndpointRecord, EndpointState, NetworkRecord, PoolRecord } from '../store/network-record.ts';
import { networkDirectory, readNetwork } from '../store/networks.ts';
import { type Address, formatAddress, parseAddress } from '../util/address.ts';
import { withCleanup } from '../util/cleanup.ts';
import type { Engine } from './context.ts';

/**
 * Takes the addresses of a container in its networks, for this start, and writes down what it got. What it has from before it keeps where it can: another
 * start may be at it, and which of them gets the container's lock is not known yet. Throws CONFLICT for an address that somebody has, NETWORK when a
 * network is full, NOT_FOUND.
 */
export async function takeEndpoints(engine: Engine, record: ContainerRecord): Promise<Endpoint[]> {
  // Undefined: another start was faster by a moment; or the file cannot be read, and is replaced.
  return (await takeOnce(engine, record, 'wx')) ?? (await takeOnce(engine, record, 'w')) ?? [];
}

async function takeOnce(
  engine: Engine,
  record: ContainerRecord,
  flag: 'w' | 'wx',
): Promise<Endpoint[] | undefined> {
  const before = readEndpoints(engine, record.id);
  const endpoints: Endpoint[] = [];
  try {
    for (const [i, wanted] of (record.network.networks ?? []).entries())
      endpoints.push(await takeEndpoint(engine, record, wanted, `eth${i}`, before));
    writeEndpoints(engine, record, endpoints, before.length > 0 ? 'w' : flag);
  } catch (error) {
    for (const endpoint of endpoints) await releaseEndpoint(engine, record.id, endpoint, releaseOwn);
    if (flag === 'wx' && error instanceof TsboxError && hasErrno(error.cause, 'EEXIST')) return undefined;
    throw error;
  }
  await releaseOthers(engine, record.id, before, endpoints);
  return endpoints;
}

/** What it had and has no more: in networks that it has left, or by another address. */
async function releaseOthers(
  engine: Engine,
  id: string,
  before: readonly EndpointState[],
  endpoints: readonly Endpoint[],
): Promise<void> {
  for (const had of before) {
    const now = endpoints.find(each => each.network.name === had.network);
    const gone = takenBy(had).filter(address => !now || !takenBy(now).includes(address));
    await release(engine, id, had.network, gone);
  }
}

/** What `run --explain` shows: nothing is taken. */
export async function plannedEndpoints(engine: Engine, record: ContainerRecord): Promise<Endpoint[]> {
  const found = [];
  for (const [i, wanted] of (record.network.networks ?? []).entries()) {
    const network = await readNetwork(engine.paths, wanted.network);
    const taken = await takenAddresses(networkDirectory(engine.paths, network.name));
    const addresses = network.pools.map(pool => wished(wanted, pool) ?? lowest(network, pool, taken) ?? '');
    found.push(endpointOf(record, network, wanted, `eth${i}`, addresses));
  }
  return found;
}

/** One network more; also for `network connect`. `before`: what it may have there already. */
export async function takeEndpoint(
  engine: Engine,
  record: ContainerRecord,
  wanted: EndpointRecord,
  device: string,
  before: readonly EndpointState[] = [],
): Promise<Endpoint> {
  const network = await readNetwork(engine.paths, wanted.network);
  const had = before.find(each => each.id === network.id)?.addresses ?? [];
  const addresses = await withCleanup(async cleanup => {
    const taken: string[] = [];
    for (const [i, pool] of network.pools.entries()) {
      const address = await takeIn(engine, record, network, pool, wanted, had[i]?.replace(/\/.*/, ''));
      cleanup.push(() => release(engine, record.id, network.name, [address], releaseOwn));
      taken.push(address);
    }
    for (const fixed of [...linkLocals(wanted), ...(wanted.mac === undefined ? [] : [wanted.mac])]) {
      await takeFixed(engine, networkDirectory(engine.paths, network.name), network, fixed, record.id);
      cleanup.push(() => release(engine, record.id, network.name, [fixed], releaseOwn));
    }
    return taken;
  });
  return endpointOf(record, network, wanted, device, addresses);
}

function endpointOf(
  record: ContainerRecord,
  network: NetworkRecord,
  wanted: EndpointRecord,
  device: string,
  addresses: readonly string[],
): Endpoint {
  const first = parseAddress(addresses[0] ?? '');
  return {
    network,
    device,
    mac: wanted.mac ?? (first ? macOf(first) : ''),
    addresses: [
      ...addresses.map((address, i) => `${address}/${network.pools[i]?.subnet.split('/')[1] ?? ''}`),
      ...linkLocals(wanted).map(address => `${address}/${address.includes(':') ? 64 : 16}`),
    ],
    gateways: network.pools.map(pool => pool.gateway),
    servers: network.internal ? ['-'] : record.dns,
    names: namesOf(record, wanted, network),
  };
}

const namesOf = (record: ContainerRecord, wanted: EndpointRecord, network: NetworkRecord): string[] => [
  ...new Set([record.name, ...(wanted.aliases ?? []), shortId(record.id)]),
  `${record.name}.${network.name}`,
];

/** In one spelling. */
const linkLocals = ({ linkLocal = [] }: EndpointRecord): string[] =>
  linkLocal.map(text => {
    const address = parseAddress(text);
    return address ? formatAddress(address) : text;
  });

const familyOf = (pool: PoolRecord): 4 | 6 => (pool.gateway.includes(':') ? 6 : 4);
const wished = (wanted: EndpointRecord, pool: PoolRecord): string | undefined => {
  const text = familyOf(pool) === 4 ? wanted.ip : wanted.ip6;
  const address: Address | undefined = text === undefined ? undefined : parseAddress(text);
  return address && formatAddress(address);
};

async function takeIn(
  engine: Engine,
  record: ContainerRecord,
  network: NetworkRecord,
  pool: PoolRecord,
  wanted: EndpointRecord,
  had: string | undefined,
): Promise<string> {
  const directory = networkDirectory(engine.paths, network.name);
  const fixed = wished(wanted, pool);
  if (fixed !== undefined) return takeFixed(engine, directory, network, fixed, record.id);
  if (had !== undefined && (await keepAddress(engine.paths, directory, had, record.id))) return had;
  for (let sweeps = 0; ; ) {
    const address = lowest(network, pool, await takenAddresses(directory));
    if (address !== undefined && (await takeAddress(directory, address, record.id))) return address;
    if (address === undefined && sweeps++ > 0) throw full(network, pool);
    if (address === undefined) await sweepAddresses(engine.paths, directory);
  }
}

function lowest(network: NetworkRecord, pool: PoolRecord, taken: ReadonlySet<string>): string | undefined {
  const subnet = parseSubnet(pool.subnet);
  const range = parseSubnet(pool.range ?? pool.subnet);
  if (!subnet || !range)
    throw new TsboxError('STORE_CORRUPT', `network ${network.name} has the subnet ${pool.subnet}`);
  const never = new Set([pool.gateway, ...Object.values(pool.reserved ?? {})]);
  return firstFree(subnet, range, address => never.has(address) || taken.has(address));
}

const full = (network: NetworkRecord, pool: PoolRecord): TsboxError =>
  new TsboxError('NETWORK', `no free address in ${pool.range ?? pool.subnet} of network ${network.name}`, {
    hint: 'stop a container of it, or make a network with a larger --subnet',
  });

async function takeFixed(
  engine: Engine,
  directory: string,
  network: NetworkRecord,
  address: string,
  container: string,
): Promise<string> {
  while (!(await takeAddress(directory, address, container))) {
    if (await keepAddress(engine.paths, directory, address, container)) return address;
    const holder = await holderOf(directory, address);
    if (!holder) continue;
    if (await isHeld(engine.paths, directory, holder))
      throw new TsboxError(
        'CONFLICT',
        `address ${address} of network ${network.name} is in use by ${shortId(holder.container)}`,
        {
          hint: 'leave --ip out, or choose another address',
        },
      );
    await releaseAddress(directory, holder);
  }
  return address;
}

const stateFile = (engine: Engine, id: string): string =>
  join(containerDirectory(engine.paths, id), 'networks.json');

/** For `inspect` and for who gives the addresses back; of an earlier start it means nothing. */
export function writeEndpoints(
  engine: Engine,
  record: ContainerRecord,
  endpoints: readonly Endpoint[],
  flag: 'w' | 'wx' = 'w',
): void {
  const networks: EndpointState[] = endpoints.map(({ network, device, addresses, gateways, mac, names }) => ({
    network: network.name,
    id: network.id,
    aliases: names.slice(1, -1),
    device,
    addresses,
    gateways: network.internal ? [] : gateways,
    mac,
  }));
  writeStates(engine, record.id, networks, flag);
}

/** It appears as a whole: another start may look at any moment. `wx`: an IO error with the cause EEXIST where there is one. */
export function writeStates(
  engine: Engine,
  id: string,
  networks: readonly EndpointState[],
  flag: 'w' | 'wx' = 'w',
): void {
  const path = stateFile(engine, id);
  const temporary = temporaryName(path);
  try {
    writeFileSync(temporary, `${JSON.stringify({ version: 1, networks })}\n`, { mode: 0o600, flag: 'wx' });
    if (flag === 'wx') linkSync(temporary, path);
    else renameSync(temporary, path);
  } catch (error) {
    throw ioError(error, `cannot write ${path}`);
  } finally {
    rmSync(temporary, { force: true });
  }
}

/** Empty where there is none. */
export function readEndpoints(engine: Engine, id: string): readonly EndpointState[] {
  try {
    const file = JSON.parse(readFileSync(stateFile(engine, id), 'utf8')) as {
      version?: number;
      networks?: EndpointState[];
    };
    return file.version === 1 ? (file.networks ?? []) : [];
  } catch {
    return [];
  }
}

/** Gives back what the container's last start has taken. */
export async function releaseEndpoints(engine: Engine, id: string): Promise<void> {
  for (const state of readEndpoints(engine, id)) await release(engine, id, state.network, takenBy(state));
}

/** All that is nobody else's in the network meanwhile; an address of hardware that was not chosen has no entry. */
export const takenBy = ({ addresses, mac }: Pick<EndpointState, 'addresses' | 'mac'>): string[] => [
  ...addresses,
  mac,
];

export const releaseEndpoint = (
  engine: Engine,
  id: string,
  endpoint: Endpoint,
  how = releaseOf,
): Promise<void> => release(engine, id, endpoint.network.name, takenBy(endpoint), how);

export async function release(
  engine: Engine,
  id: string,
  network: string,
  addresses: readonly string[],
  how = releaseOf,
): Promise<void> {
  const directory = networkDirectory(engine.paths, network);
  for (const address of addresses) await how(directory, address.replace(/\/.*/, ''), id);
}
