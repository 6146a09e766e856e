import { hasErrno, TsboxError } from '../errors.ts';
import { newId } from '../store/atomic.ts';
import type { ContainerRecord } from '../store/container-record.ts';
import { listContainerRecords, shortId } from '../store/containers.ts';
import {
  findVolume,
  listVolumeRecords,
  makeVolume,
  readVolume,
  setVolumeAside,
  type VolumeRecord,
  volumeData,
} from '../store/volumes.ts';
import type { Engine } from './context.ts';
import { volumeEvent } from './record-event.ts';
import type { VolumeSummary } from './types.ts';

/** Docker's volume create: idempotent; without a name an anonymous one of 64 hex digits. Throws USAGE, NO_SPACE or IO. */
export async function createVolume(
  engine: Engine,
  name?: string,
  labels: Readonly<Record<string, string>> = {},
): Promise<VolumeSummary> {
  const options = { labels, anonymous: name === undefined };
  const { record, made } = await makeVolume(engine.paths, name ?? newId(), options);
  if (made) volumeEvent(engine, 'create', record.name);
  return summary(engine, record);
}

/** Sorted by name. */
export async function listVolumes(engine: Engine): Promise<VolumeSummary[]> {
  return (await listVolumeRecords(engine.paths)).map(record => summary(engine, record));
}

/**
 * Removes a volume and what it holds. Throws NOT_FOUND (not with `force`), CONFLICT that names the containers which
 * mount it, running or not.
 */
export async function removeVolume(
  engine: Engine,
  name: string,
  options: { force?: boolean } = {},
): Promise<void> {
  await drop(engine, name, options);
}

/** The anonymous volumes of a container that is to be removed; one that another container mounts too is kept. */
export async function removeAnonymous(engine: Engine, record: ContainerRecord): Promise<void> {
  for (const mount of record.mounts) {
    if (mount.type !== 'volume' || !mount.anonymous) continue;
    await dropUnused(engine, mount.source, record.id);
  }
}

/** A volume that a container has made, or has alone: one that another container mounts too is kept. */
export async function dropUnused(engine: Engine, name: string, but: string): Promise<void> {
  await drop(engine, name, { force: true, but }).catch((error: unknown) => {
    if (!(error instanceof TsboxError && error.code === 'CONFLICT')) throw error;
  });
}

/** `but`: a container whose use does not count. */
async function drop(engine: Engine, name: string, options: { force?: boolean; but?: string }): Promise<void> {
  if (options.force && !(await findVolume(engine.paths, name))) return;
  await readVolume(engine.paths, name);
  await refuseUsed(engine, name, options.but);
  const aside = await setVolumeAside(engine.paths, name);
  if (!aside) return;
  // A container made while we looked has found the volume there: it must find it there again.
  await refuseUsed(engine, name, options.but).catch(async (error: unknown) => {
    await putBack(aside.putBack);
    throw error;
  });
  await (await import('./remove-tree.ts')).removeTree(engine, aside.relative);
  volumeEvent(engine, 'destroy', name);
}

async function refuseUsed(engine: Engine, name: string, but?: string): Promise<void> {
  const others = (await listContainerRecords(engine.paths)).filter(record => record.id !== but);
  const users = others.filter(r => r.mounts.some(m => m.type === 'volume' && m.source === name));
  if (users.length === 0) return;
  const list = users.map(user => `${user.name} (${shortId(user.id)})`).join(', ');
  throw new TsboxError('CONFLICT', `volume ${name} is in use by ${list}`, {
    hint: `remove what uses it first: tsbox rm ${users.map(user => user.name).join(' ')}`,
    exitCode: 1,
  });
}

/** Where the name has been taken meanwhile the newer volume stays: the older one has no name to go back to. */
async function putBack(step: () => Promise<void>): Promise<void> {
  await step().catch((error: unknown) => {
    if (!hasErrno(error, 'ENOTEMPTY', 'EEXIST')) throw error;
  });
}

function summary(engine: Engine, record: VolumeRecord): VolumeSummary {
  const { name, created, labels, anonymous } = record;
  return { name, mountpoint: volumeData(engine.paths, name), created, labels, anonymous };
}
