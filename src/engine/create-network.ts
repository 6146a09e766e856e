import { TsboxError } from '../errors.ts';
import type { NetworkDriverName, PortMapping } from '../network/driver.ts';
import { hostsFile, resolvConf } from '../network/etc-files.ts';
import { parsePublish } from '../network/ports.ts';
import type { CreateOptions } from './types.ts';

const usage = (message: string, hint: string): TsboxError => new TsboxError('USAGE', message, { hint });

/** --expose over what the image exposes, as `80/tcp`. Throws USAGE. */
export function exposedPorts(image: readonly string[], expose: readonly string[]): string[] {
  return [...new Set([...image, ...expose.flatMap(expandPorts)])];
}

function expandPorts(spec: string): string[] {
  const [, first = '', last = first, protocol = 'tcp'] =
    /^(\d{1,5})(?:-(\d{1,5}))?(?:\/(tcp|udp|sctp))?$/i.exec(spec) ?? [];
  const [from, to] = [Number(first), Number(last)];
  if (first === '' || from < 1 || to > 65535 || from > to)
    throw usage(
      `--expose ${JSON.stringify(spec)} is not a port or a range`,
      '--expose 80, 53/udp or 8000-8010',
    );
  return Array.from({ length: to - from + 1 }, (_, i) => `${from + i}/${protocol.toLowerCase()}`);
}

/** -P: a free port of the machine for each exposed one that -p has not given one already; only those. `address`: the configured one to listen on. */
export async function publishAll(
  driver: NetworkDriverName,
  exposed: readonly string[],
  published: readonly PortMapping[],
  address?: string,
): Promise<readonly PortMapping[]> {
  // As in docker, where there is nothing to publish to or from the flag means nothing.
  if (driver === 'none' || driver === 'host') return [];
  const taken = new Set(published.map(p => `${p.containerPort}/${p.protocol}`));
  const open = exposed.filter(port => !taken.has(port) && /\/(tcp|udp)$/.test(port));
  return parsePublish(open, address);
}

const FIXED: Readonly<Record<Exclude<NetworkDriverName, 'bridge'>, string>> = {
  slirp4netns: 'the network slirp4netns gives each container the same address',
  pasta: "with pasta a container has the machine's addresses",
  container: "the network and its addresses are another container's",
  none: 'there is only loopback in the network none',
  host: "with the machine's network a container has the machine's addresses",
};

/** Addresses and names that none of the networks can give. Throws USAGE. */
export function refuseAddresses(driver: NetworkDriverName, options: CreateOptions): void {
  if (driver === 'bridge') return;
  const { ip, ip6, macAddress, networkAliases } = options;
  const given = {
    '--ip': ip,
    '--ip6': ip6,
    '--mac-address': macAddress,
    '--network-alias': networkAliases?.[0],
  };
  for (const [flag, value] of Object.entries(given)) {
    if (value === undefined) continue;
    const name = flag === '--network-alias';
    throw usage(
      `${flag} ${value}: ${name ? `nobody else is in the network ${driver}` : FIXED[driver]}`,
      name ? 'other names for this machine or others: --add-host NAME:ADDRESS' : `leave ${flag} out`,
    );
  }
}

/** --add-host, --dns, --dns-search, --dns-option: what is wrong is said before anything is made. Throws USAGE. */
export function checkNames(options: CreateOptions): void {
  const setup = { netns: 'new' } as const;
  hostsFile({ hostname: '', setup, addHost: options.addHost ?? [], gateway: '127.0.0.1' });
  resolvConf({ setup, host: { nameservers: [], search: [], options: [] }, dns: options.dns ?? [] });
  for (const domain of options.dnsSearch ?? []) {
    if (!/^(\.|[A-Za-z0-9_]([A-Za-z0-9_.-]*))$/.test(domain))
      throw usage(
        `--dns-search ${JSON.stringify(domain)} is not a domain`,
        '--dns-search example.org, or . for none',
      );
  }
  for (const option of options.dnsOptions ?? []) {
    if (!/^[a-z0-9-]+(:[a-z0-9.]+)?$/.test(option))
      throw usage(
        `--dns-option ${JSON.stringify(option)} is not an option`,
        '--dns-option ndots:2; see resolv.conf(5)',
      );
  }
}
