import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { environment, ourUid } from '../host/paths.ts';
import { cgroupLayout, mayWrite } from '../host/probe.ts';
import type { CgroupFacts } from './driver.ts';

/** Looks at where this process is and what it may do there. Reads only. */
export function cgroupFacts(): CgroupFacts {
  const mountinfo = read('/proc/self/mountinfo');
  const own = ownGroup(read('/proc/self/cgroup'), mountinfo);
  return {
    layout: cgroupLayout(mountinfo),
    mount: mountOf(mountinfo)?.point,
    own,
    controllers: own === undefined ? [] : words(read(join(own, 'cgroup.controllers'))),
    delegated: own !== undefined && mayWrite(own) && mayWrite(join(own, 'cgroup.procs')),
    userBus: userBus(),
    systemd: existsSync('/run/systemd/system'),
  };
}

/**
 * The v2 directory of a process: its path (cgroup(7), the line `0::PATH`) below the mount that shows it. The mount may show a
 * part of the tree only, which its root field says; a path outside of that part is not reachable.
 */
export function ownGroup(cgroup: string, mountinfo: string): string | undefined {
  const path = /^0::(\/.*)$/m.exec(cgroup)?.[1];
  const { root, point } = mountOf(mountinfo) ?? {};
  if (path === undefined || root === undefined || point === undefined || path.startsWith('/..'))
    return undefined;
  if (path === root) return point;
  const above = root === '/' ? '' : root;
  return path.startsWith(`${above}/`) ? point + path.slice(above.length) : undefined;
}

/** proc_pid_mountinfo(5): the root within the tree, and where it is mounted. */
function mountOf(mountinfo: string): { root: string; point: string } | undefined {
  const mount = mountinfo
    .split('\n')
    .map(line => /^\d+ \d+ \S+ (\S+) (\S+) .* - cgroup2 /.exec(line))
    .find(Boolean);
  const [, root, point] = mount ?? [];
  return root === undefined || point === undefined ? undefined : { root, point };
}

/**
 * Root's manager is the system's. A process outside of any session (cron, some ssh logins) has no variable for the bus although the
 * user's manager may run; without a bus, the manager listens at a socket of its own, too.
 */
function userBus(): string | undefined {
  const uid = ourUid();
  if (uid === 0) return existing('/run/systemd/system') && existing('/run/dbus/system_bus_socket');
  const directories = [environment('XDG_RUNTIME_DIR'), `/run/user/${uid}`];
  for (const directory of directories.filter(each => each !== undefined)) {
    if (!existsSync(join(directory, 'systemd'))) continue;
    const found = existing(join(directory, 'systemd/private')) ?? existing(join(directory, 'bus'));
    if (found !== undefined) return found;
  }
  return undefined;
}

const existing = (path: string): string | undefined => (existsSync(path) ? path : undefined);

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

const words = (text: string): string[] => text.split(/\s+/).filter(word => word !== '');

/** Why no driver can work, where it is the layout. */
export function layoutReason(layout: CgroupFacts['layout']): string {
  switch (layout) {
    case 'hybrid':
      return 'the controllers of this machine are in cgroup v1 (hybrid), where nothing can be delegated to a user';
    case 'v1':
      return 'this machine has cgroup v1 alone, where nothing can be delegated to a user';
    default:
      return 'no cgroup file system is mounted';
  }
}
