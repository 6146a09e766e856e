import type { ContainerRecord, ContainerState } from '../store/container-record.ts';
import { listContainerRecords, readContainerState } from '../store/containers.ts';
import { readHealth } from '../store/containers-health.ts';
import type { Engine } from './context.ts';
import { servedPorts } from './ports-served.ts';
import { compileFilters } from './ps-filters.ts';
import { shownStatus } from './ps-status.ts';
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
    return all || state.status === 'running' || state.restarting;
  };
  const found: ContainerSummary[] = [];
  for (const record of await listContainerRecords(engine.paths, wanted)) {
    const state = states.get(record.id);
    if (state && matches({ record, state })) found.push(summarize(engine, record, state));
  }
  return found;
}

/** As docker's: arguments with a blank in quotes. */
const commandText = ([program = '', ...args]: readonly string[]): string =>
  [program, ...args.map(arg => (arg.includes(' ') ? `'${arg}'` : arg))].join(' ');

function summarize(engine: Engine, record: ContainerRecord, state: ContainerState): ContainerSummary {
  const checked = record.healthcheck !== undefined && state.status === 'running';
  return {
    id: record.id,
    name: record.name,
    image: record.image.reference,
    imageId: record.image.id,
    command: commandText(record.process.args),
    created: record.created,
    status: shownStatus(state),
    ...(checked && { health: readHealth(engine.paths, record.id, state.start).status }),
    exitCode: state.exitCode,
    startedAt: state.startedAt,
    finishedAt: state.finishedAt,
    pid: state.pid,
    ports: servedPorts(engine, record, state),
    labels: record.labels,
    mounts: record.mounts.filter(m => m.type !== 'tmpfs').map(m => m.source),
    networks: record.network.networks?.map(each => each.network) ?? [record.network.driver],
  };
}
