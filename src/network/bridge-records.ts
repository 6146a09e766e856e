import { formatAddress, parseAddress } from '../util/address.ts';
import { macOf, parseSubnet } from './ipam.ts';
import type { Endpoint, HolderRecord, Network } from './networks.ts';

/**
 * What the holder of the networks is asked to do, in the words of docs/helper-protocol.md, "Networks": a list of
 * operations for a network that is not there yet, and one for each interface of a container. Pure.
 */
const BRIDGE = 'br0';
/** Where `up` and `down` of a network meet the world; slirp4netns and pasta are told this name. */
export const UPLINK = 'tap0';

export interface NetworkPrograms {
  /** Command line of the uplink; absent for a network without a way out. */
  readonly uplink: readonly string[] | undefined;
  /** nft, or iptables and ip6tables. */
  readonly filter: { readonly nft?: string; readonly iptables?: string; readonly ip6tables?: string };
}

/** Makes the network: a bridge that has the gateways' addresses, forwarding, and masquerading towards the uplink. */
export function networkRecords(network: Network, programs: NetworkPrograms): HolderRecord[] {
  const gateways = network.pools.map(pool => ({ gateway: pool.gateway, prefix: prefixOf(pool.subnet) }));
  const first = parseAddress(gateways[0]?.gateway ?? '');
  return [
    ['network', network.id],
    ...(programs.uplink ? [['uplink', ...programs.uplink]] : []),
    ['up', 'lo', ''],
    ['?write', '/proc/sys/net/ipv6/conf/default/accept_dad', '0'],
    // Frames between two containers are no business of the rules for what leaves: with br_netfilter loaded they would go through all of them.
    ...['ip', 'ip6', 'arp'].map(family => [
      '?write',
      `/proc/sys/net/bridge/bridge-nf-call-${family}tables`,
      '0',
    ]),
    ['bridge', BRIDGE, first ? macOf(first) : ''],
    ['up', BRIDGE, String(network.mtu)],
    ...gateways.map(({ gateway, prefix }) => ['address', BRIDGE, gateway, prefix]),
    ['?write', '/proc/sys/net/ipv4/ip_unprivileged_port_start', '0'],
    ...(network.internal ? [] : wayOut(network, programs.filter)),
    ...gateways.map(({ gateway }) => ['listen', gateway]),
  ];
}

function wayOut(network: Network, filter: NetworkPrograms['filter']): HolderRecord[] {
  const six = network.pools.some(pool => pool.gateway.includes(':'));
  return [
    ['write', '/proc/sys/net/ipv4/ip_forward', '1'],
    ...(six ? [['write', '/proc/sys/net/ipv6/conf/all/forwarding', '1']] : []),
    ...(filter.nft ? [['run', nftRules(six), filter.nft, '-f', '-']] : iptablesRules(filter, six)),
  ];
}

/** Out through the uplink only, and nothing in but answers. */
function nftRules(six: boolean): string {
  const table = (family: string): string =>
    `table ${family} tsbox {
  chain out { type nat hook postrouting priority 100; oifname "${UPLINK}" masquerade; }
  chain in { type filter hook forward priority 0; iifname "${UPLINK}" ct state established,related accept; iifname "${UPLINK}" drop; }
}
`;
  return ['ip', ...(six ? ['ip6'] : [])].map(table).join('');
}

function iptablesRules(filter: NetworkPrograms['filter'], six: boolean): HolderRecord[] {
  const rules = (program: string): HolderRecord[] =>
    [
      ['-t', 'nat', '-A', 'POSTROUTING', '-o', UPLINK, '-j', 'MASQUERADE'],
      ['-A', 'FORWARD', '-i', UPLINK, '-m', 'conntrack', '--ctstate', 'ESTABLISHED,RELATED', '-j', 'ACCEPT'],
      ['-A', 'FORWARD', '-i', UPLINK, '-j', 'DROP'],
    ].map(rule => ['run', '', program, '-w', ...rule]);
  return [
    ...(filter.iptables ? rules(filter.iptables) : []),
    ...(six && filter.ip6tables ? rules(filter.ip6tables) : []),
  ];
}

/**
 * Bytes that go from container to container in one piece (ip-link(8), gso_ipv4_max_size; 64 KiB by default): the way over a bridge is twice that of a pair of
 * interfaces, and it is walked for each piece. What leaves through the uplink is cut there.
 */
const PIECE = String(180_000);

/** Joins a container to the network: a pair of interfaces, one of them a port of the bridge. */
export function endpointRecords(containerId: string, endpoint: Endpoint, index: number): HolderRecord[] {
  const port = portName(containerId, endpoint.device);
  const { network } = endpoint;
  return [
    ['attach', network.id, port],
    ['veth', port, endpoint.device, endpoint.mac, String(network.mtu), BRIDGE],
    ['?segment', port, PIECE],
    ['inside'],
    ['?segment', endpoint.device, PIECE],
    ['?write', `/proc/sys/net/ipv6/conf/${endpoint.device}/accept_dad`, '0'],
    ['?write', `/proc/sys/net/ipv6/conf/${endpoint.device}/accept_ra`, '0'],
    ['up', endpoint.device, ''],
    ...endpoint.addresses.map(text => {
      const [address = '', prefix = ''] = text.split('/');
      return ['address', endpoint.device, address, prefix];
    }),
    ...(network.internal
      ? []
      : endpoint.gateways.map(gateway => defaultRoute(gateway, endpoint.device, index))),
    ...nameRecords(endpoint),
  ];
}

/** The first network with a way out is the one that is used; the others' routes stand behind it. */
const defaultRoute = (gateway: string, device: string, index: number): HolderRecord => [
  'route',
  gateway.includes(':') ? 'default6' : 'default',
  gateway,
  device,
  String(100 + index),
];

const nameRecords = (endpoint: Endpoint): HolderRecord[] =>
  endpoint.addresses.map(text => [
    'name',
    text.split('/')[0] ?? '',
    endpoint.servers.join(' '),
    ...endpoint.names,
  ]);

/** At most 15 bytes (IFNAMSIZ): enough of the id to be the only one, and which of its interfaces. */
export const portName = (containerId: string, device: string): string =>
  `v${containerId.slice(0, 10)}${device.replace(/^eth/, '')}`;

const prefixOf = (subnet: string): string => String(parseSubnet(subnet)?.prefix ?? 24);

/** The number of a container's address in the network's own, for what must not be the same as the uplink's network. */
export const sameNetwork = (a: string, b: string): boolean => {
  const [left, right] = [parseSubnet(a), parseSubnet(b)];
  return (
    left !== undefined &&
    right !== undefined &&
    formatAddress({ family: left.family, value: left.base }) ===
      formatAddress({ family: right.family, value: right.base })
  );
};
