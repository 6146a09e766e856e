/**
 * A cgroup driver puts a container in a control group of its own. It finds or asks for a directory of the cgroup v2 file system in which
 * this user may make groups; what is then written into the group (limits.ts, tree.ts) is the same for all. A limit that cannot
 * be enforced is an error that says how to enable it; it is never ignored in silence.
 *
 * Paths are absolute directories of the cgroup v2 file system.
 */
export interface CgroupDriver {
  readonly name: CgroupDriverName;
  /** `place` waits for another process: it is worth beginning before there is nothing else left to do. */
  readonly waits: boolean;

  /** Can it work for this user? Looks only; does not throw for a "no". */
  probe(facts: CgroupFacts): CgroupProbe;

  /**
   * A directory in which the container's group can be made, controllers enabled for its children, and from which `helper` may
   * clone into them. Throws TsboxError HOST. Undefined: there is none.
   */
  place(request: PlaceRequest): Promise<Place | undefined>;

  /**
   * Makes sure that `helper` may clone a process into a group which `place` gave earlier (`exec`). Throws TsboxError HOST.
   */
  admit(group: { readonly path: string; readonly unit?: string }, helper: number): Promise<void>;
}

export type CgroupDriverName = 'none' | 'cgroupfs' | 'systemd';

export type Controller = 'cpu' | 'cpuset' | 'io' | 'memory' | 'pids';

export interface CgroupProbe {
  readonly ok: boolean;
  /** Controllers whose limits it can set. */
  readonly controllers: readonly string[];
  /** The directory that is delegated: what an administrator would look at. */
  readonly delegation?: string;
  /** Why not, as a clause that fits after "cgroupfs: ". */
  readonly reason?: string;
}

export interface PlaceRequest {
  readonly facts: CgroupFacts;
  readonly containerId: string;
  /** `--cgroup-parent`: a slice (systemd), a path below the delegated directory (cgroupfs). */
  readonly parent?: string;
  /** The process that will clone the container's first one. It waits for its request. */
  readonly helper: number;
}

export interface Place {
  /** The group that is to be made. */
  readonly path: string;
  /** systemd's unit. */
  readonly unit?: string;
}

/** What this machine and login give; found by looking, see detect.ts. */
export interface CgroupFacts {
  /** `v2`: the unified hierarchy. `hybrid`: v1 controllers beside a v2 tree that has none. */
  readonly layout: 'v2' | 'hybrid' | 'v1' | 'none';
  /** Where the v2 tree is mounted. */
  readonly mount: string | undefined;
  /** The v2 directory of this process. */
  readonly own: string | undefined;
  /** Controllers that are enabled there. */
  readonly controllers: readonly string[];
  /** The user may make groups there and move processes into them. */
  readonly delegated: boolean;
  /** The bus socket of the user's own systemd (root: of the system's), which can delegate a scope. */
  readonly userBus: string | undefined;
  /** systemd runs this machine. */
  readonly systemd: boolean;
}

/**
 * What a container may use, in docker's words and units: the numbers of its `HostConfig`. Absent: no limit. Bytes; -1 of
 * memorySwap and pidsLimit: without a limit, said explicitly.
 */
export interface Resources {
  readonly memory?: number;
  readonly memoryReservation?: number;
  /** Memory and swap together, as docker counts; default: twice `memory`. */
  readonly memorySwap?: number;
  /** Billionths of a processor. */
  readonly nanoCpus?: number;
  /** Microseconds. */
  readonly cpuPeriod?: number;
  readonly cpuQuota?: number;
  readonly cpuShares?: number;
  /** 1 to 10000, the kernel's own measure; 100 is everybody's. */
  readonly cpuWeight?: number;
  readonly cpusetCpus?: string;
  readonly cpusetMems?: string;
  readonly pidsLimit?: number;
  /** 10 to 1000. */
  readonly blkioWeight?: number;
  readonly devices?: readonly DeviceLimit[];
}

export interface DeviceLimit {
  readonly flag: DeviceFlag;
  /** A block device's node. */
  readonly path: string;
  /** Bytes or operations a second; of a weight 10 to 1000. */
  readonly value: number;
}

export type DeviceFlag =
  | '--device-read-bps'
  | '--device-write-bps'
  | '--device-read-iops'
  | '--device-write-iops'
  | '--blkio-weight-device';

/** One line for one file of a group. */
export interface Setting {
  readonly flag: string;
  readonly controller: Controller;
  readonly file: string;
  readonly value: string;
  /** It follows from another flag: where the kernel has no such file there is nothing to limit. */
  readonly implied?: boolean;
}

/** What became of a limit, for `inspect`. */
export interface LimitOutcome {
  readonly flag: string;
  readonly status: 'applied' | 'approximated' | 'refused';
  readonly detail: string;
}
