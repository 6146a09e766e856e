import type { HostCheck } from '../errors.ts';
import type { Op, Service } from '../plan/ops.ts';

/**
 * A storage driver turns a stack of unpacked layers and a writable directory into a root file system. It only decides:
 * everything it wants done is in the operations it returns, walked in the container's own mount namespace, so that
 * nothing stays mounted when the container is gone.
 *
 * All paths are relative to the store's root (the helper's working directory) unless they begin with `/`.
 */
export interface StorageDriver {
  readonly name: StorageDriverName;

  /**
   * Can it work here, for this store and this kind of user namespace? The answer comes from a real mount in a real
   * namespace (cached per boot, kernel, store path and map mode), never from a version number alone. Does not throw
   * for a "no".
   */
  probe(host: StorageHost): Promise<StorageProbe>;

  /**
   * Makes what a container needs on disk before its first start, inside `containers/<id>/`, which exists. Idempotent:
   * `start` calls it again. On failure the caller removes the container's whole directory. `host` is used by drivers whose
   * preparation needs the mapped ids (`vfs` copies files that belong to them).
   */
  prepare(request: RootfsRequest, host: StorageHost): Promise<void>;

  /**
   * How init mounts it. Writes nothing (`host` looks up where the covered paths lead). The last operation leaves the root file
   * system mounted at `Rootfs.path` and declared as `root`.
   */
  rootfs(request: RootfsRequest): Rootfs;
}

export type StorageDriverName = 'overlay' | 'fuse-overlayfs' | 'vfs' | 'host';

export interface StorageProbe {
  readonly ok: boolean;
  /** Why not, as a clause that fits after "overlay: ". */
  readonly reason?: string;
  /** What the user or the administrator can do about it. */
  readonly hint?: string;
  /** The finding of `tsbox doctor` that explains it. */
  readonly check?: HostCheck;
}

/** What a driver may know of the machine; filled by the engine. */
export interface StorageHost {
  /** Absolute path of the store. */
  readonly root: string;
  /** The kind of user namespace; a probe's answer holds for one kind. */
  readonly mode: 'ranges' | 'single' | 'keep-id' | 'root';
  /** Runs a plan in a user + mount namespace as a container would have; rejects with the failing operation. */
  walk(ops: readonly Op[]): Promise<void>;
}

export interface RootfsRequest {
  /** Absolute path of the store. */
  readonly root: string;
  readonly containerId: string;
  /** Diff ids (`sha256:…`), the base first. Empty for `host`. */
  readonly layers: readonly string[];
  /** The ids that the image's files have, where the container's map differs from it (keep-id): fuse-overlayfs maps them. */
  readonly idmap?: { readonly uid: string; readonly gid: string };
  /**
   * What is written need not survive a crash of the machine, since the container goes with its end: no write to the disk is waited
   * for. Mounted so, its changes can be mounted again only after `prepare`.
   */
  readonly volatile?: boolean;
  /** Host paths that the `host` driver must cover: home, the store, … */
  readonly cover?: readonly string[];
}

export interface Rootfs {
  /** Where it ends up, e.g. `containers/<id>/merged`. */
  readonly path: string;
  readonly ops: readonly Op[];
  readonly services: readonly Service[];
  /** The directory that holds what the container changed, for diff and commit; relative to the store. */
  readonly upper: string;
  /** Lower directories, the top one first, for diff of `vfs`. */
  readonly lower: readonly string[];
  /** Absolute paths of the machine that the container finds empty; absent: none. */
  readonly hidden?: readonly string[];
}
