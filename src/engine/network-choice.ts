import { TsboxError } from '../errors.ts';
import { contains, parseSubnet, type Subnet, usable } from '../network/ipam.ts';
import { isDriverWord, selectNetwork } from '../network/select.ts';
import type { ContainerRecord } from '../store/container-record.ts';
import { findContainer } from '../store/containers.ts';
import type { EndpointRecord, NetworkRecord, PoolRecord } from '../store/network-record.ts';
import { readNetwork } from '../store/networks.ts';
import { type Address, parseAddress } from '../util/address.ts';
import type { Engine } from './context.ts';
import type { CreateOptions } from './types.ts';

export type ChosenNetwork = Omit<ContainerRecord['network'], 'ports'>;

const usage = (message: string, hint: string): TsboxError => new TsboxError('USAGE', message, { hint });

/** What --network asks for where it is no word of a driver alone. Throws USAGE, NOT_FOUND, NETWORK. */
export async function chooseNetworks(engine: Engine, options: CreateOptions): Promise<ChosenNetwork> {
  const wanted = [options.network ?? '', ...(options.networks ?? [])].filter(Boolean);
  const [only = ''] = wanted;
  if (wanted.length === 1 && only.startsWith('container:')) return shared(engine, only);
  const alone = wanted.find(text => isDriverWord(text) || text.startsWith('container:'));
  if (alone !== undefined && wanted.length > 1)
    throw usage(
      `--network ${alone} goes with no other network`,
      'several networks must be user-defined ones: tsbox network create NAME',
    );
  if (alone !== undefined) {
    const { driver, options: driverOptions } = await selectNetwork(
      alone,
      engine.config,
      engine.paths.runtime,
    );
    return { driver: driver.name, options: driverOptions };
  }
  const endpoints: EndpointRecord[] = [];
  for (const text of wanted)
    endpoints.push(await endpointOf(engine, text, endpoints.length === 0 ? options : {}));
  checkTwice(endpoints);
  return { driver: 'bridge', options: {}, networks: endpoints };
}

async function shared(engine: Engine, text: string): Promise<ChosenNetwork> {
  const name = text.slice('container:'.length);
  const other = await findContainer(engine.paths, name);
  if (other.network.driver === 'host' || other.network.driver === 'container')
    throw usage(
      `--network ${text}: that container has no network of its own`,
      other.network.driver === 'host'
        ? '--network host'
        : `--network container:${other.network.container ?? ''}`,
    );
  return { driver: 'container', options: {}, container: other.id };
}

type Wishes = Pick<CreateOptions, 'ip' | 'ip6' | 'macAddress' | 'networkAliases' | 'linkLocalIps'>;

/** One endpoint: `NAME`, `NAME:alias=a,ip=1.2.3.4`, or docker's `name=NAME,alias=a`. The flags of their own are for the first. */
export async function endpointOf(engine: Engine, text: string, flags: Wishes): Promise<EndpointRecord> {
  const { name, words } = splitWords(text);
  const network = await readNetwork(engine.paths, name).catch((error: unknown) => {
    throw error instanceof TsboxError && error.code === 'NOT_FOUND' ? missing(name, error) : error;
  });
  const aliases = [
    ...words.flatMap(([key, value]) => (key === 'alias' ? [value] : [])),
    ...(flags.networkAliases ?? []),
  ];
  const one = (...keys: string[]): string | undefined => words.find(([key]) => keys.includes(key))?.[1];
  return checked(network, {
    network: network.name,
    aliases,
    ip: one('ip', 'ip4') ?? flags.ip,
    ip6: one('ip6') ?? flags.ip6,
    mac: one('mac-address', 'mac') ?? flags.macAddress,
    linkLocal: [
      ...words.flatMap(([key, value]) => (key === 'link-local-ip' ? [value] : [])),
      ...(flags.linkLocalIps ?? []),
    ],
  });
}

const missing = (name: string, cause: TsboxError): TsboxError =>
  new TsboxError('NOT_FOUND', `--network: ${cause.message}`, {
    hint: `make it: tsbox network create ${name}; there are also slirp4netns, pasta, none, host, container:NAME`,
  });

const KEYS = ['name', 'alias', 'ip', 'ip4', 'ip6', 'mac', 'mac-address', 'link-local-ip'];

