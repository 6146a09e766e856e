import { TsboxError } from '../errors.ts';
import { environment } from '../host/paths.ts';
import { type Op, ops, type Service } from '../plan/ops.ts';
import { tryBind } from './bind.ts';
import type { NetworkDriver, NetworkRequest, NetworkSetup, PortMapping, ReadyTexts } from './driver.ts';
import { forwardServices, servedByForwarder } from './forward.ts';
import { namespaceOps, sysctl } from './netns.ts';
import { fixPorts, hostSide, privilegedPort, unprivilegedPortStart } from './ports.ts';
import { addForward, removeForward } from './slirp4netns-api.ts';
import { DEFAULT_CIDR, networkAddress, parseSlirpOptions, type SlirpOptions } from './slirp4netns-options.ts';
import { probeSlirp } from './slirp4netns-probe.ts';

/**
 * slirp4netns(1): a TCP/IP stack in a process of the user, at the other end of a tap device in the container's network
 * namespace. It joins that namespace by the container's pid, needs no privilege, and ends with the container.
 */
export const slirp4netns: NetworkDriver = { name: 'slirp4netns', probe: () => probeSlirp(), setup, publish };

/** In the container's runtime directory. Connected to and bound by a short path: sun_path holds 108 bytes. */
const API_SOCKET = 'slirp4netns.sock';

const READY_FD = 3;
const EXIT_FD = 4;

function setup(request: NetworkRequest): NetworkSetup {
  const options = parseSlirpOptions(request.options);
  const own = options.portHandler === 'slirp4netns';
  if (own) for (const port of request.ports) checkServed(port);
  return {
    netns: 'new',
    ops: [...namespaceOps(), ...(options.ipv6 ? [quickIpv6()] : [])],
    services: [service(request, options), ...(own ? [] : forwardServices(request))],
    nameservers: [networkAddress(options.cidr, 3), ...(options.ipv6 ? ['fd00::3'] : [])],
    address: networkAddress(options.cidr, 100),
    warnings: own && !options.hostLoopback ? oneWayPorts(request.ports) : [],
  };
}

/**
 * libslirp shows a client on loopback as the gateway, and with loopback closed drops every datagram to the gateway, answers
 * included (podman issue 4586). TCP is not concerned.
 */
function oneWayPorts(ports: readonly PortMapping[]): string[] {
  return ports
    .filter(port => port.protocol === 'udp')
    .map(
      port =>
        `answers from ${hostSide(port)} do not reach clients at this machine's 127.0.0.1, only at its other addresses; --network slirp4netns:allow_host_loopback=true changes that`,
    );
}

function service(request: NetworkRequest, options: SlirpOptions): Service {
  // Also without ports: `port add` may bring one.
  const published = options.portHandler === 'slirp4netns';
  return {
    name: 'slirp4netns',
    ready: true,
    fuse: false,
    early: !published,
    ops: [
      // What an image or a user puts into the environment must not reach a program outside (GLib reads variables).
      ops.env([`PATH=${searchPath()}`], 'a clean environment'),
      ...(published ? [ops.chdir(request.runtimeDir, 'a short path for the socket')] : []),
      ops.exec(
        'slirp4netns',
        ['slirp4netns', ...slirpArguments(options, published), '{pid}', 'tap0'],
        'the network of the container: a TCP/IP stack at the other end of tap0',
      ),
    ],
  };
}

/** Flags that every accepted version has (1.2; slirp4netns-probe.ts refuses older ones). */
export function slirpArguments(options: SlirpOptions, api: boolean): string[] {
  return [
    '--configure',
    `--mtu=${options.mtu}`,
    ...(options.cidr === DEFAULT_CIDR
      ? []
      : [`--cidr=${networkAddress(options.cidr, 0)}/${options.cidr.split('/')[1]}`]),
    ...(options.hostLoopback ? [] : ['--disable-host-loopback']),
    ...(options.ipv6 ? ['--enable-ipv6'] : []),
    ...(options.outbound ? [`--outbound-addr=${options.outbound}`] : []),
    ...(options.outbound6 ? [`--outbound-addr6=${options.outbound6}`] : []),
    // It parses what the container sends: in a root of its own without capabilities, with a filter of its own.
    '--enable-sandbox',
    '--enable-seccomp',
    ...(api ? ['--api-socket', API_SOCKET] : []),
    `--ready-fd=${READY_FD}`,
    `--exit-fd=${EXIT_FD}`,
  ];
}

