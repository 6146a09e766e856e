import type { ListenFields, Service } from '../plan/ops.ts';
import { ops } from '../plan/ops.ts';
import type { NetworkRequest, PortMapping, ReadyTexts } from './driver.ts';

/**
 * `builtin`: the forwarder of the helper (docs/helper-protocol.md, Published ports), a service of every driver that gives a container
 * an address of its own. A container without ports has none.
 */
export const FORWARD_SERVICE = 'ports';

/** In the container's runtime directory: how ports come and go while it runs. */
export const forwardSocket = (runtimeDir: string): string => `${runtimeDir}/ports.sock`;

export function forwardServices(request: NetworkRequest): Service[] {
  if (request.ports.length === 0) return [];
  return [
    {
      name: FORWARD_SERVICE,
      ready: true,
      fuse: false,
      ops: [
        ...request.ports.flatMap(listens).map(l => ops.listen(l, `published for port ${l.inside} inside`)),
        ops.forward(
          forwardSocket(request.runtimeDir),
          "connects to the container's own address: never from 127.0.0.1",
        ),
      ],
    },
  ];
}

/** The sockets of a mapping: one, or for all addresses an IPv4 one and an IPv6 one with the same port where there is IPv6. */
export function listens(port: PortMapping): ListenFields[] {
  const { protocol, containerPort: inside, hostPort: first, hostPortEnd: last = first } = port;
  const common = { protocol, first, last, inside };
  const proxy = port.proxy ? 'p' : '';
  if (port.hostIp !== '') return [{ ...common, ip: port.hostIp, flags: proxy || '-' }];
  return [
    { ...common, ip: '0.0.0.0', flags: proxy || '-' },
    { ...common, ip: '::', flags: `${proxy}s6` },
  ];
}

/** What the forwarder said when it was ready, as mappings with their real addresses and ports, in the order of the request. */
export async function servedByForwarder(
  request: Pick<NetworkRequest, 'ports'>,
  ready: ReadyTexts,
): Promise<readonly PortMapping[]> {
  return request.ports.length === 0 ? [] : parseServed(ready.get(FORWARD_SERVICE) ?? '').reverse();
}

/** Lines `PROTOCOL IP PORT INSIDE FLAGS`, the newest first. */
export function parseServed(text: string): PortMapping[] {
  return text.split('\n').flatMap(line => {
    const [protocol = '', hostIp = '', outside = '', inside = '', flags = ''] = line.split(' ');
    if (flags === '' || (protocol !== 'tcp' && protocol !== 'udp')) return [];
    const port = { hostIp, hostPort: Number(outside), containerPort: Number(inside), protocol } as const;
    return [flags.includes('p') ? { ...port, proxy: 'v2' as const } : port];
  });
}
