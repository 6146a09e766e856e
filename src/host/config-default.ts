/** `config.toml` with every default filled in. Keys are written in snake case there: `images.keep_blobs`. */
export interface Config {
  readonly root?: string;
  readonly runtimeDir?: string;
  /** Default `auto`. */
  readonly storage: { readonly driver: 'auto' | 'overlay' | 'fuse-overlayfs' | 'vfs' };
  /** A driver with its options as `--network` takes them, or `auto` (default). */
  readonly network: {
    readonly driver: string;
    /** Where `-p` without an address listens. Absent (default): everywhere, as docker. */
    readonly publishAddress?: string;
  };
  /** Default `auto`: systemd, cgroupfs, none, the first that works. */
  readonly cgroup: { readonly driver: 'auto' | 'systemd' | 'cgroupfs' | 'none' };
  /** False: a pulled blob is dropped once it is unpacked. Default true. */
  readonly images: {
    readonly keepBlobs: boolean;
    /** Nothing comes in that no key of the signature policy has verified: as `--require-signature` for every pull. Default false. */
    readonly requireSignature: boolean;
  };
  readonly registries: {
    /** Registry host to the URLs (or `host[:port]`) tried before it, in order. */
    readonly mirrors: Readonly<Record<string, readonly string[]>>;
    /** `host[:port]` that may be spoken to over plain HTTP or with an unknown certificate. */
    readonly insecure: readonly string[];
    readonly blocked: readonly string[];
    /** Short name (`fedora`) to the repository it means. */
    readonly aliases: Readonly<Record<string, string>>;
    /** Bytes of one request of a push. Absent (default): a blob is one request. */
    readonly chunkSize?: number;
  };
  /** A layer that unpacks to more than this many times its compressed size is refused. Default 200. */
  readonly layer: { readonly maxRatio: number };
  readonly userns: {
    readonly mode: 'auto' | 'ranges' | 'single' | 'keep-id';
    /** Whose subordinate ids tsbox takes when root starts it. Default: root's. */
    readonly rootUser?: string;
  };
}

export function defaultConfig(): Config {
  return {
    storage: { driver: 'auto' },
    network: { driver: 'auto' },
    cgroup: { driver: 'auto' },
    images: { keepBlobs: true, requireSignature: false },
    registries: { mirrors: {}, insecure: [], blocked: [], aliases: {} },
    layer: { maxRatio: 200 },
    userns: { mode: 'auto' },
  };
}
