import { statSync } from 'node:fs';
import { cpus } from 'node:os';
import { parseCpuList } from '../cgroup/convert.ts';
import type { DeviceFlag, DeviceLimit, Resources } from '../cgroup/driver.ts';
import { TsboxError } from '../errors.ts';
import { parseSize } from '../util/size.ts';
import type { ResourceOptions } from './types.ts';

const usage = (message: string, hint: string): TsboxError => new TsboxError('USAGE', message, { hint });

/** What docker asks of --memory. */
const LEAST_MEMORY = 6 * 1024 * 1024;

/**
 * docker's flags → Resources; `before`, the container's own until now (`update`), counts where a flag is not given. The rules are docker's
 * (moby, daemon_unix.go: verifyPlatformContainerResources). Throws USAGE, LIMIT for what cgroup v2 does not have.
 */
export function parseResources(options: ResourceOptions, before: Resources = {}): Resources {
  refuseOld(options);
  const merged = { ...before, ...numbersOf(options), ...cpusOf(options, before) };
  const devices = devicesOf(options, before.devices ?? []);
  const resources = { ...merged, ...(devices.length > 0 && { devices }) };
  checkMemory(resources);
  checkCpu(resources);
  checkCpuset('--cpuset-cpus', resources.cpusetCpus);
  checkCpuset('--cpuset-mems', resources.cpusetMems);
  inRange('--blkio-weight', resources.blkioWeight, 10, 1000);
  inRange('--cpu-weight', resources.cpuWeight, 1, 10_000);
  return resources;
}

function refuseOld({ memorySwappiness, oomKillDisable }: ResourceOptions): void {
  const hint = 'leave it out';
  if (memorySwappiness !== undefined && memorySwappiness !== -1)
    throw new TsboxError('LIMIT', '--memory-swappiness: the second version of cgroups does not have it', {
      hint,
    });
  if (oomKillDisable)
    throw new TsboxError('LIMIT', '--oom-kill-disable: the second version of cgroups does not have it', {
      hint: '--oom-score-adj -500 lets others be killed sooner, as far as the kernel lets you',
    });
}

const NUMBERS = [
  'memory',
  'memoryReservation',
  'memorySwap',
  'cpuPeriod',
  'cpuQuota',
  'cpuShares',
  'cpuWeight',
  'cpusetCpus',
  'cpusetMems',
  'pidsLimit',
  'blkioWeight',
] as const;

function numbersOf(options: ResourceOptions): Resources {
  return Object.fromEntries(
    NUMBERS.filter(key => options[key] !== undefined).map(key => [key, options[key]]),
  );
}

/** `1.5`; --cpus and a quota exclude each other, so on `update` the one takes the other's place. */
function cpusOf({ cpus: text, cpuQuota, cpuPeriod }: ResourceOptions, before: Resources): Resources {
  if (text === undefined) {
    const replaced = (cpuQuota ?? cpuPeriod) !== undefined && before.nanoCpus;
    return replaced ? { nanoCpus: 0 } : {};
  }
  if (cpuQuota || cpuPeriod)
    throw usage('--cpus and --cpu-quota or --cpu-period contradict each other', 'leave one of them out');
  if (!/^(\d{1,6}(\.\d{0,9})?|\.\d{1,9})$/.test(text))
    throw usage(`invalid value ${JSON.stringify(text)} for --cpus`, 'it takes a number of processors: 1.5');
  return { nanoCpus: Math.round(Number(text) * 1e9), cpuQuota: 0, cpuPeriod: 0 };
}

function checkMemory({ memory = 0, memoryReservation = 0, memorySwap = 0 }: Resources): void {
  for (const [flag, value] of [
    ['--memory', memory],
    ['--memory-reservation', memoryReservation],
  ] as const)
    if (value !== 0 && value < LEAST_MEMORY)
      throw usage(`${flag} ${value}: the least that is allowed is 6m`, `${flag} 64m`);
  if (memorySwap < -1) throw usage(`--memory-swap ${memorySwap} is less than -1`, '-1: without a limit');
  if (memory === 0 && memorySwap > 0)
    throw usage('--memory-swap without --memory', 'it is memory and swap together: give --memory, too');
  if (memorySwap > 0 && memorySwap < memory)
    throw usage('--memory-swap is less than --memory', 'it is memory and swap together');
  if (memory > 0 && memoryReservation > memory)
    throw usage(
      '--memory-reservation is more than --memory',
      'it is what the container keeps when others need memory',
    );
}