function splitWords(text: string): { name: string; words: [string, string][] } {
  const colon = /^([^:=]+):(.+)$/.exec(text);
  const list = colon ? `name=${colon[1]},${colon[2]}` : text.includes('=') ? text : `name=${text}`;
  const words = list.split(',').map((word): [string, string] => {
    const [, key = '', value = ''] = /^([a-z0-9-]+)=(.+)$/.exec(word) ?? [];
    if (!KEYS.includes(key))
      throw usage(
        `--network ${text}: ${JSON.stringify(word)} is not known`,
        `name=NETWORK,${KEYS.slice(1).join('=…,')}=…`,
      );
    return [key, value];
  });
  return { name: words.find(([key]) => key === 'name')?.[1] ?? '', words };
}

interface Asked {
  readonly network: string;
  readonly aliases: readonly string[];
  readonly ip: string | undefined;
  readonly ip6: string | undefined;
  readonly mac: string | undefined;
  readonly linkLocal: readonly string[];
}

function checked(network: NetworkRecord, asked: Asked): EndpointRecord {
  const { aliases, ip, ip6, mac, linkLocal } = asked;
  for (const alias of aliases)
    if (!/^[A-Za-z0-9_]([A-Za-z0-9_.-]{0,251})$/.test(alias))
      throw usage(`--network-alias ${JSON.stringify(alias)} is not a host name`, '--network-alias web');
  if (ip !== undefined) checkAddress(network, '--ip', ip, 4);
  if (ip6 !== undefined) checkAddress(network, '--ip6', ip6, 6);
  for (const address of linkLocal) checkLinkLocal(address);
  if (mac !== undefined && !/^([0-9a-fA-F]{2}:){5}[0-9a-fA-F]{2}$/.test(mac))
    throw usage(`--mac-address ${JSON.stringify(mac)} is not six bytes`, '--mac-address 02:42:ac:12:00:02');
  if (mac !== undefined && Number.parseInt(mac.slice(0, 2), 16) & 1)
    throw usage(`--mac-address ${mac} is a group's address`, 'the first byte must be even, 02 for instance');
  return {
    network: asked.network,
    ...(aliases.length > 0 && { aliases: [...new Set(aliases)] }),
    ...(ip !== undefined && { ip }),
    ...(ip6 !== undefined && { ip6 }),
    ...(mac !== undefined && { mac: mac.toLowerCase() }),
    ...(linkLocal.length > 0 && { linkLocal }),
  };
}

function checkAddress(network: NetworkRecord, flag: string, text: string, family: 4 | 6): void {
  const address = parseAddress(text);
  const subnets = network.pools.flatMap(pool => parseSubnet(pool.subnet) ?? []);
  const subnet = subnets.find(each => each.family === family);
  if (address?.family !== family)
    throw usage(`${flag} ${JSON.stringify(text)} is not an IPv${family} address`, `${flag} ADDRESS`);
  if (!subnet)
    throw usage(
      `${flag} ${text}: network ${network.name} has no IPv${family}`,
      family === 6 ? 'tsbox network create --ipv6 NAME' : `leave ${flag} out`,
    );
  const pool = network.pools.find(each => parseSubnet(each.subnet)?.family === family);
  const why = pool && refusedIn(pool, subnet, address);
  if (why !== undefined)
    throw usage(`${flag} ${text}: ${why}`, `tsbox network inspect ${network.name} shows what is free`);
}

/** Addresses may be written in several ways: values are compared. */
function refusedIn(pool: PoolRecord, subnet: Subnet, address: Address): string | undefined {
  const { first, last } = usable(subnet);
  const isThat = (text: string): boolean => parseAddress(text)?.value === address.value;
  const [reserved] = Object.entries(pool.reserved ?? {}).find(entry => isThat(entry[1])) ?? [];
  if (!contains(subnet, address)) return `it is not in ${pool.subnet}`;
  if (isThat(pool.gateway)) return "it is the network's own";
  if (address.value < first || address.value > last) return `no interface can have it in ${pool.subnet}`;
  return reserved === undefined ? undefined : `it is kept for ${reserved} (--aux-address)`;
}

function checkLinkLocal(text: string): void {
  const address = parseAddress(text);
  const local = ['169.254.0.0/16', 'fe80::/10'].some(range => {
    const subnet = parseSubnet(range);
    return address && subnet && contains(subnet, address);
  });
  if (!local)
    throw usage(`--link-local-ip ${JSON.stringify(text)} is not link-local`, '--link-local-ip 169.254.10.1');
}

function checkTwice(endpoints: readonly EndpointRecord[]): void {
  const names = endpoints.map(endpoint => endpoint.network);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined)
    throw usage(`--network ${twice} is given twice`, 'a container has one interface in each network');
}
