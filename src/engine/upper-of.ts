import { join } from 'node:path';
import type { UpperOfTask } from '../layer/tasks.ts';
import type { EnterHost } from '../runtime/enter.ts';
import { storageDriver } from '../storage/select.ts';
import type { ContainerRecord } from '../store/container-record.ts';
import type { Engine } from './context.ts';
import { rootfsRequest } from './rootfs.ts';

/** Where a container's changes are and what they are changes of, as the tasks `changes` and `commit` take it. */
export interface UpperOf {
  /** Absolute. */
  readonly directory: string;
  readonly task: UpperOfTask;
}

export async function upperOf(engine: Engine, host: EnterHost, record: ContainerRecord): Promise<UpperOf> {
  const { driver } = record.storage;
  const request = await rootfsRequest(engine, record);
  const { upper, lower, hidden = [] } = storageDriver(driver).rootfs(request);
  const isHost = driver === 'host';
  const task: UpperOfTask = {
    mode: host.maps.mode,
    lowers: lower,
    whole: driver === 'vfs',
    marks: isHost || driver === 'fuse-overlayfs',
    nobodyIsRoot: isHost,
    hidden,
  };
  return { directory: join(engine.paths.root, upper), task };
}
