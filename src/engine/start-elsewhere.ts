import { join } from 'node:path';
import { TsboxError } from '../errors.ts';
import { helperPath } from '../host/binaries.ts';
import { waitProcess } from '../runtime/process.ts';
import type { ContainerRecord } from '../store/container-record.ts';
import { containerDirectory, containerState } from '../store/containers.ts';
import { lockHolder } from '../store/containers-lock.ts';
import type { Engine } from './context.ts';
import { FileChanges } from './file-changes.ts';

/**
 * Waits for a start that somebody else has begun: true when the container runs, false when that start has come to nothing. Throws ABORTED:
 * a false would make the caller try again, at a lock that is still held.
 */
export async function untilStarted(engine: Engine, record: ContainerRecord): Promise<boolean> {
  const directory = containerDirectory(engine.paths, record.id);
  const changes = new FileChanges(directory, 'state.json');
  const stop = new AbortController();
  const wake = (): void => changes.notify();
  engine.signal?.addEventListener('abort', wake, { once: true });
  try {
    for (;;) {
      const starter = lockHolder(join(directory, 'lock'));
      if ((await containerState(engine.paths, record)).status === 'running') return true;
      if (engine.signal?.aborted) throw new TsboxError('ABORTED', `waiting for ${record.name} was cancelled`);
      if (!starter) return false;
      await Promise.race([changes.next(), waitProcess(helperPath(), starter, undefined, stop.signal)]);
    }
  } finally {
    engine.signal?.removeEventListener('abort', wake);
    stop.abort();
    changes.close();
  }
}
