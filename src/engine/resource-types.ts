/** docker's limits. Bytes, microseconds; absent: as it is, or none. */
export interface ResourceOptions {
  /** At least 6 MiB; 0: none. */
  memory?: number;
  memoryReservation?: number;
  /** Memory and swap together; -1: no limit. Default: twice `memory`. */
  memorySwap?: number;
  /** Refused: the second version of cgroups does not have it. */
  memorySwappiness?: number;
  /** Refused: the second version of cgroups does not have it. */
  oomKillDisable?: boolean;
  /** Processors: `1.5`. */
  cpus?: string;
  cpuPeriod?: number;
  cpuQuota?: number;
  cpuShares?: number;
  /** The kernel's own measure, 1 to 10000. */
  cpuWeight?: number;
  /** `0-2,4`. */
  cpusetCpus?: string;
  cpusetMems?: string;
  /** -1: no limit. */
  pidsLimit?: number;
  blkioWeight?: number;
  /** `/dev/sda:500`. */
  blkioWeightDevice?: readonly string[];
  /** `/dev/sda:10mb`. */
  deviceReadBps?: readonly string[];
  deviceWriteBps?: readonly string[];
  deviceReadIops?: readonly string[];
  deviceWriteIops?: readonly string[];
}

/** Of `Tsbox.cgroup`. */
export interface CgroupInfo {
  readonly driver: 'systemd' | 'cgroupfs' | 'none';
  /** `2`, or `1` where the controllers are in the first version (hybrid, too). */
  readonly version: string;
  /** The directory that is delegated to this user; empty: none. */
  readonly path: string;
  readonly controllers: readonly string[];
}
