import { TsboxError } from '../errors.ts';
import type { ContainerRecord } from '../store/container-record.ts';
import { listContainerRecords } from '../store/containers.ts';
import type { Engine } from './context.ts';
import { find } from './find.ts';
import { percentsNow } from './stats-last.ts';
import { percentSince, type Sample, sampleAll } from './stats-sample.ts';
import type { ContainerStats, StatsOptions } from './types.ts';

/**
 * Docker's stats, from the container's control group (`source: 'cgroup'`), or where it has none measured in /proc over the processes of its pid
 * namespace (`source: 'proc'`): the processor time of one that came and went between two looks is missed, memory is the
 * proportional set size. One list per interval; with `stream: false` one list, at once. Containers that end leave the list. Throws NOT_FOUND,
 * ABORTED.
 */
export async function* stats(
  engine: Engine,
  names: readonly string[],
  options: StatsOptions = {},
): AsyncGenerator<ContainerStats[]> {
  const chosen = await Promise.all(names.map(name => find(engine, name)));
  const look = async (): Promise<Sample[]> => sampleAll(engine, await records(engine, chosen), options.all);
  let before = await look();
  if (options.stream === false && options.interval === undefined) return yield once(engine, before);
  for (;;) {
    await pause(engine, options.interval ?? 1000);
    const now = await look();
    yield now.map(sample => ({ ...sample.stats, cpuPercent: percentSince(earlier(before, sample), sample) }));
    if (options.stream === false) return;
    before = now;
  }
}

function once(engine: Engine, samples: readonly Sample[]): ContainerStats[] {
  const percents = percentsNow(engine, samples);
  return samples.map((sample, i) => ({ ...sample.stats, cpuPercent: percents[i] ?? 0 }));
}

async function records(
  engine: Engine,
  chosen: readonly { record: ContainerRecord }[],
): Promise<readonly ContainerRecord[]> {
  return chosen.length > 0 ? chosen.map(found => found.record) : listContainerRecords(engine.paths);
}

const earlier = (before: readonly Sample[], now: Sample): Sample | undefined =>
  before.find(old => old.id === now.id && old.start === now.start);

async function pause(engine: Engine, milliseconds: number): Promise<void> {
  const { setTimeout: delay } = await import('node:timers/promises');
  await delay(milliseconds, undefined, engine.signal && { signal: engine.signal }).catch(() => {
    throw new TsboxError('ABORTED', 'watching containers was cancelled');
  });
}
