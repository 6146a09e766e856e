import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** One process as proc_pid_stat(5) shows it. */
export interface ProcessInfo {
  readonly pid: number;
  readonly parent: number;
  readonly state: string;
  /** Clock ticks since boot. */
  readonly start: number;
  /** User and system time in clock ticks. */
  readonly ticks: number;
  /** Terminal, as a device number; 0: none. */
  readonly tty: number;
  readonly threads: number;
}

/** Undefined when there is no such process. */
export function processInfo(pid: number): ProcessInfo | undefined {
  const stat = read(`/proc/${pid}/stat`);
  if (stat === undefined) return undefined;
  // The name in the second field may itself hold spaces and `)`: fields are counted from its last one.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const number = (index: number): number => Number(fields[index]);
  return {
    pid,
    state: fields[0] ?? '',
    parent: number(1),
    tty: number(4),
    ticks: number(11) + number(12),
    threads: number(17),
    start: number(19),
  };
}

/**
 * Every process in the pid namespace of `first`, and in namespaces below it (pid_namespaces(7)): parents before their
 * children, `first` itself included. A descendant counts wherever it is; a process that joined from outside (`exec`) is
 * told by its namespace.
 */
export function processesOf(first: number): ProcessInfo[] {
  const namespace = link(first);
  const all = allProcesses();
  const members = new Map<number, boolean>();
  const isMember = (pid: number): boolean => {
    const known = members.get(pid);
    if (known !== undefined) return known;
    members.set(pid, false); // no loop, should a pid be reused while we look
    const info = all.get(pid);
    const inside =
      pid === first || (info !== undefined && (namespace === undefined ? false : link(pid) === namespace));
    const found = inside || (info !== undefined && info.parent > 0 && isMember(info.parent));
    members.set(pid, found);
    return found;
  };
  const found = [...all.values()].filter(info => isMember(info.pid));
  return found.sort((a, b) => a.start - b.start || a.pid - b.pid);
}

function allProcesses(): Map<number, ProcessInfo> {
  const all = new Map<number, ProcessInfo>();
  for (const name of readdirSync('/proc')) {
    const info = /^\d+$/.test(name) ? processInfo(Number(name)) : undefined;
    if (info) all.set(info.pid, info);
  }
  return all;
}

function link(pid: number): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/ns/pid`);
  } catch {
    return undefined;
  }
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
