import { networkInterfaces } from 'node:os';
import { TsboxError } from '../errors.ts';
import { familyOf } from '../util/address.ts';
import type { NetworkSetup } from './driver.ts';
import { isLoopback, type ResolvConf } from './resolv.ts';

export interface HostsRequest {
  /** Empty: no line for the container itself. */
  readonly hostname: string;
  readonly domainname?: string;
  readonly setup: Pick<NetworkSetup, 'netns' | 'address' | 'addresses'>;
  /** docker's --add-host, `name:address` or `name=address`; `host-gateway` is this machine. */
  readonly addHost?: readonly string[];
  /** The machine's own /etc/hosts: what a container with the machine's network gets. */
  readonly hostHosts?: string;
  /** What `host-gateway` means; default: `hostAddress(setup)`. */
  readonly gateway?: string;
}

const LOOPBACK = `127.0.0.1\tlocalhost
::1\tlocalhost ip6-localhost ip6-loopback
fe00::0\tip6-localnet
ff00::0\tip6-mcastprefix
ff02::1\tip6-allnodes
ff02::2\tip6-allrouters
`;

/** Content of /etc/hosts. Throws USAGE for a malformed --add-host. */
export function hostsFile(request: HostsRequest): string {
  const { setup, hostname } = request;
  const shared = setup.netns === 'host' && request.hostHosts !== undefined;
  const added = (request.addHost ?? []).map(entry => hostLine(entry, request));
  const names = request.domainname ? `${hostname}.${request.domainname} ${hostname}` : hostname;
  // With the machine's network, the machine's file knows the machine's name already.
  const addresses = setup.addresses ?? [setup.address ?? '127.0.1.1'];
  const own = hostname && !shared ? addresses.map(address => `${address}\t${names}`) : [];
  const base = shared ? (request.hostHosts ?? '').replace(/\n*$/, '\n') : LOOPBACK;
  return [base, ...[...added, ...own].map(line => `${line}\n`)].join('');
}

export interface ResolvRequest {
  readonly setup: Pick<NetworkSetup, 'netns' | 'nameservers' | 'resolver'>;
  readonly host: ResolvConf;
  /** docker's --dns; replaces every other server. */
  readonly dns?: readonly string[];
  readonly dnsSearch?: readonly string[];
  readonly dnsOptions?: readonly string[];
}

/**
 * Content of /etc/resolv.conf: --dns, else the driver's servers, else the machine's. Search domains and options are the machine's
 * unless given. Throws USAGE for a server that is no IP address.
 */
export function resolvConf(request: ResolvRequest): string {
  const { host, setup } = request;
  for (const server of request.dns ?? []) checkServer(server);
  const own = request.dns?.length && !setup.resolver ? request.dns : undefined;
  const servers = own ?? setup.nameservers ?? hostServers(request);
  // A namespace without a way out has nobody to ask, and nothing to search.
  const search = given(request.dnsSearch) ?? (servers.length > 0 ? host.search : []);
  const options = given(request.dnsOptions) ?? [
    ...(servers.length > 0 ? host.options : []),
    // A container's name has no dot: without this it would first be sought in every search domain.
    ...(setup.resolver ? ['ndots:0'] : []),
  ];
  return [
    ...(search.length > 0 && search[0] !== '.' ? [`search ${search.join(' ')}\n`] : []),
    ...servers.map(server => `nameserver ${server}\n`),
    ...(options.length > 0 ? [`options ${options.join(' ')}\n`] : []),
  ].join('');
}

/** Content of /etc/hostname. */
export const hostnameFile = (hostname: string): string => `${hostname}\n`;

/**
 * An address at which the container reaches this machine: loopback with the machine's network, else the first address
 * of the machine that is not loopback; undefined when it has none.
 */
export function hostAddress(setup: Pick<NetworkSetup, 'netns'>): string | undefined {
  if (setup.netns === 'host') return '127.0.0.1';
  const all = Object.values(networkInterfaces()).flatMap(list => list ?? []);
  return all.find(a => a.family === 'IPv4' && !a.internal)?.address;
}

const given = (list: readonly string[] | undefined): readonly string[] | undefined =>
  list?.length ? list : undefined;

/** In a namespace of its own, servers on the machine's loopback are somewhere else. */
function hostServers({ host, setup }: ResolvRequest): readonly string[] {
  return setup.netns === 'host' ? host.nameservers : host.nameservers.filter(server => !isLoopback(server));
}

function hostLine(entry: string, request: HostsRequest): string {
  const [, name, address] = /^([^:=\s]+)[:=](\S+)$/.exec(entry) ?? [];
  if (!name || !address) throw badHost(entry, 'it is not name:address');
  if (!/^[A-Za-z0-9_]([A-Za-z0-9_.-]*)$/.test(name))
    throw badHost(entry, `${JSON.stringify(name)} is not a host name`);
  const resolved = address === 'host-gateway' ? gateway(entry, request) : address.replace(/^\[(.*)\]$/, '$1');
  if (familyOf(resolved) === 0) throw badHost(entry, `${JSON.stringify(address)} is not an IP address`);
  return `${resolved}\t${name}`;
}

function gateway(entry: string, request: HostsRequest): string {
  const found = request.gateway ?? hostAddress(request.setup);
  if (found) return found;
  throw badHost(entry, 'this machine has no address but loopback');
}

const badHost = (entry: string, why: string): TsboxError =>
  new TsboxError('USAGE', `--add-host ${JSON.stringify(entry)}: ${why}`, {
    hint: '--add-host NAME:ADDRESS, or NAME:host-gateway for this machine',
  });

function checkServer(server: string): void {
  if (familyOf(server) !== 0) return;
  throw new TsboxError('USAGE', `--dns ${JSON.stringify(server)}: it is not an IP address`);
}
