import { accessSync, constants, readFileSync, statfsSync } from 'node:fs';
import { release } from 'node:os';

/** Facts of this machine, each read when it is asked for. */

let boot: string | undefined;

/** Identifies this boot: with it, a pid and a start time name one process for ever. */
export function bootId(): string {
  boot ??= readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  return boot;
}

/** Clock ticks after boot at which a process started (proc(5), stat field 22); undefined when there is no such process. */
export function processStart(pid: number): number | undefined {
  const stat = readMaybe(`/proc/${pid}/stat`);
  return stat === undefined ? undefined : parseStat(stat).start;
}

/** Is it the process that started at `start`, and not yet a zombie? A reused pid is a "no". */
export function isAlive(pid: number, start: number): boolean {
  if (!Number.isSafeInteger(pid) || pid <= 0) return false;
  const stat = readMaybe(`/proc/${pid}/stat`);
  if (stat === undefined) return false;
  const found = parseStat(stat);
  return found.start === start && found.state !== 'Z' && found.state !== 'X';
}

/** The name in the second field may itself hold spaces and `)`: fields are counted from its last one. */
export function parseStat(stat: string): { state: string; start: number } {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return { state: fields[0] ?? '', start: Number(fields[19]) };
}

/** `[6, 1]` for 6.1.0-18-amd64. */
export function kernelVersion(text = release()): [number, number] {
  const [, major, minor] = /^(\d+)\.(\d+)/.exec(text) ?? [];
  return [Number(major ?? 0), Number(minor ?? 0)];
}

export function kernelAtLeast(major: number, minor: number, found = kernelVersion()): boolean {
  return found[0] > major || (found[0] === major && found[1] >= minor);
}

/** As the kernel answers (access(2)): also of read-only mounts, and of a path that is not there. */
export function mayWrite(path: string): boolean {
  try {
    accessSync(path, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/** Settings that close user namespaces to users; undefined: this kernel does not have it. */
export interface UsernsSysctls {
  /** Debian's and Arch's own: 0 closes them. */
  readonly unprivilegedClone: number | undefined;
  /** user.max_user_namespaces: 0 closes them (RHEL 7, hardened hosts). */
  readonly maxNamespaces: number | undefined;
  /** Ubuntu 23.10 and later: 1 takes all capabilities from a namespace unless AppArmor's profile of the program allows it. */
  readonly apparmorRestrict: number | undefined;
}

export function usernsSysctls(): UsernsSysctls {
  return {
    unprivilegedClone: sysctl('kernel/unprivileged_userns_clone'),
    maxNamespaces: sysctl('user/max_user_namespaces'),
    apparmorRestrict: sysctl('kernel/apparmor_restrict_unprivileged_userns'),
  };
}

/** Why a device cannot be opened for reading and writing (an errno name), or undefined when it can. */
export function deviceProblem(path: '/dev/fuse' | '/dev/net/tun'): string | undefined {
  try {
    accessSync(path, constants.R_OK | constants.W_OK);
    return undefined;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? 'EIO';
  }
}

/** statfs(2), CGROUP2_SUPER_MAGIC. */
const CGROUP2 = 0x63677270;

/** Is this a machine whose cgroups can be delegated? One system call, for those to whom a "no" must cost nothing. */
export function isUnified(): boolean {
  try {
    return statfsSync('/sys/fs/cgroup').type === CGROUP2;
  } catch {
    return false;
  }
}

/** `v2`: the unified hierarchy. `hybrid`: v1 controllers with a v2 tree beside them. */
export type CgroupLayout = 'v2' | 'hybrid' | 'v1' | 'none';

export function cgroupLayout(mountinfo = readMaybe('/proc/self/mountinfo') ?? ''): CgroupLayout {
  const types = mountinfo.split('\n').map(line => / - (\S+) /.exec(line)?.[1]);
  const [one, two] = [types.includes('cgroup'), types.includes('cgroup2')];
  if (two) return one ? 'hybrid' : 'v2';
  return one ? 'v1' : 'none';
}

function sysctl(name: string): number | undefined {
  const text = readMaybe(`/proc/sys/${name}`);
  return text === undefined ? undefined : Number(text);
}

function readMaybe(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
