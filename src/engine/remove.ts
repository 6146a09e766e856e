import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { TsboxError } from '../errors.ts';
import { helperPath } from '../host/binaries.ts';
import { signalProcess, waitProcess } from '../runtime/process.ts';
import type { ContainerRecord } from '../store/container-record.ts';
import {
  containerDirectory,
  containerState,
  findContainerId,
  forgetContainer,
  readContainerRecord,
  shortId,
} from '../store/containers.ts';
import { isHeldForRestart } from '../store/containers-hold.ts';
import { lockHolder } from '../store/containers-lock.ts';
import { chmod, rm } from '../util/files.ts';
import { containerRuntimeDir } from './container-paths.ts';
import type { Engine } from './context.ts';
import { parseGroupFile } from './group-file.ts';
import { killAndWait } from './stop.ts';

export interface RemoveOptions {
  /** Kill it first. */
  readonly force?: boolean;
  /** Its anonymous volumes too. */
  readonly volumes?: boolean;
  /** The caller has just seen it end: whether somebody runs or starts it (reading /proc/locks takes 5 ms) is not asked. */
  readonly ended?: boolean;
}

const SIGKILL = 9;

/**
 * Docker's rm. Works on half-made, damaged and orphaned containers: all it needs is their directory. Throws NOT_FOUND,
 * BAD_STATE for one that runs or starts (without `force`), IO.
 */
export async function remove(engine: Engine, nameOrId: string, options: RemoveOptions = {}): Promise<void> {
  const id = await findContainerId(engine.paths, nameOrId);
  const record = await readContainerRecord(engine.paths, id).catch(() => undefined);
  if (!options.ended) await end(engine, id, options.force ?? false);
  const group = parseGroupFile(engine, id);
  if (group) (await import('./group-sweep.ts')).dropGroup(engine, id, group);
  if (record?.network.networks) await (await import('./network-endpoints.ts')).releaseEndpoints(engine, id);
  // Last of all the container: if we are killed before, the same command again finds it and finishes.
  await rm(containerRuntimeDir(engine, id), { recursive: true, force: true });
  if (options.volumes && record?.mounts.some(m => m.anonymous)) {
    await (await import('./volumes.ts')).removeAnonymous(engine, record);
  }
  await forgetContainer(engine.paths, id, async relative => {
    if (!options.ended) await endLateStart(join(engine.paths.root, relative));
    await openWorkDirectory(join(engine.paths.root, relative));
    await (await import('./remove-tree.ts')).removeTree(engine, relative);
  });
  if (record && isOrphan(engine, record)) await (await import('./collect.ts')).collect(engine);
}

/** Its image was removed under it (`rmi -f`): its layers have lost their last user. */
function isOrphan({ paths }: Engine, { image }: ContainerRecord): boolean {
  const [algorithm = '', hex] = image.id.split(':');
  return hex !== undefined && !existsSync(join(paths.images, 'blobs', algorithm, hex));
}

/** Nothing of the container runs afterwards. */
async function end(engine: Engine, id: string, force: boolean): Promise<void> {
  let state = await containerState(engine.paths, id);
  const restarts = state.restarting || isHeldForRestart(engine.paths, id);
  if (restarts && !force) throw inUse(id, 'restarting');
  // Its policy must not bring it back while it is being removed.
  if (force) state = await (await import('./after-end.ts')).endRestarts(engine, id, state);
  const up = state.status === 'running' || (state.status === 'dead' && state.pid > 0);
  if (up && !force) throw inUse(id, 'running');
  if (up) return killAndWait(engine, id, state);
  // Once the end is recorded nothing of it runs any more; the supervisor itself may be what runs us (`--rm`).
  const starter = lockHolder(join(containerDirectory(engine.paths, id), 'lock'));
  if (starter && !force) throw inUse(id, 'being started');
  if (starter) await killProcess(starter);
}

/** A start that took the container's lock between our look and our move runs without a directory. */
async function endLateStart(directory: string): Promise<void> {
  const starter = lockHolder(join(directory, 'lock'));
  if (starter) await killProcess(starter);
}

/**
 * Overlay leaves its work directory with mode 0, and in it the mark of a volatile one. Where all files are the user's own that was the only thing which a plain
 * removal could not do, and a plain removal takes a tenth of the time of one in a user namespace.
 */
async function openWorkDirectory(directory: string): Promise<void> {
  let path = join(directory, 'work');
  for (const name of ['work', 'incompat', 'volatile']) {
    path = join(path, name);
    await chmod(path, 0o700).catch(() => {});
  }
}

async function killProcess(target: { pid: number; start: number }): Promise<void> {
  if (await signalProcess(helperPath(), target, SIGKILL)) await waitProcess(helperPath(), target, 10_000);
}

const inUse = (id: string, doing: string): TsboxError =>
  new TsboxError('BAD_STATE', `cannot remove container ${shortId(id)}: it is ${doing}`, {
    hint: `tsbox stop ${shortId(id)} first, or kill and remove it: tsbox rm -f ${shortId(id)}`,
    exitCode: 1,
  });
