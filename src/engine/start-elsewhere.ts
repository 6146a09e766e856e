import { join } from 'node:path';
import { helperPath } from '../host/binaries.ts';
import { waitProcess } from '../runtime/process.ts';
import type { ContainerRecord } from '../store/container-record.ts';
import { containerDirectory, containerState } from '../store/containers.ts';
import { lockHolder } from '../store/containers-lock.ts';
import type { Engine } from './context.ts';
import { FileChanges } from './file-changes.ts';

/** Waits for a start that somebody else has begun: true when the container runs, false when that start has come to nothing. */
export async function untilStarted(engine: Engine, record: ContainerRecord): Promise<boolean> {
  const directory = containerDirectory(engine.paths, record.id);
  const changes = new FileChanges(directory, 'state.json');
  const stop = new AbortController();
  try {
    for (;;) {
      const starter = lockHolder(join(directory, 'lock'));
      if ((await containerState(engine.paths, record)).status === 'running') return true;
      if (!starter || engine.signal?.aborted) return false;
      await Promise.race([changes.next(), waitProcess(helperPath(), starter, undefined, stop.signal)]);
    }
  } finally {
    stop.abort();
    changes.close();
  }
}
