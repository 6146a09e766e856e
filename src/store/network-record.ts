/** `networks/<name>/network.json`, written once by `network create`. */
export interface NetworkRecord {
  readonly version: 1;
  /** 64 hex digits. */
  readonly id: string;
  readonly name: string;
  /** RFC 3339, UTC. */
  readonly created: string;
  readonly driver: 'bridge';
  /** No way out. */
  readonly internal: boolean;
  readonly labels: Readonly<Record<string, string>>;
  /** docker's --opt, as given. */
  readonly options: Readonly<Record<string, string>>;
  /** Bytes. */
  readonly mtu: number;
  /** One per family, IPv4 first. */
  readonly pools: readonly PoolRecord[];
}

export interface PoolRecord {
  /** `172.18.0.0/16` */
  readonly subnet: string;
  readonly gateway: string;
  /** Where addresses are taken from; absent: the whole subnet. */
  readonly range?: string;
  /** --aux-address: name to an address that nobody gets. */
  readonly reserved?: Readonly<Record<string, string>>;
}

/** What a container asks of a network it belongs to: part of its record. */
export interface EndpointRecord {
  /** The network's name. */
  readonly network: string;
  readonly aliases?: readonly string[];
  readonly ip?: string;
  readonly ip6?: string;
  readonly linkLocal?: readonly string[];
  readonly mac?: string;
}

/** `containers/<id>/networks.json`: what it has in its networks since its last start. */
export interface EndpointState extends EndpointRecord {
  /** The network's id. */
  readonly id: string;
  /** `eth0` */
  readonly device: string;
  /** With prefix: `172.18.0.2/16`. */
  readonly addresses: readonly string[];
  readonly gateways: readonly string[];
  readonly mac: string;
}
