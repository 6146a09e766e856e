/** docker's limits. Bytes, microseconds; absent: as it is, or none. */
export interface ResourceOptions {
  /** At least 6 MiB; 0: none. */
  memory?: number;
  /** Bytes that it keeps when others need memory. Default: none. */
  memoryReservation?: number;
  /** Memory and swap together; -1: no limit. Default: twice `memory`. */
  memorySwap?: number;
  /** Refused: the second version of cgroups does not have it. */
  memorySwappiness?: number;
  /** Refused: the second version of cgroups does not have it. */
  oomKillDisable?: boolean;
  /** Processors: `1.5`. */
  cpus?: string;
  /** Microseconds, 1000 to 1000000. Default: 100000. */
  cpuPeriod?: number;
  /** Microseconds of each period. Default: no limit. Throws USAGE beside `cpus`. */
  cpuQuota?: number;
  /** 2 to 262144; default 1024. Its part when all want to run. */
  cpuShares?: number;
  /** The kernel's own measure, 1 to 10000. */
  cpuWeight?: number;
  /** `0-2,4`. */
  cpusetCpus?: string;
  /** Memory nodes: `0-1`. Default: all. */
  cpusetMems?: string;
  /** -1: no limit. */
  pidsLimit?: number;
  /** 10 to 1000, its part of the disks. Default: 500. */
  blkioWeight?: number;
  /** `/dev/sda:500`. */
  blkioWeightDevice?: readonly string[];
  /** `/dev/sda:10mb`. */
  deviceReadBps?: readonly string[];
  /** `/dev/sda:10mb`, bytes a second. */
  deviceWriteBps?: readonly string[];
  /** `/dev/sda:100`, operations a second. */
  deviceReadIops?: readonly string[];
  /** `/dev/sda:100`, operations a second. */
  deviceWriteIops?: readonly string[];
}

/** Of `Tsbox.cgroup`. */
export interface CgroupInfo {
  /** Who makes the groups: the user's systemd, tsbox itself, or nobody. */
  readonly driver: 'systemd' | 'cgroupfs' | 'none';
  /** `2`, or `1` where the controllers are in the first version (hybrid, too). */
  readonly version: string;
  /** The directory that is delegated to this user; empty: none. */
  readonly path: string;
  /** Those that are delegated: `cpu`, `memory`, `pids` … */
  readonly controllers: readonly string[];
}
