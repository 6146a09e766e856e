/** User-defined networks, as drivers see them. */
export interface Network {
  /** 64 hex digits. */
  readonly id: string;
  readonly name: string;
  /** No way out. */
  readonly internal: boolean;
  /** Bytes. */
  readonly mtu: number;
  /** One per family, IPv4 first. */
  readonly pools: readonly { readonly subnet: string; readonly gateway: string }[];
}

/** What a container has in one of its networks. */
export interface Endpoint {
  readonly network: Network;
  /** `eth0` */
  readonly device: string;
  /** With prefix: `172.18.0.2/16`. */
  readonly addresses: readonly string[];
  readonly gateways: readonly string[];
  readonly mac: string;
  /** Whom the name server asks for this container, if not the machine's; `-`: nobody. */
  readonly servers: readonly string[];
  /** What the name server answers to: container name, aliases, short id, and `NAME.NETWORK` last. */
  readonly names: readonly string[];
}

/** One operation for the holder of the networks, or the head of a list of them (docs/helper-protocol.md, "Networks"). */
export type HolderRecord = readonly string[];
