import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { hasErrno } from '../errors.ts';
import type { Paths } from '../host/paths.ts';
import { rm, writeFile } from '../util/files.ts';
import { readJson, writeFileAtomic } from './atomic.ts';
import type { ContainerRecord } from './container-record.ts';
import { containerDirectory } from './containers-read.ts';

/**
 * `containers/<id>/restart.json` is there while a container has a restart policy other than `no`: its supervisor looks for
 * it at the end and executes `tsbox` if it finds it. `containers/<id>/stopped` marks that `stop` or `kill` ended it.
 */
export interface RestartFile {
  readonly version: 1;
  /** Restarts since the last `start`. */
  readonly count: number;
  /** Milliseconds waited before the last one. */
  readonly delay: number;
  /** The process that waits to start it again, `pid-start`: its last supervisor, which has executed tsbox. */
  readonly waiter: string;
}

const file = (paths: Paths, id: string, name: string): string => join(containerDirectory(paths, id), name);

/** As the helper names it, relative to the store. */
export const restartFile = (id: string): string => `containers/${id}/restart.json`;

const NONE: RestartFile = { version: 1, count: 0, delay: 0, waiter: '' };

export async function readRestart(paths: Paths, id: string): Promise<RestartFile> {
  return (await readJson<RestartFile>(file(paths, id, 'restart.json')).catch(() => undefined)) ?? NONE;
}

/** Who waits to start it again, as pid and start time; synchronous, for `ps`. */
export function restartWaiter(paths: Paths, id: string): string {
  try {
    return (JSON.parse(readFileSync(file(paths, id, 'restart.json'), 'utf8')) as RestartFile).waiter;
  } catch {
    return '';
  }
}

export async function writeRestart(paths: Paths, id: string, restart: RestartFile): Promise<void> {
  await writeFileAtomic(file(paths, id, 'restart.json'), `${JSON.stringify(restart)}\n`, { fsync: false });
}

/** Before a start by hand and after a change of the policy: counting begins again. */
export async function resetRestart(paths: Paths, record: ContainerRecord): Promise<void> {
  await rm(file(paths, record.id, 'stopped'), { force: true });
  if (hasPolicy(record)) await writeRestart(paths, record.id, NONE);
  else await rm(file(paths, record.id, 'restart.json'), { force: true });
}

/** Before every start: the supervisor finds the file if there is a policy. */
export async function keepRestartFile(paths: Paths, record: ContainerRecord): Promise<void> {
  if (!hasPolicy(record) || hasRestartFile(paths, record.id)) return;
  await writeRestart(paths, record.id, NONE);
}

export const hasRestartFile = (paths: Paths, id: string): boolean =>
  existsSync(file(paths, id, 'restart.json'));

export const hasPolicy = (record: ContainerRecord): boolean =>
  record.restart !== undefined && record.restart.name !== 'no';

/** From now on its end is wanted. A container that is gone needs no mark. */
export async function markStopped(paths: Paths, id: string): Promise<void> {
  await writeFile(file(paths, id, 'stopped'), '', { mode: 0o600 }).catch((error: unknown) => {
    if (!hasErrno(error, 'ENOENT')) throw error;
  });
}

export const isMarkedStopped = (paths: Paths, id: string): boolean => existsSync(file(paths, id, 'stopped'));
