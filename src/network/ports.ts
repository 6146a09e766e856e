import { readFileSync } from 'node:fs';
import { TsboxError } from '../errors.ts';
import { familyOf } from '../util/address.ts';
import { freePort } from './bind.ts';
import type { PortMapping } from './driver.ts';

/**
 * docker's -p: `[[ip:][host]:]container[/tcp|udp][,proxy=v2]`, where host and container are a port or a range `first-last` of equal
 * length; a range of host ports for one container port means any free one of them, an absent or 0 host port any free
 * port: the forwarder takes one at each start. `address`: where to listen when the user gives none; default everywhere. Throws USAGE
 * for a malformed one, PORT for one that is given twice or that this user may not bind.
 */
export async function parsePublish(specs: readonly string[], address = ''): Promise<PortMapping[]> {
  const mappings = specs.flatMap(spec => parseOne(spec, address));
  checkTwice(mappings);
  checkPrivileged(mappings);
  return mappings;
}

/**
 * The same with one IPv4 address and one port each, chosen by binding it for a moment: for a forwarder that cannot choose.
 * Rejects with PORT when no port of a range is free.
 */
export async function fixPorts(wanted: readonly PortMapping[]): Promise<PortMapping[]> {
  const mappings: PortMapping[] = [];
  for (const { hostPortEnd, ...mapping } of wanted) {
    const { hostPort: first, hostIp } = mapping;
    const fixed = { ...mapping, hostIp: hostIp === '' ? '0.0.0.0' : hostIp };
    const last = hostPortEnd ?? first;
    const hostPort = first !== 0 && first === last ? first : await choose(fixed, first, last, mappings);
    mappings.push({ ...fixed, hostPort });
  }
  return mappings;
}

/** `127.0.0.1:8080/tcp`, as errors and `ps` write it. */
export const hostSide = (p: PortMapping): string =>
  `${p.hostIp.includes(':') ? `[${p.hostIp}]` : p.hostIp || '0.0.0.0'}:${hostPortText(p)}/${p.protocol}`;

/** `8080`, `8000-8010`; empty: any. */
export const hostPortText = ({ hostPort, hostPortEnd }: PortMapping): string =>
  hostPort === 0 ? '' : hostPortEnd === undefined ? String(hostPort) : `${hostPort}-${hostPortEnd}`;

/** Ports below this one need CAP_NET_BIND_SERVICE on the host (ip(7)). */
export function unprivilegedPortStart(): number {
  try {
    const text = readFileSync('/proc/sys/net/ipv4/ip_unprivileged_port_start', 'utf8');
    return Number.parseInt(text, 10);
  } catch {
    return 1024;
  }
}

/** PORT for a port that the user may not bind. */
export function privilegedPort(mapping: PortMapping, start: number): TsboxError {
  return new TsboxError(
    'PORT',
    `port ${mapping.hostPort}/${mapping.protocol} cannot be published: permission denied, ports below ${start} are root's here`,
    {
      hint: `choose a higher port (-p ${mapping.hostPort + 8000}:${mapping.containerPort}), or as root: sysctl net.ipv4.ip_unprivileged_port_start=${mapping.hostPort}`,
    },
  );
}

const SPEC =
  /^(?:(?:\[([^\]]*)\]|([^[\]:]*)):)?(?:(\d*(?:-\d+)?):)?(\d+(?:-\d+)?)(?:\/([^/,]*))?(?:,([^,]*))?$/;

