import { readFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { TsboxError } from '../errors.ts';
import {
  contains,
  defaultPools,
  formatSubnet,
  holds,
  overlap,
  parseSubnet,
  type Subnet,
  sizeOf,
  usable,
} from '../network/ipam.ts';
import { newId } from '../store/atomic.ts';
import { recordEvent } from '../store/events.ts';
import { withLock } from '../store/lock.ts';
import type { NetworkRecord, PoolRecord } from '../store/network-record.ts';
import { checkNetworkName, findNetwork, listNetworkRecords, placeNetwork } from '../store/networks.ts';
import { formatAddress, parseAddress } from '../util/address.ts';
import type { Engine } from './context.ts';
import { isBuiltinNetwork } from './network-builtin.ts';
import type { NetworkCreateOptions } from './network-types.ts';

const usage = (message: string, hint: string): TsboxError => new TsboxError('USAGE', message, { hint });

/** `tsbox network create`. Returns its id. Throws USAGE, CONFLICT. */
export async function createNetwork(
  engine: Engine,
  name: string,
  options: NetworkCreateOptions = {},
): Promise<string> {
  checkNetworkName(name);
  checkDriver(options.driver ?? 'bridge');
  if (isBuiltinNetwork(name))
    throw usage(`network ${name} is always there and cannot be made`, 'choose another name');
  const mtu = mtuOf(options.options ?? {});
  // Two makers must not choose the same subnet.
  const record = await withLock(join(engine.paths.networks, '.lock'), async () => {
    if (await findNetwork(engine.paths, name)) throw taken(name);
    const id = newId();
    const made: NetworkRecord = {
      version: 1,
      id,
      name,
      created: new Date().toISOString(),
      driver: 'bridge',
      internal: options.internal ?? false,
      labels: options.labels ?? {},
      options: options.options ?? {},
      mtu,
      pools: choosePools(options, id, await subnetsInUse(engine)),
    };
    await placeNetwork(engine.paths, made);
    return made;
  });
  recordEvent(engine.paths, {
    type: 'network',
    action: 'create',
    id: record.id,
    attributes: { name, type: 'bridge' },
  });
  return record.id;
}

const taken = (name: string): TsboxError =>
  new TsboxError('CONFLICT', `network with name ${name} already exists`, { hint: 'tsbox network ls' });

const REFUSED: Readonly<Record<string, string>> = {
  macvlan: "it puts containers on the machine's own wire, and only root may touch that",
  ipvlan: "it puts containers on the machine's own wire, and only root may touch that",
  overlay: 'it joins several machines of a swarm, and there is no swarm',
  host: "a container has the machine's network by --network host",
  null: 'a container has no network by --network none',
  none: 'a container has no network by --network none',
};

function checkDriver(driver: string): void {
  if (driver === 'bridge') return;
  const why = REFUSED[driver];
  throw usage(
    why
      ? `a network of the driver ${driver} cannot be made: ${why}`
      : `there is no network driver ${JSON.stringify(driver)}`,
    '--driver bridge, which is the default',
  );
}

const MTU_KEYS = ['mtu', 'com.docker.network.driver.mtu'];
/** What docker's bridges take that has no meaning, or another way, here. */
const IGNORED =
  /^com\.docker\.network\.(bridge\.name|bridge\.enable_icc|bridge\.enable_ip_masquerade|bridge\.host_binding_ipv4|container_iface_prefix)$/;

function mtuOf(options: Readonly<Record<string, string>>): number {
  let mtu = 1500;
  for (const [key, value] of Object.entries(options)) {
    if (MTU_KEYS.includes(key)) {
      mtu = /^\d{1,5}$/.test(value) ? Number(value) : 0;
      if (mtu < 1280 || mtu > 65520)
        throw usage(`--opt ${key}=${value}: it must be from 1280 to 65520`, '--opt mtu=1500');
    } else if (IGNORED.test(key))
      throw usage(`--opt ${key} is not offered by the bridges of tsbox`, 'docs/docker-differences.md');
    else throw usage(`--opt ${JSON.stringify(key)} is not known`, `there is ${MTU_KEYS.join(', ')}`);
  }
  return mtu;
}

/** Of other networks, and what this machine has addresses in or routes to. */
async function subnetsInUse(engine: Engine): Promise<{ networks: NetworkRecord[]; machine: Subnet[] }> {
  const interfaces = Object.values(networkInterfaces()).flatMap(list => list ?? []);
  const own = interfaces.flatMap(each => (each.cidr ? (parseSubnet(each.cidr) ?? []) : []));
  return { networks: await listNetworkRecords(engine.paths), machine: [...own, ...routes()] };
}

/** /proc/net/route: destination and mask in hexadecimal, as the bytes lie in memory. The default route is none. */
function routes(): Subnet[] {
  let text = '';
  try {
    text = readFileSync('/proc/net/route', 'utf8');
  } catch {
    return [];
  }
  return text
    .split('\n')
    .slice(1)
    .flatMap(line => {
      const [, destination = '', , , , , , mask = ''] = line.split('\t');
      const prefix = [...littleEndian(mask).toString(2)].filter(bit => bit === '1').length;
      return prefix === 0 ? [] : [{ family: 4 as const, base: littleEndian(destination), prefix }];
    });
}

const littleEndian = (hex: string): bigint =>
  /^[0-9A-F]{8}$/i.test(hex) ? BigInt(`0x${(hex.match(/../g) ?? []).reverse().join('')}`) : 0n;

type Used = Awaited<ReturnType<typeof subnetsInUse>>;

function choosePools(options: NetworkCreateOptions, id: string, used: Used): PoolRecord[] {
  const given = (options.subnets ?? []).map(text => subnetOf(text, used));
  const twice = given.length > 1 && given[0]?.family === given[1]?.family;
  if (given.length > 2 || twice)
    throw usage(
      '--subnet: a network has at most one of IPv4 and one of IPv6',
      'make a second network for a second subnet',
    );
  const four = given.find(s => s.family === 4) ?? freePool(used);
  const six = given.find(s => s.family === 6) ?? (options.ipv6 ? uniqueLocal(id) : undefined);
  return [four, ...(six ? [six] : [])].map((subnet, _, all) => poolOf(subnet, options, all));
}

function subnetOf(text: string, { networks }: Used): Subnet {
  const subnet = parseSubnet(text);
  if (!subnet)
    throw usage(`--subnet ${JSON.stringify(text)} is not ADDRESS/PREFIX`, '--subnet 172.30.0.0/16');
  if (subnet.prefix > (subnet.family === 4 ? 30 : 126) || subnet.prefix < 8)
    throw usage(
      `--subnet ${text}: there is no room for containers in it, or too much`,
      '--subnet 172.30.0.0/16',
    );
  const clash = networks.find(network => network.pools.some(pool => clashes(pool.subnet, subnet)));
  if (clash)
    throw new TsboxError('CONFLICT', `--subnet ${text} overlaps with that of network ${clash.name}`, {
      hint: 'leave --subnet out, and a free one is taken',
    });
  return subnet;
}

const clashes = (text: string, subnet: Subnet): boolean => {
  const other = parseSubnet(text);
  return other !== undefined && overlap(other, subnet);
};

function freePool({ networks, machine }: Used): Subnet {
  const taken = [
    ...machine,
    ...networks.flatMap(n => n.pools.flatMap(pool => parseSubnet(pool.subnet) ?? [])),
  ];
  for (const pool of defaultPools()) if (!taken.some(each => overlap(each, pool))) return pool;
  throw new TsboxError('NETWORK', 'no subnet is left of those that networks are given', {
    hint: 'remove unused networks: tsbox network prune; or choose one: --subnet 10.89.0.0/24',
  });
}

/** RFC 4193: fd and forty random bits; the network's id is random. */
function uniqueLocal(id: string): Subnet {
  const base = (0xfdn << 120n) | (BigInt(`0x${id.slice(0, 10)}`) << 80n);
  return { family: 6, base, prefix: 64 };
}

function poolOf(subnet: Subnet, options: NetworkCreateOptions, all: readonly Subnet[]): PoolRecord {
  const gateway = inside('--gateway', options.gateways ?? [], subnet, all);
  const range = rangeOf(options.ipRanges ?? [], subnet, all);
  const reserved = Object.entries(options.auxAddresses ?? {}).filter(([, text]) => {
    const address = parseAddress(text);
    if (!address || !all.some(each => contains(each, address)))
      throw usage(
        `--aux-address ${text} is not an address of the network`,
        '--aux-address router=172.30.0.254',
      );
    return contains(subnet, address);
  });
  const first = range && subnet.base === range.base ? range : subnet;
  return {
    subnet: formatSubnet(subnet),
    gateway: gateway ?? formatAddress({ family: subnet.family, value: usable(first).first }),
    ...(range && { range: formatSubnet(range) }),
    ...(reserved.length > 0 && { reserved: Object.fromEntries(reserved) }),
  };
}

function inside(
  flag: string,
  texts: readonly string[],
  subnet: Subnet,
  all: readonly Subnet[],
): string | undefined {
  for (const text of texts) {
    const address = parseAddress(text);
    const end = subnet.base + sizeOf(subnet) - 1n;
    if (!address || !all.some(each => contains(each, address)))
      throw usage(
        `${flag} ${JSON.stringify(text)} is not an address of the network`,
        `${flag} with an address in --subnet`,
      );
    if (!contains(subnet, address)) continue;
    if (address.value === subnet.base || (subnet.family === 4 && address.value === end))
      throw usage(`${flag} ${text} is the subnet's own or its broadcast address`, `leave ${flag} out`);
    return formatAddress(address);
  }
  return undefined;
}

function rangeOf(texts: readonly string[], subnet: Subnet, all: readonly Subnet[]): Subnet | undefined {
  for (const text of texts) {
    const range = parseSubnet(text);
    if (!range || !all.some(each => holds(each, range)))
      throw usage(
        `--ip-range ${JSON.stringify(text)} is not a part of the subnet`,
        '--ip-range 172.30.5.0/24',
      );
    if (holds(subnet, range)) return range;
  }
  return undefined;
}