/** Microseconds: the kernel takes 1 ms to 1 s. */
function checkCpu({ nanoCpus = 0, cpuPeriod = 0, cpuQuota = 0, cpuShares = 0, cpuWeight }: Resources): void {
  const most = cpus().length;
  if (nanoCpus > most * 1e9)
    throw usage(`--cpus ${nanoCpus / 1e9}: there are ${most} processors`, `--cpus 0.01 to ${most}`);
  inRange('--cpu-period', cpuPeriod, 1000, 1_000_000);
  if (cpuQuota > 0 && cpuQuota < 1000)
    throw usage(`--cpu-quota ${cpuQuota} is less than 1000`, '1 ms is 1000');
  if (cpuShares < 0) throw usage(`--cpu-shares ${cpuShares} is negative`, '2 to 262144; 1024 is everybody’s');
  if (cpuShares && cpuWeight)
    throw usage('--cpu-shares and --cpu-weight contradict each other', 'they are the same in two measures');
}

function checkCpuset(flag: string, text: string | undefined): void {
  if (text && parseCpuList(text) === undefined)
    throw usage(`invalid value ${JSON.stringify(text)} for ${flag}`, `${flag} 0-2,4`);
}

function inRange(flag: string, value: number | undefined, least: number, most: number): void {
  if (value && (value < least || value > most))
    throw usage(`${flag} ${value} is not ${least} to ${most}`, `${flag} ${least}`);
}

const DEVICES = [
  ['deviceReadBps', '--device-read-bps'],
  ['deviceWriteBps', '--device-write-bps'],
  ['deviceReadIops', '--device-read-iops'],
  ['deviceWriteIops', '--device-write-iops'],
  ['blkioWeightDevice', '--blkio-weight-device'],
] as const;

/** A device that is named again gets the new value. */
function devicesOf(options: ResourceOptions, before: readonly DeviceLimit[]): DeviceLimit[] {
  const added = DEVICES.flatMap(([key, flag]) => (options[key] ?? []).map(text => deviceLimit(flag, text)));
  const replaced = (old: DeviceLimit): boolean => added.some(d => d.flag === old.flag && d.path === old.path);
  return [...before.filter(old => !replaced(old)), ...added];
}

/** `/dev/sda:1mb`. */
function deviceLimit(flag: DeviceFlag, text: string): DeviceLimit {
  const [, path, amount = ''] = /^(\/dev\/[^:]+):(.+)$/.exec(text) ?? [];
  const value = flag.endsWith('bps')
    ? parseSize(amount)
    : /^\d{1,15}$/.test(amount)
      ? Number(amount)
      : undefined;
  if (path === undefined || value === undefined)
    throw usage(
      `invalid value ${JSON.stringify(text)} for ${flag}`,
      `${flag} /dev/sda:${flag.endsWith('bps') ? '10mb' : '500'}`,
    );
  if (flag === '--blkio-weight-device') inRange(flag, value, 10, 1000);
  blockDevice(path, flag);
  return { flag, path, value };
}

/** `major:minor` of a block device's node. Throws USAGE. */
export function blockDevice(path: string, flag: string): string {
  const found = statSync(path, { throwIfNoEntry: false });
  if (!found?.isBlockDevice()) throw usage(`${flag} ${path} is no block device`, 'lsblk lists them');
  const { rdev } = found;
  // makedev(3) of Linux: 12 bits of major and 20 of minor, each in two parts.
  const major = ((rdev >> 8) & 0xfff) | Math.floor(rdev / 2 ** 32);
  const minor = (rdev & 0xff) | ((rdev >> 12) & 0xfff00);
  return `${major}:${minor}`;
}
