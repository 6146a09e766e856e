import type { ResourceOptions } from '../index.ts';
import { bytes, defined, given, integer } from './values.ts';

/** The flags that `run`, `create` and `update` share, as they were typed. */
export interface ResourceFlags {
  readonly memory: string | undefined;
  readonly memoryReservation: string | undefined;
  readonly memorySwap: string | undefined;
  readonly cpus: string | undefined;
  readonly cpuPeriod: string | undefined;
  readonly cpuQuota: string | undefined;
  readonly cpuShares: string | undefined;
  readonly cpuWeight: string | undefined;
  readonly cpusetCpus: string | undefined;
  readonly cpusetMems: string | undefined;
  readonly pidsLimit: string | undefined;
  readonly blkioWeight: string | undefined;
}

/** What only `run` and `create` have. */
export interface MoreResourceFlags {
  readonly memorySwappiness: string | undefined;
  readonly oomKillDisable: boolean;
  readonly blkioWeightDevice: readonly string[];
  readonly deviceReadBps: readonly string[];
  readonly deviceWriteBps: readonly string[];
  readonly deviceReadIops: readonly string[];
  readonly deviceWriteIops: readonly string[];
}

/** Undefined: none was given. Throws USAGE. */
export function resourceOptions(
  flags: ResourceFlags,
  more: Partial<MoreResourceFlags> = {},
): ResourceOptions | undefined {
  const options = defined<ResourceOptions>({
    memory: bytes('--memory', flags.memory),
    memoryReservation: bytes('--memory-reservation', flags.memoryReservation),
    memorySwap: flags.memorySwap === '-1' ? -1 : bytes('--memory-swap', flags.memorySwap),
    memorySwappiness: integer('--memory-swappiness', more.memorySwappiness),
    oomKillDisable: more.oomKillDisable || undefined,
    cpus: flags.cpus,
    cpuPeriod: integer('--cpu-period', flags.cpuPeriod),
    cpuQuota: integer('--cpu-quota', flags.cpuQuota),
    cpuShares: integer('--cpu-shares', flags.cpuShares),
    cpuWeight: integer('--cpu-weight', flags.cpuWeight),
    cpusetCpus: flags.cpusetCpus,
    cpusetMems: flags.cpusetMems,
    pidsLimit: integer('--pids-limit', flags.pidsLimit),
    blkioWeight: integer('--blkio-weight', flags.blkioWeight),
    blkioWeightDevice: given(more.blkioWeightDevice ?? []),
    deviceReadBps: given(more.deviceReadBps ?? []),
    deviceWriteBps: given(more.deviceWriteBps ?? []),
    deviceReadIops: given(more.deviceReadIops ?? []),
    deviceWriteIops: given(more.deviceWriteIops ?? []),
  });
  return Object.keys(options).length > 0 ? options : undefined;
}