function parseOne(spec: string, everywhere: string): PortMapping[] {
  const [, ip6, first, second, inside, protocol = 'tcp', option] =
    SPEC.exec(spec) ?? fail(spec, 'it is malformed');
  // With one colon, what stands before it is the host port; with two, the address.
  const [ip4, host] = second === undefined && ip6 === undefined ? [undefined, first] : [first, second];
  const lower = protocol.toLowerCase();
  if (lower !== 'tcp' && lower !== 'udp')
    fail(spec, `the protocol ${JSON.stringify(protocol)} cannot be published`);
  const containerPorts = portRange(spec, inside ?? '');
  const hostPorts = host === undefined || host === '' || host === '0' ? [] : portRange(spec, host);
  if (containerPorts.includes(0) || hostPorts.includes(0)) fail(spec, 'there is no port 0');
  const common = { hostIp: address(spec, ip6, ip4, everywhere), ...proxyOption(spec, option, lower) };
  return pair(spec, hostPorts, containerPorts).map(([candidates, containerPort]) => ({
    ...common,
    hostPort: candidates[0] ?? 0,
    ...(candidates.length > 1 && { hostPortEnd: candidates.at(-1) ?? 0 }),
    containerPort,
    protocol: lower as 'tcp' | 'udp',
  }));
}

function proxyOption(spec: string, option: string | undefined, protocol: string): { proxy?: 'v2' } {
  if (option === undefined) return {};
  if (option !== 'proxy=v2') fail(spec, `the option ${JSON.stringify(option)} is unknown, proxy=v2 is known`);
  if (protocol !== 'tcp') fail(spec, 'proxy=v2 is for tcp only');
  return { proxy: 'v2' };
}

function pair(
  spec: string,
  host: readonly number[],
  container: readonly number[],
): [readonly number[], number][] {
  if (host.length === 0 || container.length === 1) return container.map(port => [host, port]);
  if (host.length !== container.length) fail(spec, 'the two ranges differ in length');
  return container.map((port, i) => [[host[i] ?? 0], port]);
}

function address(spec: string, ip6: string | undefined, ip4: string | undefined, everywhere: string): string {
  if (ip6 !== undefined)
    return familyOf(ip6) === 6 ? ip6 : fail(spec, `${JSON.stringify(ip6)} is not an IPv6 address`);
  if (ip4 === undefined || ip4 === '') return everywhere;
  return familyOf(ip4) === 4 ? ip4 : fail(spec, `${JSON.stringify(ip4)} is not an IP address`);
}

function portRange(spec: string, text: string): number[] {
  const digits = /^\d{1,9}(-\d{1,9})?$/.test(text) ? text.split('-').map(Number) : [];
  const [first = Number.NaN, last = first] = digits;
  if (!(first <= last)) fail(spec, `${JSON.stringify(text)} is not a port or a range of ports`);
  if (last > 65535) fail(spec, `${last} is above the highest port, 65535`);
  return Array.from({ length: last - first + 1 }, (_, i) => first + i);
}

function fail(spec: string, why: string): never {
  throw new TsboxError('USAGE', `-p ${JSON.stringify(spec)}: ${why}`, {
    hint: 'write -p [[ip:][hostport]:]containerport[/tcp|udp][,proxy=v2], an IPv6 address in brackets',
  });
}

async function choose(
  mapping: PortMapping,
  first: number,
  last: number,
  taken: readonly PortMapping[],
): Promise<number> {
  const ours = new Set(taken.filter(t => t.protocol === mapping.protocol).map(t => t.hostPort));
  for (let port = first; port <= last; port++) {
    const free = ours.has(port) ? undefined : await freePort(mapping.hostIp, port, mapping.protocol);
    if (free !== undefined) return free;
  }
  const range = first === 0 ? 'any' : `${first}-${last}`;
  throw new TsboxError(
    'PORT',
    `no free port on ${mapping.hostIp} for container port ${mapping.containerPort}: tried ${range}`,
  );
}

function checkTwice(mappings: readonly PortMapping[]): void {
  const seen = new Set<string>();
  for (const mapping of mappings.filter(m => m.hostPort !== 0 && m.hostPortEnd === undefined)) {
    const key = hostSide(mapping);
    if (seen.has(key)) throw new TsboxError('PORT', `port ${key} is published twice`);
    seen.add(key);
  }
}

function checkPrivileged(mappings: readonly PortMapping[]): void {
  if (mappings.length === 0 || process.geteuid?.() === 0) return;
  const start = unprivilegedPortStart();
  for (const mapping of mappings)
    if (mapping.hostPort !== 0 && mapping.hostPort < start) throw privilegedPort(mapping, start);
}
