import type { Filters } from './types.ts';

/** docker's `network create`. */
export interface NetworkCreateOptions {
  /** `bridge` (default); the others need real root. */
  driver?: string;
  /** `172.20.0.0/16`; at most one of each family. Default: a free one. */
  subnets?: readonly string[];
  gateways?: readonly string[];
  /** Where addresses are given out from. */
  ipRanges?: readonly string[];
  /** `name=address`: given to no container. */
  auxAddresses?: Readonly<Record<string, string>>;
  /** No way out. */
  internal?: boolean;
  /** Also a subnet of IPv6: a unique local one if none is given. */
  ipv6?: boolean;
  labels?: Readonly<Record<string, string>>;
  /** `mtu` or docker's `com.docker.network.driver.mtu`. */
  options?: Readonly<Record<string, string>>;
}

export interface NetworkConnectOptions {
  aliases?: readonly string[];
  ip?: string;
  ip6?: string;
  linkLocalIps?: readonly string[];
  macAddress?: string;
}

export interface NetworkSummary {
  readonly id: string;
  readonly name: string;
  /** `bridge`, `host`, `null`, `slirp4netns`. */
  readonly driver: string;
  /** RFC 3339. */
  readonly created: string;
  readonly internal: boolean;
  readonly ipv6: boolean;
  readonly labels: Readonly<Record<string, string>>;
  /** One of those that are always there. */
  readonly builtin: boolean;
}

export interface NetworkListOptions {
  /** `driver`, `id`, `name`, `label`, `type` (custom, builtin), `scope`, `dangling`. */
  filters?: Filters;
}
