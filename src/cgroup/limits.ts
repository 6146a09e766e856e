import { ioWeight, weightOfShares } from './convert.ts';
import type { Controller, DeviceFlag, DeviceLimit, Resources, Setting } from './driver.ts';

/** Resources → lines for files of a group (the kernel's admin-guide/cgroup-v2). Pure: `numberOf` knows a device node's `major:minor`. */
export function settings(
  resources: Resources,
  numberOf: (path: string) => string = () => '0:0',
): readonly Setting[] {
  return [
    ...memorySettings(resources),
    ...cpuSettings(resources),
    ...plain('--cpuset-cpus', 'cpuset', 'cpuset.cpus', resources.cpusetCpus),
    ...plain('--cpuset-mems', 'cpuset', 'cpuset.mems', resources.cpusetMems),
    ...plain('--pids-limit', 'pids', 'pids.max', unlimited(resources.pidsLimit)),
    ...plain('--blkio-weight', 'io', 'io.weight', whenSet(resources.blkioWeight, ioWeight)),
    ...(resources.devices ?? []).map(limit => deviceSetting(limit, numberOf(limit.path))),
  ];
}

function memorySettings(r: Resources): Setting[] {
  return [
    ...plain('--memory', 'memory', 'memory.max', r.memory),
    ...plain('--memory-reservation', 'memory', 'memory.low', r.memoryReservation),
    ...swapSetting(r),
  ];
}

/** v2 counts swap alone, docker memory and swap together. A limit of memory without a word on swap allows as much swap again. */
function swapSetting({ memory, memorySwap }: Resources): Setting[] {
  const at = { controller: 'memory', file: 'memory.swap.max' } as const;
  if (memorySwap === -1) return [{ ...at, flag: '--memory-swap', value: 'max' }];
  if (memory === undefined || memory <= 0) return [];
  if (memorySwap === undefined || memorySwap === 0)
    return [{ ...at, flag: '--memory', value: String(memory), implied: true }];
  return [{ ...at, flag: '--memory-swap', value: String(memorySwap - memory) }];
}

/** The kernel's default period, microseconds. */
const PERIOD = 100_000;

function cpuSettings(r: Resources): Setting[] {
  return [
    ...plain('--cpus', 'cpu', 'cpu.max', whenSet(r.nanoCpus, cpusMax)),
    ...quotaSetting(r),
    ...plain('--cpu-shares', 'cpu', 'cpu.weight', whenSet(r.cpuShares, weightOfShares)),
    ...plain('--cpu-weight', 'cpu', 'cpu.weight', r.cpuWeight),
  ];
}

const cpusMax = (nano: number): string => `${Math.round((nano * PERIOD) / 1e9)} ${PERIOD}`;

function quotaSetting({ cpuQuota, cpuPeriod }: Resources): Setting[] {
  if (!cpuQuota && !cpuPeriod) return [];
  const quota = !cpuQuota || cpuQuota < 0 ? 'max' : String(cpuQuota);
  const flag = cpuQuota ? '--cpu-quota' : '--cpu-period';
  return plain(flag, 'cpu', 'cpu.max', `${quota} ${cpuPeriod || PERIOD}`);
}

const DEVICE_KEYS: Readonly<Record<Exclude<DeviceFlag, '--blkio-weight-device'>, string>> = {
  '--device-read-bps': 'rbps',
  '--device-write-bps': 'wbps',
  '--device-read-iops': 'riops',
  '--device-write-iops': 'wiops',
};

function deviceSetting({ flag, value }: DeviceLimit, number: string): Setting {
  if (flag === '--blkio-weight-device')
    return { flag, controller: 'io', file: 'io.weight', value: `${number} ${ioWeight(value)}` };
  return {
    flag,
    controller: 'io',
    file: 'io.max',
    value: `${number} ${DEVICE_KEYS[flag]}=${value || 'max'}`,
  };
}

function plain(
  flag: string,
  controller: Controller,
  file: string,
  value: number | string | undefined,
): Setting[] {
  return value === undefined || value === 0 || value === ''
    ? []
    : [{ flag, controller, file, value: String(value) }];
}

const whenSet = <T>(value: number | undefined, convert: (value: number) => T): T | undefined =>
  value ? convert(value) : undefined;

/** docker: 0 and -1 are no limit; -1 takes one away. */
const unlimited = (value: number | undefined): number | 'max' | undefined =>
  value !== undefined && value < 0 ? 'max' : value;
