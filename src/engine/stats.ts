import { totalmem } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { TsboxError } from '../errors.ts';
import { processesOf } from '../host/processes.ts';
import { networkDriver } from '../network/select.ts';
import type { ContainerRecord, ContainerState } from '../store/container-record.ts';
import { containerState, listContainerRecords } from '../store/containers.ts';
import type { Engine } from './context.ts';
import { find } from './find.ts';
import { blockBytes, memoryBytes, networkBytes } from './stats-proc.ts';
import type { ContainerStats, StatsOptions } from './types.ts';

const TICKS = 100;

interface Sample {
  readonly record: ContainerRecord;
  readonly state: ContainerState;
  readonly ticks: number;
  /** Milliseconds of the monotonic clock. */
  readonly at: number;
  readonly stats: Omit<ContainerStats, 'cpuPercent'>;
}

/**
 * Docker's stats, measured in /proc over the processes of the container's pid namespace (`source: 'proc'`): the processor time of one that
 * came and went between two looks is missed, memory is the proportional set size. One list per interval; with `stream:
 * false` one list. Containers that end leave the list. Throws NOT_FOUND, ABORTED.
 */
export async function* stats(
  engine: Engine,
  names: readonly string[],
  options: StatsOptions = {},
): AsyncGenerator<ContainerStats[]> {
  const interval = options.interval ?? 1000;
  const chosen = await Promise.all(names.map(name => find(engine, name)));
  const records = async (): Promise<ContainerRecord[]> =>
    names.length > 0 ? chosen.map(found => found.record) : listContainerRecords(engine.paths);
  let before = await sampleAll(engine, await records(), options);
  for (;;) {
    await delay(options.stream === false ? Math.min(interval, 500) : interval, undefined, {
      ...(engine.signal && { signal: engine.signal }),
    }).catch(() => {
      throw new TsboxError('ABORTED', 'watching containers was cancelled');
    });
    const now = await sampleAll(engine, await records(), options);
    yield now.map(sample => compare(before, sample));
    if (options.stream === false) return;
    before = now;
  }
}

async function sampleAll(
  engine: Engine,
  records: readonly ContainerRecord[],
  { all }: StatsOptions,
): Promise<Sample[]> {
  const found: Sample[] = [];
  for (const record of records) {
    const state = await containerState(engine.paths, record);
    if (state.status === 'running' || all) found.push(sample(record, state));
  }
  return found;
}

function sample(record: ContainerRecord, state: ContainerState): Sample {
  const running = state.status === 'running';
  const processes = running ? processesOf(state.pid) : [];
  const pids = processes.map(p => p.pid);
  const shared = networkDriver(record.network.driver).name === 'host';
  const [received, sent] = running && !shared ? networkBytes(state.pid) : [0, 0];
  const [read, written] = blockBytes(pids);
  return {
    record,
    state,
    ticks: processes.reduce((sum, p) => sum + p.ticks, 0),
    at: performance.now(),
    stats: {
      id: record.id,
      name: record.name,
      memory: memoryBytes(pids),
      memoryLimit: running ? totalmem() : 0,
      received,
      sent,
      read,
      written,
      pids: processes.reduce((sum, p) => sum + p.threads, 0),
      source: 'proc',
    },
  };
}

function compare(before: readonly Sample[], now: Sample): ContainerStats {
  const old = before.find(s => s.record.id === now.record.id && s.state.start === now.state.start);
  const seconds = old ? (now.at - old.at) / 1000 : 0;
  const ticks = old ? Math.max(0, now.ticks - old.ticks) : 0;
  return { ...now.stats, cpuPercent: seconds > 0 ? (ticks / TICKS / seconds) * 100 : 0 };
}
