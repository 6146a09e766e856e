import type { HostCheck } from '../errors.ts';
import type { Op, Service } from '../plan/ops.ts';
import type { Endpoint } from './networks.ts';

/**
 * A network driver says which network namespace a container gets, what runs beside it, and how ports reach it. It only
 * decides; operations and services are performed by the helper. A driver's services die with the container.
 */
export interface NetworkDriver {
  readonly name: NetworkDriverName;

  /** Does this machine have what the driver needs (program, version, /dev/net/tun)? Does not throw for a "no". */
  probe(): Promise<NetworkProbe>;

  /** Pure. Throws TsboxError PORT or USAGE for a request that it cannot serve. */
  setup(request: NetworkRequest): NetworkSetup;

  /**
   * Publishes ports once the driver's services are ready and before the command starts. Rejects with TsboxError PORT
   * that names the port and why; the caller then ends the container. Resolves with what is published: every address and port
   * as it is. Absent where ports mean nothing.
   */
  publish?(request: NetworkRequest, ready: ReadyTexts): Promise<readonly PortMapping[]>;
}

/** What each service of the driver said when it was ready, by its name. */
export type ReadyTexts = ReadonlyMap<string, string>;

export type NetworkDriverName = 'none' | 'host' | 'slirp4netns' | 'pasta' | 'container' | 'bridge';

export interface NetworkProbe {
  readonly ok: boolean;
  readonly reason?: string;
  readonly hint?: string;
  /** The finding of `tsbox doctor` that explains it. */
  readonly check?: HostCheck;
  /** It would work, but should not be trusted: the driver's option `force` takes it all the same. */
  readonly risky?: boolean;
}

export interface PortMapping {
  /** Address to listen on; '' (the user gave none): every IPv4 and IPv6 address of the machine, as docker does. */
  readonly hostIp: string;
  /** 0: any free one, chosen by the kernel at each start. */
  readonly hostPort: number;
  /** With it any free one from `hostPort` to this. */
  readonly hostPortEnd?: number;
  readonly containerPort: number;
  readonly protocol: 'tcp' | 'udp';
  /** Each connection begins with a PROXY protocol header that names the client. TCP by `builtin` only. */
  readonly proxy?: 'v2';
}

export interface NetworkRequest {
  readonly containerId: string;
  /** A private (0700) directory of this container for sockets, absolute. */
  readonly runtimeDir: string;
  readonly ports: readonly PortMapping[];
  /** `key=value` options after the driver's name: `slirp4netns:mtu=1500`. */
  readonly options: Readonly<Record<string, string>>;
  /** Only for `bridge`: what the container has in its networks. */
  readonly endpoints?: readonly Endpoint[];
}

export interface NetworkSetup {
  /** `new`: CLONE_NEWNET. `host`: the host's own. */
  readonly netns: 'new' | 'host';
  /** Walked by init inside the new namespaces (loopback up …). */
  readonly ops: readonly Op[];
  readonly services: readonly Service[];
  /** Addresses for resolv.conf; undefined: the host's; empty: none. */
  readonly nameservers?: readonly string[];
  /** They know names without a dot, and ask --dns themselves. */
  readonly resolver?: boolean;
  /** The container's own address for /etc/hosts, if it has one. */
  readonly address?: string;
  /** All of them, where there are several. */
  readonly addresses?: readonly string[];
  /** What will not work as a docker user expects, one line each; to be shown before the start. */
  readonly warnings?: readonly string[];
}
