import type { Filters } from './types.ts';

/** docker's `network create`. */
export interface NetworkCreateOptions {
  /** `bridge` (default); the others need real root. */
  driver?: string;
  /** `172.20.0.0/16`; at most one of each family. Default: a free one. */
  subnets?: readonly string[];
  /** The network's own address in each subnet. Default: the first of it. */
  gateways?: readonly string[];
  /** Where addresses are given out from. */
  ipRanges?: readonly string[];
  /** `name=address`: given to no container. */
  auxAddresses?: Readonly<Record<string, string>>;
  /** No way out. */
  internal?: boolean;
  /** Also a subnet of IPv6: a unique local one if none is given. */
  ipv6?: boolean;
  /** Default: none. */
  labels?: Readonly<Record<string, string>>;
  /** `mtu` or docker's `com.docker.network.driver.mtu`. */
  options?: Readonly<Record<string, string>>;
}

/** Options of {@link Tsbox.connectNetwork}. */
export interface NetworkConnectOptions {
  /** Further names of the container in the network. */
  aliases?: readonly string[];
  /** IPv4 address of the subnet. Default: a free one. Throws CONFLICT when it is taken. */
  ip?: string;
  /** The same of IPv6. */
  ip6?: string;
  /** Further, link-local addresses. */
  linkLocalIps?: readonly string[];
  /** Hardware address. Default: made from the IPv4 address. */
  macAddress?: string;
}

/** A network, as `network ls` shows it. */
export interface NetworkSummary {
  /** 64 hexadecimal digits. */
  readonly id: string;
  /** Its name. */
  readonly name: string;
  /** `bridge`, `host`, `null`, `slirp4netns`. */
  readonly driver: string;
  /** RFC 3339. */
  readonly created: string;
  /** There is no way out. */
  readonly internal: boolean;
  /** It has a subnet of IPv6. */
  readonly ipv6: boolean;
  /** As it was made with. */
  readonly labels: Readonly<Record<string, string>>;
  /** One of those that are always there. */
  readonly builtin: boolean;
}

/** Options of {@link Tsbox.networks}. */
export interface NetworkListOptions {
  /** `driver`, `id`, `name`, `label`, `type` (custom, builtin), `scope`, `dangling`. */
  filters?: Filters;
}
