import { setTimeout as delay } from 'node:timers/promises';
import { TsboxError } from '../errors.ts';
import { networkDriver } from '../network/select.ts';
import type { ContainerRecord, ContainerState } from '../store/container-record.ts';
import { containerState, listContainerRecords } from '../store/containers.ts';
import type { Engine } from './context.ts';
import { find } from './find.ts';
import { readGroupFile } from './group-file.ts';
import { networkBytes } from './stats-proc.ts';
import { NOTHING, useOf } from './stats-use.ts';
import type { ContainerStats, StatsOptions } from './types.ts';

interface Sample {
  readonly record: ContainerRecord;
  readonly state: ContainerState;
  /** Processor time since its start. */
  readonly microseconds: number;
  /** Milliseconds of the monotonic clock. */
  readonly at: number;
  readonly stats: Omit<ContainerStats, 'cpuPercent'>;
}

/**
 * Docker's stats, from the container's control group (`source: 'cgroup'`), or where it has none measured in /proc over the processes of its pid
 * namespace (`source: 'proc'`): the processor time of one that came and went between two looks is missed, memory is the
 * proportional set size. One list per interval; with `stream: false` one list. Containers that end leave the list. Throws NOT_FOUND, ABORTED.
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
    if (state.status === 'running' || all) found.push(sample(engine, record, state));
  }
  return found;
}

function sample(engine: Engine, record: ContainerRecord, state: ContainerState): Sample {
  const running = state.status === 'running';
  const shared = networkDriver(record.network.driver).name === 'host';
  const [received, sent] = running && !shared ? networkBytes(state.pid) : [0, 0];
  const group = running ? readGroupFile(engine, record.id)?.path : undefined;
  const use = running ? useOf(state.pid, group) : NOTHING;
  const { microseconds, ...counted } = use;
  return {
    record,
    state,
    microseconds,
    at: performance.now(),
    stats: { id: record.id, name: record.name, received, sent, ...counted },
  };
}

function compare(before: readonly Sample[], now: Sample): ContainerStats {
  const old = before.find(s => s.record.id === now.record.id && s.state.start === now.state.start);
  const seconds = old ? (now.at - old.at) / 1000 : 0;
  const used = old ? Math.max(0, now.microseconds - old.microseconds) : 0;
  return { ...now.stats, cpuPercent: seconds > 0 ? (used / 1e6 / seconds) * 100 : 0 };
}
