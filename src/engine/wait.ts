import { open } from 'node:fs/promises';
import { TsboxError } from '../errors.ts';
import type { ContainerState } from '../store/container-record.ts';
import { containerDirectory, containerState, readContainerState } from '../store/containers.ts';
import type { Engine } from './context.ts';
import { find, untilGone } from './find.ts';

/**
 * Docker's wait: the exit status once the container has ended; at once for one that does not run. Waits for the supervisor,
 * not for pid 1: only then is the end recorded. Throws ABORTED when the engine's signal aborts.
 */
export async function wait(engine: Engine, nameOrId: string): Promise<number> {
  const { record, state } = await find(engine, nameOrId);
  if (state.status !== 'running') return state.exitCode;
  const directory = await open(containerDirectory(engine.paths, record.id), 'r').catch(() => undefined);
  try {
    if (!(await untilGone(engine, state)))
      throw new TsboxError('ABORTED', `waiting for ${record.name} was cancelled`);
    return (await endOf(engine, record.id, directory?.fd)).exitCode;
  } finally {
    await directory?.close();
  }
}

/** A `--rm` container is being removed at this moment: what was its directory is still there behind our descriptor. */
async function endOf(engine: Engine, id: string, directory: number | undefined): Promise<ContainerState> {
  const state = await containerState(engine.paths, id);
  if (state.status !== 'created' || directory === undefined) return state;
  return readContainerState({ ...engine.paths, containers: '/proc/self/fd' }, String(directory));
}
