import { totalmem } from 'node:os';
import { type Counters, readCounters } from '../cgroup/counters.ts';
import type { ProcessInfo } from '../host/processes.ts';
import { blockBytes, memoryBytes } from './stats-proc.ts';
import type { ContainerStats } from './types.ts';

/** What a container uses now. */
export interface Use
  extends Pick<
    ContainerStats,
    'memory' | 'memoryLimit' | 'read' | 'written' | 'pids' | 'source' | 'pressure'
  > {
  /** Processor time since its start. */
  readonly microseconds: number;
}

/** Of one that does not run. */
export const NOTHING: Use = {
  microseconds: 0,
  memory: 0,
  memoryLimit: 0,
  read: 0,
  written: 0,
  pids: 0,
  source: 'proc',
};

/** Of proc_pid_stat(5): 100 on every Linux that Node runs on. */
const TICKS = 100;

/** Each number from the group where its controller is enabled, the others from /proc over `processes`, which is asked only then. `source` says `cgroup` only where memory and processor time are the group's. */
export function useOf(group: string | undefined, processes: () => readonly ProcessInfo[]): Use {
  const counted: Counters = group === undefined ? {} : readCounters(group);
  const { cpuMicroseconds, memory, pids, read, memoryLimit = totalmem() } = counted;
  const whole = cpuMicroseconds !== undefined && memory !== undefined;
  const complete = whole && pids !== undefined && read !== undefined;
  return {
    microseconds: 0,
    memory: 0,
    read: 0,
    written: 0,
    pids: 0,
    ...(complete ? {} : fromProc(processes(), counted)),
    memoryLimit: Math.min(memoryLimit, totalmem()),
    ...(cpuMicroseconds !== undefined && { microseconds: cpuMicroseconds }),
    ...(memory !== undefined && { memory }),
    ...(pids !== undefined && { pids }),
    ...(read !== undefined && { read, written: counted.written ?? 0 }),
    ...(counted.pressure && { pressure: counted.pressure }),
    source: whole ? 'cgroup' : 'proc',
  };
}

function fromProc(processes: readonly ProcessInfo[], { memory, read: counted }: Counters) {
  const pids = processes.map(p => p.pid);
  const [read, written] = counted === undefined ? blockBytes(pids) : [0, 0];
  return {
    microseconds: processes.reduce((sum, p) => sum + p.ticks, 0) * (1e6 / TICKS),
    memory: memory === undefined ? memoryBytes(pids) : 0,
    read,
    written,
    pids: processes.reduce((sum, p) => sum + p.threads, 0),
  };
}
