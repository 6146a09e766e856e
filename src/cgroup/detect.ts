import { accessSync, constants, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { environment, ourUid } from '../host/paths.ts';
import { cgroupLayout } from '../host/probe.ts';
import type { CgroupFacts } from './driver.ts';

/** Looks at where this process is and what it may do there. Reads only. */
export function cgroupFacts(): CgroupFacts {
  const mountinfo = read('/proc/self/mountinfo');
  const own = ownGroup(read('/proc/self/cgroup'), mountinfo);
  return {
    layout: cgroupLayout(mountinfo),
    own,
    controllers: own === undefined ? [] : words(read(join(own, 'cgroup.controllers'))),
    delegated: own !== undefined && mayWrite(own) && mayWrite(join(own, 'cgroup.procs')),
    userBus: userBus(),
  };
}

/**
 * The v2 directory of a process: its path (cgroup(7), the line `0::PATH`) below the mount that shows it. The mount may show a
 * part of the tree only, which its root field says; a path outside of that part is not reachable.
 */
export function ownGroup(cgroup: string, mountinfo: string): string | undefined {
  const path = /^0::(\/.*)$/m.exec(cgroup)?.[1];
  const mount = mountinfo
    .split('\n')
    .map(line => /^\d+ \d+ \S+ (\S+) (\S+) .* - cgroup2 /.exec(line))
    .find(Boolean);
  const [, root, point] = mount ?? [];
  if (path === undefined || root === undefined || point === undefined || path.startsWith('/../'))
    return undefined;
  if (path === root) return point;
  const above = root === '/' ? '' : root;
  return path.startsWith(`${above}/`) ? point + path.slice(above.length) : undefined;
}

/** A process outside of any session has no variable for it although the manager may run. */
function userBus(): string | undefined {
  const directory = environment('XDG_RUNTIME_DIR') ?? `/run/user/${ourUid()}`;
  const socket = join(directory, 'bus');
  return existsSync(socket) && existsSync(join(directory, 'systemd')) ? socket : undefined;
}

function mayWrite(path: string): boolean {
  try {
    accessSync(path, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

const words = (text: string): string[] => text.split(/\s+/).filter(word => word !== '');
