import { TsboxError } from '../errors.ts';
import { helperPath } from '../host/binaries.ts';
import { attachFront } from '../runtime/front.ts';
import type { ContainerRecord, ContainerState } from '../store/container-record.ts';
import { containerDirectory, containerExists, containerState } from '../store/containers.ts';
import { attachSocket } from './container-paths.ts';
import type { Engine } from './context.ts';
import { FileChanges } from './file-changes.ts';
import { find, untilGone } from './find.ts';

/**
 * Docker's wait: the exit status once the container has ended; at once for one that does not run. The supervisor itself
 * tells it, since a `--rm` container may be gone before its record could be read. Throws ABORTED when the engine's signal
 * aborts, BAD_STATE when the container was removed and nobody could tell.
 */
export async function wait(engine: Engine, nameOrId: string): Promise<number> {
  const { record, state } = await find(engine, nameOrId);
  const told = state.status === 'running' ? await toldBySupervisor(engine, record) : undefined;
  if (told !== undefined && !engine.signal?.aborted) return told;
  return waitForRecord(engine, record);
}

/**
 * By the record: when the supervisor has no room for one more client, or was killed; then pid 1 follows it within a moment,
 * and until it has, nothing has ended.
 */
async function waitForRecord(engine: Engine, record: ContainerRecord): Promise<number> {
  const changes = watchRecord(engine, record);
  try {
    for (;;) {
      const state = await containerState(engine.paths, record);
      if (state.status === 'exited' || state.pid === 0) return statusOf(engine, record, state);
      await nextChange(engine, state, changes);
      if (engine.signal?.aborted) throw new TsboxError('ABORTED', `waiting for ${record.name} was cancelled`);
    }
  } finally {
    changes?.close();
  }
}

function statusOf(engine: Engine, record: ContainerRecord, state: ContainerState): number {
  if (state.status !== 'created' || containerExists(engine.paths, record.id)) return state.exitCode;
  throw new TsboxError(
    'BAD_STATE',
    `container ${record.name} was removed before its exit status could be read`,
    {
      exitCode: 1,
    },
  );
}

/** Undefined where nothing can be watched: then the end of the process is all there is to wait for. */
function watchRecord(engine: Engine, record: ContainerRecord): FileChanges | undefined {
  try {
    return new FileChanges(containerDirectory(engine.paths, record.id), 'state.json');
  } catch {
    return undefined;
  }
}

/** The record is written, the process is gone, or the engine's signal aborts. */
async function nextChange(
  engine: Engine,
  state: ContainerState,
  changes: FileChanges | undefined,
): Promise<void> {
  const stop = new AbortController();
  const abort = (): void => stop.abort();
  engine.signal?.addEventListener('abort', abort, { once: true });
  try {
    const gone = untilGone({ ...engine, signal: stop.signal }, state);
    await Promise.race(changes ? [gone, changes.next()] : [gone]);
  } finally {
    engine.signal?.removeEventListener('abort', abort);
    stop.abort();
  }
}

/** A client of the session socket that wants none of the streams: its status is the container's. Undefined: there was nobody to tell. */
async function toldBySupervisor(engine: Engine, record: ContainerRecord): Promise<number | undefined> {
  const front = attachFront({
    helper: helperPath(),
    id: record.id,
    socket: attachSocket(engine, record.id),
    streams: '',
    detachKeys: new Uint8Array(),
    stdio: 'ignore',
  });
  const leave = (): void => void front.child.kill('SIGKILL');
  engine.signal?.addEventListener('abort', leave, { once: true });
  try {
    const { exitCode, lost } = await front.ended;
    return lost ? undefined : exitCode;
  } finally {
    engine.signal?.removeEventListener('abort', leave);
  }
}