/** Without it the address of tap0 cannot be used for a second, while the kernel looks for a neighbour that has it, too. */
const quickIpv6 = (): Op => sysctl('net.ipv6.conf.default.accept_dad', '0', 'IPv6 works at once');

/** Only absolute entries: never a program from the directory we happen to be in. */
function searchPath(): string {
  const listed = (environment('PATH') ?? '').split(':').filter(dir => dir.startsWith('/'));
  return [...new Set([...listed, '/usr/sbin', '/sbin', '/usr/bin', '/bin'])].join(':');
}

function checkServed(port: PortMapping): void {
  if (port.proxy)
    throw new TsboxError('PORT', `port ${hostSide(port)} cannot be published with proxy=v2 by slirp4netns`, {
      hint: 'leave port_handler=slirp4netns out',
    });
  if (!port.hostIp.includes(':')) return;
  throw new TsboxError('PORT', `port ${hostSide(port)} cannot be published: slirp4netns forwards IPv4 only`, {
    hint: `leave port_handler=slirp4netns out, or publish on an IPv4 address: -p ${port.hostPort}:${port.containerPort}`,
  });
}

async function publish(request: NetworkRequest, ready: ReadyTexts): Promise<readonly PortMapping[]> {
  const { portHandler } = parseSlirpOptions(request.options);
  return portHandler === 'builtin' ? servedByForwarder(request, ready) : slirpForward(request);
}

/** One after the other: slirp4netns serves one request per connection and keeps no queue of them. Resolves with what is published. */
export async function slirpForward(
  request: Pick<NetworkRequest, 'runtimeDir' | 'ports'>,
): Promise<readonly PortMapping[]> {
  const ports = await fixPorts(request.ports);
  const served: PortMapping[] = [];
  for (const [i, port] of ports.entries()) {
    served.push(await forwardOne(request.runtimeDir, port, request.ports[i]?.hostPort === 0));
  }
  return served;
}

const TRIES = 10;

/** A port that we chose may have been taken by another meanwhile: then another will do. */
async function forwardOne(runtimeDir: string, wanted: PortMapping, isAny: boolean): Promise<PortMapping> {
  for (let port = wanted, tries = TRIES; ; tries--) {
    checkServed(port);
    const refused = await addForward(runtimeDir, API_SOCKET, port);
    if (refused === undefined) return port;
    if (!isAny || tries === 0) throw await publishError(port, refused);
    [port = wanted] = await fixPorts([{ ...wanted, hostPort: 0 }]);
  }
}

/** Ends forwarding of a port; false when it was not forwarded. */
export const slirpUnforward = (runtimeDir: string, port: PortMapping): Promise<boolean> =>
  removeForward(runtimeDir, API_SOCKET, port);

/** slirp4netns does not say why; trying the same here does. */
async function publishError(port: PortMapping, refused: string): Promise<TsboxError> {
  const cause = await tryBind(port.hostIp, port.hostPort, port.protocol).then(
    () => undefined,
    (error: NodeJS.ErrnoException) => error,
  );
  const start = unprivilegedPortStart();
  if (cause?.code === 'EACCES' && port.hostPort < start) return privilegedPort(port, start);
  const why = (cause?.code && BIND_ERRORS[cause.code]) ?? cause?.message ?? refused;
  return new TsboxError('PORT', `port ${hostSide(port)} cannot be published: ${why}`, {
    cause,
    hint:
      cause?.code === 'EADDRINUSE'
        ? `see who has it: ss -ln${port.protocol === 'tcp' ? 't' : 'u'}p sport = :${port.hostPort}`
        : `choose another port: -p HOSTPORT:${port.containerPort}`,
  });
}

const BIND_ERRORS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'address already in use',
  EADDRNOTAVAIL: 'this machine does not have that address',
  EACCES: 'permission denied',
};
