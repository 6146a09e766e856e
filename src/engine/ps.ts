import type { ContainerRecord, ContainerState } from '../store/container-record.ts';
import { listContainerRecords, readContainerState } from '../store/containers.ts';
import type { Engine } from './context.ts';
import { compileFilters } from './ps-filters.ts';
import type { ContainerSummary, Filters } from './types.ts';

/**
 * Running containers, or all; newest first. As in docker a `status` filter means all. A container whose record cannot be
 * read is left out. Throws USAGE for an unknown filter or value, NOT_FOUND for `before` and `since` of nobody.
 */
export async function ps(
  engine: Engine,
  options: { all?: boolean; filters?: Filters } = {},
): Promise<ContainerSummary[]> {
  const filters = options.filters ?? {};
  const matches = await compileFilters(engine, filters);
  const all = options.all || filters.status !== undefined;
  const states = new Map<string, ContainerState>();
  const wanted = (id: string): boolean => {
    const state = readContainerState(engine.paths, id);
    states.set(id, state);
    return all || state.status === 'running';
  };
  const found: ContainerSummary[] = [];
  for (const record of await listContainerRecords(engine.paths, wanted)) {
    const state = states.get(record.id);
    if (state && matches({ record, state })) found.push(summarize(record, state));
  }
  return found;
}

function summarize(record: ContainerRecord, state: ContainerState): ContainerSummary {
  return {
    id: record.id,
    name: record.name,
    image: record.image.reference,
    imageId: record.image.id,
    command: record.process.args.join(' '),
    created: record.created,
    status: state.status,
    exitCode: state.exitCode,
    startedAt: state.startedAt,
    finishedAt: state.finishedAt,
    pid: state.pid,
    ports: record.network.ports,
    labels: record.labels,
    mounts: record.mounts.filter(m => m.type !== 'tmpfs').map(m => m.source),
    networks: [record.network.driver],
  };
}
