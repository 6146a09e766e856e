import { readMaybe } from '../host/process-text.ts';
import { type ProcessInfo, processesOfEach } from '../host/processes.ts';
import type { ContainerRecord, ContainerState } from '../store/container-record.ts';
import { readContainerState } from '../store/containers.ts';
import type { Engine } from './context.ts';
import { listGroupFiles, readGroupFile } from './group-file.ts';
import { networkBytes } from './stats-proc.ts';
import { NOTHING, useOf } from './stats-use.ts';
import type { ContainerStats } from './types.ts';

/** One look at one container. */
export interface Sample {
  readonly id: string;
  /** Of its first process, in clock ticks since boot; 0: it does not run. */
  readonly start: number;
  /** Processor time since then. */
  readonly microseconds: number;
  /** Seconds since boot. */
  readonly at: number;
  readonly stats: Omit<ContainerStats, 'cpuPercent'>;
}

/** Of proc_pid_stat(5): 100 on every Linux that Node runs on. */
const TICKS = 100;

/** What one look shares among all containers. */
interface Scene {
  readonly at: number;
  /** The first 16 digits of the ids of those that have a control group. */
  readonly grouped: ReadonlySet<string>;
  readonly processesOf: (first: number) => readonly ProcessInfo[];
}

/** Looks at all that run, or at all. The processes of the machine are listed once, and only where a container has no group that counts for it. */
export function sampleAll(engine: Engine, records: readonly ContainerRecord[], all = false): Sample[] {
  const states = records.map(record => ({ record, state: readContainerState(engine.paths, record.id) }));
  const wanted = states.filter(({ state }) => all || state.status === 'running');
  let table: Map<number, ProcessInfo[]> | undefined;
  const scene: Scene = {
    at: uptime(),
    grouped: new Set(listGroupFiles(engine)),
    processesOf: first => {
      table ??= processesOfEach(wanted.map(({ state }) => state.pid).filter(pid => pid > 0));
      return table.get(first) ?? [];
    },
  };
  return wanted.map(({ record, state }) => sample(engine, record, state, scene));
}

function sample(engine: Engine, record: ContainerRecord, state: ContainerState, scene: Scene): Sample {
  const { id, name } = record;
  const running = state.status === 'running';
  const counted = running && !UNCOUNTED.has(record.network.driver);
  const [received, sent] = counted ? networkBytes(state.pid) : [0, 0];
  const group = running && scene.grouped.has(id.slice(0, 16)) ? readGroupFile(engine, id)?.path : undefined;
  const { microseconds, ...use } = running ? useOf(group, () => scene.processesOf(state.pid)) : NOTHING;
  return {
    id,
    start: running ? state.start : 0,
    microseconds,
    at: scene.at,
    stats: { id, name, received, sent, ...use },
  };
}

/** Nothing but the loopback, or not the container's own. */
const UNCOUNTED: ReadonlySet<string> = new Set(['none', 'host']);

/** The clock of start times, of all processes, and of no clock jump. */
const uptime = (): number => Number((readMaybe('/proc/uptime') ?? '0').split(' ')[0]);

/** Of one processor, between two looks at the same run; 0 where there is no earlier one. */
export function percentSince(old: Pick<Sample, 'at' | 'microseconds'> | undefined, now: Sample): number {
  const seconds = old ? now.at - old.at : 0;
  const used = old ? Math.max(0, now.microseconds - old.microseconds) : 0;
  return seconds > 0 ? (used / 1e6 / seconds) * 100 : 0;
}

/** Over its whole life. */
export const percentOfLife = (now: Sample): number =>
  now.start === 0 ? 0 : percentSince({ at: now.start / TICKS, microseconds: 0 }, now);
