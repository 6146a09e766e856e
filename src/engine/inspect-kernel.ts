import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import type { ContainerState } from '../store/container-record.ts';

/**
 * What the kernel says about a running container, from /proc/PID of its first process: namespaces with their inodes, id
 * maps, cgroup, mounts. All empty when it does not run; single parts are when they may not be read.
 */
export function kernelView(state: ContainerState): Record<string, unknown> {
  const proc = `/proc/${state.pid}`;
  const alive = state.status === 'running' || state.status === 'dead';
  const read = (name: string): string[] => (alive ? linesOf(`${proc}/${name}`) : []);
  return {
    Namespaces: alive ? namespacesOf(`${proc}/ns`) : {},
    UidMap: read('uid_map').map(parseMapLine),
    GidMap: read('gid_map').map(parseMapLine),
    Cgroup: read('cgroup'),
    KernelMounts: read('mountinfo').map(parseMountinfo),
  };
}

/** `{user: 4026532281, …}`. The links of children's namespaces say nothing about the process itself. */
function namespacesOf(directory: string): Record<string, number> {
  const found: Record<string, number> = {};
  try {
    for (const name of readdirSync(directory).filter(n => !n.endsWith('_for_children'))) {
      const inode = /\[(\d+)\]/.exec(readlinkSync(`${directory}/${name}`))?.[1];
      if (inode !== undefined) found[name] = Number(inode);
    }
  } catch {
    // It ended while we looked, or the machine hides it (ptrace_scope, LSM).
  }
  return found;
}

function linesOf(path: string): string[] {
  try {
    return readFileSync(path, 'utf8').split('\n').filter(Boolean);
  } catch {
    return [];
  }
}

/** user_namespaces(7): inside, outside, length. */
export function parseMapLine(line: string): { Inside: number; Outside: number; Count: number } {
  const [inside = 0, outside = 0, count = 0] = line.trim().split(/\s+/).map(Number);
  return { Inside: inside, Outside: outside, Count: count };
}

/** proc_pid_mountinfo(5): root and mount point are fields 4 and 5, type and source follow the lone dash. */
export function parseMountinfo(line: string): Record<string, string> {
  const [before = '', after = ''] = line.split(' - ', 2);
  const [, , , root = '', target = '', options = ''] = before.split(' ').map(unquote);
  const [type = '', source = '', data = ''] = after.split(' ').map(unquote);
  return { Target: target, Type: type, Source: source, Root: root, Options: options, Data: data };
}

/** Blank, tab, newline and backslash are written as three octal digits. */
const unquote = (text: string): string =>
  text.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
