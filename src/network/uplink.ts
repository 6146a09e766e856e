import { TsboxError } from '../errors.ts';
import { helperPath, locateProgram } from '../host/binaries.ts';
import { type NetworkPrograms, UPLINK } from './bridge-records.ts';
import type { NetworkProbe } from './driver.ts';
import { overlap, parseSubnet } from './ipam.ts';
import type { Network } from './networks.ts';
import { PASTA_FLAGS } from './pasta.ts';
import { closedTun, probeSlirp } from './slirp4netns-probe.ts';

/** Descriptors that the holder gives an uplink. */
const [READY_FD, EXIT_FD, NETNS_FD] = [3, 4, 5];

/**
 * The programs that a network with a way out needs: slirp4netns, else pasta; nft, else iptables. Throws NETWORK that names what is
 * missing or too old and how to get it. `cacheDir` keeps what was found out about programs between calls.
 */
export async function networkPrograms(network: Network, cacheDir: string): Promise<NetworkPrograms> {
  if (network.internal) return { uplink: undefined, filter: {} };
  return { uplink: await uplink(network, cacheDir), filter: filter(network) };
}

async function uplink(network: Network, cacheDir: string): Promise<string[]> {
  const probe = await probeSlirp(cacheDir);
  const slirp = probe.ok ? locateProgram('slirp4netns') : undefined;
  if (slirp) return slirpCommand(slirp, network);
  const pasta = locateProgram('pasta');
  if (pasta && !closedTun()) return pastaCommand(pasta);
  throw noUplink(network, probe);
}

function noUplink({ name }: Network, { check, reason, hint }: NetworkProbe): TsboxError {
  const missing = check === 'slirp4netns-missing';
  const why = missing ? 'neither slirp4netns nor pasta is installed' : reason;
  const install = missing
    ? 'install one: apt install slirp4netns (or passt)'
    : 'install a newer one, or passt';
  const isTun = check === 'tun-closed' || check === 'tun-missing';
  return new TsboxError('NETWORK', `network ${name} has no way out: ${why}`, {
    hint: `${isTun ? hint : install}, or make the network with --internal`,
    check,
  });
}

function slirpCommand(program: string, network: Network): string[] {
  const six = network.pools.some(pool => pool.gateway.includes(':'));
  return [
    program,
    '--configure',
    '--mtu=65520',
    `--cidr=${freeCidr(network)}`,
    '--disable-host-loopback',
    ...(six ? ['--enable-ipv6'] : []),
    '--enable-sandbox',
    '--enable-seccomp',
    '--netns-type=path',
    `--ready-fd=${READY_FD}`,
    `--exit-fd=${EXIT_FD}`,
    `/proc/self/fd/${NETNS_FD}`,
    UPLINK,
  ];
}

/** The network between the bridge's namespace and slirp4netns; another where the user has that one. */
function freeCidr(network: Network): string {
  const taken = network.pools.map(pool => parseSubnet(pool.subnet));
  const clash = (cidr: string): boolean =>
    taken.some(subnet => subnet && overlap(subnet, parseSubnet(cidr) ?? subnet));
  return (
    ['10.0.2.0/24', '10.255.254.0/24', '192.168.254.0/24'].find(cidr => !clash(cidr)) ?? '169.254.2.0/24'
  );
}

/** pasta(1) says that it is ready by writing its pid file. The helper ends it with the network. */
function pastaCommand(program: string): string[] {
  const netns = ['--netns-only', '--netns', `/proc/self/fd/${NETNS_FD}`];
  return [helperPath(), 'tether', program, ...PASTA_FLAGS, '--ns-ifname', UPLINK, ...netns];
}

function filter(network: Network): NetworkPrograms['filter'] {
  const nft = locateProgram('nft');
  if (nft) return { nft };
  const [iptables, ip6tables] = [locateProgram('iptables'), locateProgram('ip6tables')];
  if (iptables) return { iptables, ...(ip6tables && { ip6tables }) };
  throw new TsboxError(
    'NETWORK',
    `network ${network.name} has no way out: neither nft nor iptables is installed`,
    {
      hint: 'install one: apt install nftables (dnf, apk, pacman and zypper have it by the same name), or make the network with --internal',
      check: 'filter-missing',
    },
  );
}
