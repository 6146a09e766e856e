import { lstatSync, readdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { hasErrno, messageOf } from '../errors.ts';
import { selfCommand } from '../host/self.ts';
import { ops } from '../plan/ops.ts';
import { layerTree } from '../storage/layout.ts';
import { newId } from '../store/atomic.ts';
import type { ContainerRecord, MountRecord } from '../store/container-record.ts';
import { listContainerRecords } from '../store/containers.ts';
import { identityAlive, ownIdentity } from '../store/containers-owner.ts';
import { volumeData } from '../store/volumes.ts';
import type { Engine } from './context.ts';
import { mapsFor, storageHost } from './machine.ts';
import { subtrees } from './volumes-subtrees.ts';

/**
 * Docker's copy-up: an empty volume that nobody else uses starts with what the image has at its target, owners and modes
 * included. The option `nocopy` leaves it empty. `fresh`: those made for this container
 * alone, which nobody else can have.
 * Idempotent. Throws STORAGE or IO; then the volume is empty as before.
 */
export async function copyUp(
  engine: Engine,
  record: ContainerRecord,
  fresh: ReadonlySet<string>,
): Promise<void> {
  for (const mount of record.mounts) {
    if (mount.type !== 'volume' || mount.options.includes('nocopy') || record.image.layers.length === 0)
      continue;
    const ours = fresh.has(mount.source) || (await isUnused(engine, record, mount));
    if (ours) await fill(engine, record, mount);
  }
}

/** What may not be read has been used by somebody. */
function isEmpty(path: string): boolean {
  try {
    return readdirSync(path).length === 0;
  } catch (error) {
    if (hasErrno(error, 'EACCES')) return false;
    throw error;
  }
}

const isUnused = async (engine: Engine, record: ContainerRecord, mount: MountRecord): Promise<boolean> =>
  isEmpty(volumeData(engine.paths, mount.source)) && (await isOurs(engine, record, mount));

/** A container that has it mounted would go on with the directory that is replaced. */
async function isOurs(engine: Engine, record: ContainerRecord, { source }: MountRecord): Promise<boolean> {
  const others = (await listContainerRecords(engine.paths)).filter(({ id }) => id !== record.id);
  return !others.some(({ mounts }) => mounts.some(m => m.type === 'volume' && m.source === source));
}

/** Copied beside the volume's directory and put in its place in one step: rename(2) refuses it if that is not empty any more. */
async function fill(engine: Engine, record: ContainerRecord, mount: MountRecord): Promise<void> {
  const layers = await imageDirectories(engine, record, mount);
  if (layers.length === 0 || isPlain(layers)) return;
  await removeUnfinished(engine, mount.source);
  const target = join('volumes', mount.source, `.copy-${newId().slice(0, 16)}.${ownIdentity()}`);
  try {
    await flatten(engine, layers, target);
    if (record.userns.mode === 'keep-id') await seenAsInImage(engine, record, target);
    renameSync(join(engine.paths.root, target), volumeData(engine.paths, mount.source));
  } catch (error) {
    await (await import('./remove-tree.ts')).removeTree(engine, target);
    if (!hasErrno(error, 'ENOTEMPTY', 'EEXIST')) throw error;
  }
}

async function seenAsInImage(engine: Engine, record: ContainerRecord, target: string): Promise<void> {
  await (await import('./volumes-owner.ts')).showAsImage(engine, record, join(engine.paths.root, target));
}

/** What copies that were killed left beside the volume's directory. */
async function removeUnfinished(engine: Engine, volume: string): Promise<void> {
  for (const entry of readdirSync(join(engine.paths.volumes, volume))) {
    const [, identity] = /^\.copy-[^.]+\.(.+)$/.exec(entry) ?? [];
    if (identity === undefined || identityAlive(identity)) continue;
    await (await import('./remove-tree.ts')).removeTree(engine, join('volumes', volume, entry));
  }
}

async function imageDirectories(
  engine: Engine,
  record: ContainerRecord,
  mount: MountRecord,
): Promise<string[]> {
  const { getXattr } = await import('../sys/xattr.ts');
  const roots = record.image.layers.map(id => join(engine.paths.root, layerTree(id)));
  try {
    return subtrees(roots, mount.target, getXattr);
  } catch (error) {
    // Behind a directory that is closed to all but one of the image's users.
    engine.reporter.debug('store', () => `no copy-up to ${mount.source}: ${messageOf(error)}`);
    return [];
  }
}

/** Nothing in it and as a new volume is anyway: no process needs to be started for that. */
function isPlain(directories: readonly string[]): boolean {
  const stat = lstatSync(directories.at(-1) ?? '');
  const usual = stat.uid === process.geteuid?.() && (stat.mode & 0o7777) === 0o755;
  return usual && directories.every(isEmpty);
}

/** In the user namespace, where the files' owners exist. */
async function flatten(engine: Engine, layers: readonly string[], target: string): Promise<void> {
  const [program = '', ...argv] = selfCommand('userns');
  const task = JSON.stringify({ task: 'flatten', target, layers });
  const host = storageHost(engine, await mapsFor(engine, 'auto'));
  await host.walk([
    ops.exec(program, [program, ...argv, task], "a new volume begins with the image's files there"),
  ]);
}
