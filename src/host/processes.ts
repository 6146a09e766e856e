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
  /** A thread of the kernel: it is in no container. */
  readonly kernel: boolean;
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
    kernel: (number(6) & KERNEL_THREAD) !== 0,
    ticks: number(11) + number(12),
    threads: number(17),
    start: number(19),
  };
}

/**
 * Every process in the pid namespace that `first` is the first process of, and in namespaces below it (pid_namespaces(7)): parents
 * before their children, `first` itself included. A descendant counts wherever it is; a process that joined from outside (`exec`)
 * is told by its namespace. Where `first` is only a guest in its namespace (`--pid host`), its descendants alone count.
 */
export const processesOf = (first: number): ProcessInfo[] => processesOfEach([first]).get(first) ?? [];

/** The same for several, with one look at all processes of the machine. */
export function processesOfEach(firsts: readonly number[]): Map<number, ProcessInfo[]> {
  const all = allProcesses();
  const found = new Map<number, ProcessInfo[]>(firsts.map(first => [first, []]));
  const namespaces = namespacesOf(firsts);
  const members = new Map<number, ReadonlySet<number>>();
  const ownersOf = (pid: number): ReadonlySet<number> => {
    const known = members.get(pid);
    if (known !== undefined) return known;
    members.set(pid, NOBODY); // no loop, should a pid be reused while we look
    const info = all.get(pid);
    if (info === undefined) return NOBODY;
    const own = found.has(pid) ? pid : info.kernel ? undefined : namespaces.get(link(pid) ?? '');
    const above = info.parent > 0 ? ownersOf(info.parent) : NOBODY;
    const owners = own === undefined || above.has(own) ? above : new Set([...above, own]);
    members.set(pid, owners);
    return owners;
  };
  for (const info of all.values()) for (const owner of ownersOf(info.pid)) found.get(owner)?.push(info);
  for (const list of found.values()) list.sort((a, b) => a.start - b.start || a.pid - b.pid);
  return found;
}

/** PF_KTHREAD of linux/sched.h. */
const KERNEL_THREAD = 0x20_0000;
const NOBODY: ReadonlySet<number> = new Set();

/** The namespaces whose first process is among them: its number there is 1 (proc_pid_status(5), NSpid). */
function namespacesOf(firsts: readonly number[]): Map<string, number> {
  const found = new Map<string, number>();
  for (const first of firsts) {
    const namespace = link(first);
    const leads = /^NSpid:.*\t1$/m.test(read(`/proc/${first}/status`) ?? '');
    if (namespace !== undefined && leads) found.set(namespace, first);
  }
  return found;
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
