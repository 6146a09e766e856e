import { closeSync, fsyncSync, openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { hasErrno, TsboxError } from '../errors.ts';
import { giveToStore } from '../host/owner.ts';
import type { Paths } from '../host/paths.ts';
import { withCleanup } from '../util/cleanup.ts';
import { mkdir, rename, rm } from '../util/files.ts';
import { ioError } from './atomic.ts';
import type { ContainerRecord } from './container-record.ts';
import { recordContainerEvent } from './containers-events.ts';
import { markFleeting, unmarkFleeting } from './containers-fleeting.ts';
import { identityAlive, ownIdentity } from './containers-owner.ts';
import { containerDirectory, containerExists, readContainerRecord, shortId } from './containers-read.ts';
import { checkName, generateName, holderOf, listNames, releaseName, takeName } from './names.ts';

export { findContainer, findContainerId } from './containers-find.ts';
export {
  containerDirectory,
  containerExists,
  listContainerIds,
  listContainerRecords,
  readContainerRecord,
  shortId,
} from './containers-read.ts';
export { containerState, readContainerState } from './containers-state.ts';
export { checkName, generateName } from './names.ts';

export interface ReserveOptions {
  /**
   * Made by `run`: as long as it has never been started it is garbage when its maker is dead. Default false: a container
   * that `create` made waits for its start for ever.
   */
  readonly transient?: boolean;
}

/** How many generated names are tried before it must be a fault and no coincidence. */
const NAME_ATTEMPTS = 50;

/**
 * Makes `containers/<id>/` with its config.json and takes the name, all or nothing. The directory is built under a hidden
 * name and appears complete. A record whose name is empty gets a generated one. Returns the record as written. Throws
 * USAGE for a malformed name, CONFLICT that names the holder, NO_SPACE or IO.
 */
export async function reserveContainer(
  paths: Paths,
  record: ContainerRecord,
  options: ReserveOptions = {},
): Promise<ContainerRecord> {
  const identity = ownIdentity();
  return withCleanup(async cleanup => {
    const named = await reserveName(paths, record, identity);
    cleanup.push(() => releaseName(paths, named.name, named.id));
    const transient = options.transient ?? false;
    if (transient || record.autoRemove) {
      await markFleeting(paths, { id: record.id, identity, transient });
      cleanup.push(() => unmarkFleeting(paths, record.id));
    }
    const hidden = join(paths.containers, `.new-${record.id}.${identity}`);
    await mkdir(hidden, { recursive: true, mode: 0o700 });
    giveToStore(paths.root, hidden);
    cleanup.push(() => rm(hidden, { recursive: true, force: true }));
    writeConfig(hidden, named);
    await rename(hidden, containerDirectory(paths, record.id));
    recordContainerEvent(paths, named, 'create');
    return named;
  }).catch((error: unknown) => {
    throw ioError(error, `cannot make container ${shortId(record.id)}`);
  });
}

async function reserveName(
  paths: Paths,
  record: ContainerRecord,
  identity: string,
): Promise<ContainerRecord> {
  for (let attempt = 0; attempt < NAME_ATTEMPTS; attempt++) {
    const name = record.name || generateName(attempt);
    checkName(name);
    const holder = await takeName(paths, name, record.id, identity, (id, by) => isGone(paths, id, by));
    if (holder === undefined) return { ...record, name };
    if (record.name) throw nameTaken(name, holder);
  }
  throw new TsboxError('CONFLICT', 'every generated container name is taken', {
    hint: 'give one with --name',
  });
}

function nameTaken(name: string, holder: string): TsboxError {
  return new TsboxError('CONFLICT', `the name "${name}" is already in use by container ${shortId(holder)}`, {
    hint: `choose another --name, or remove that container: tsbox rm ${name}`,
  });
}

/** Liveness first: a maker that is dead when we look cannot make the directory appear afterwards. */
async function isGone(paths: Paths, id: string, identity: string): Promise<boolean> {
  return !identityAlive(identity) && !containerExists(paths, id);
}

/** A container that is removed with its end need not outlive a power failure: no fsync. */
function writeConfig(directory: string, record: ContainerRecord): void {
  const fd = openSync(join(directory, 'config.json'), 'wx', 0o600);
  try {
    writeFileSync(fd, `${JSON.stringify(record)}\n`);
    if (!record.autoRemove) fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/**
 * Takes a container out of the store: its directory vanishes in one step, its name is free, then `remove` deletes what was
 * moved to `tmp/` (path relative to the store). Default: a plain removal that leaves files of other ids to the next sweep.
 * Works on half-made ones and does nothing for one that is gone. The caller makes sure that nothing runs in it.
 */
export async function forgetContainer(
  paths: Paths,
  id: string,
  remove: (relative: string) => Promise<void> = relative => removeOwn(join(paths.root, relative)),
): Promise<void> {
  const record = await readContainerRecord(paths, id).catch(() => undefined);
  const name = record?.name ?? (await nameOf(paths, id));
  const garbage = await setAside(paths, id);
  if (record && garbage !== undefined) recordContainerEvent(paths, record, 'destroy');
  if (name !== undefined) await releaseName(paths, name, id);
  await unmarkFleeting(paths, id);
  if (garbage !== undefined) await remove(garbage);
}

/** Moves the directory where `sweep` finds it if we are killed; undefined when it is gone already. */
async function setAside(paths: Paths, id: string): Promise<string | undefined> {
  const garbage = join('tmp', `gone-${id}.${ownIdentity()}`);
  try {
    await mkdir(paths.tmp, { recursive: true, mode: 0o700 });
    await rename(containerDirectory(paths, id), join(paths.root, garbage));
    return garbage;
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return undefined;
    throw ioError(error, `cannot remove container ${shortId(id)}`);
  }
}

/** Its record is unreadable: by looking who holds which name. */
async function nameOf(paths: Paths, id: string): Promise<string | undefined> {
  for (const name of await listNames(paths)) {
    if ((await holderOf(paths, name))?.id === id) return name;
  }
  return undefined;
}

async function removeOwn(path: string): Promise<void> {
  await rm(path, { recursive: true, force: true }).catch(() => {});
}
