import { TsboxError } from '../errors.ts';
import type { UsernsMaps } from '../host/idmap.ts';
import { selectStorage } from '../storage/select.ts';
import { newId } from '../store/atomic.ts';
import type { ContainerRecord } from '../store/container-record.ts';
import { checkName, type ReserveOptions, reserveContainer } from '../store/containers.ts';
import { type Cleanup, withCleanup } from '../util/cleanup.ts';
import { writeFile } from '../util/files.ts';
import { containerRecord } from './container-record.ts';
import type { Engine } from './context.ts';
import { checkFlags } from './create-checks.ts';
import { findImage } from './create-image.ts';
import { ensureVolumes } from './create-volumes.ts';
import { mapsFor, storageHost } from './machine.ts';
import { prepareStorage } from './rootfs.ts';
import type { CreateOptions } from './types.ts';

/** Makes a container: resolves everything that can be wrong first, then reserves name and directory. Returns its id. */
export async function create(engine: Engine, options: CreateOptions): Promise<string> {
  const record = await withCleanup(cleanup => createRecord(engine, options, cleanup));
  return record.id;
}

/** As `create`; every step pushes its undo, so that `run` can take all of it back. */
export async function createRecord(
  engine: Engine,
  options: CreateOptions,
  cleanup: Cleanup,
  reserve: ReserveOptions = {},
): Promise<ContainerRecord> {
  const planned = await planRecord(engine, options);
  if (options.cidfile) await writeCidfile(options.cidfile, planned.id, cleanup);
  const record = await reserveContainer(engine.paths, planned, reserve);
  cleanup.push(() => discard(engine, record.id));
  await ensureVolumes(engine, record, cleanup);
  await prepareStorage(engine, record);
  return record;
}

/** The record that `create` would write; changes nothing but what a pull brings. */
export async function planRecord(engine: Engine, options: CreateOptions): Promise<ContainerRecord> {
  // Before a pull that would be for nothing.
  if (options.name) checkName(options.name);
  await checkFlags(options);
  const { mode, ...inside } = usernsWanted(options.userns ?? engine.config.userns.mode);
  const image = await findImage(engine, options);
  const maps = await mapsFor(engine, mode);
  const driver = await chooseDriver(engine, options, maps);
  return containerRecord(engine, { options, image, maps, driver, id: newId(), inside });
}

/** Takes back all of a container; its files may belong to mapped ids. */
async function discard(engine: Engine, id: string): Promise<void> {
  const { remove } = await import('./remove.ts');
  await remove(engine, id, { force: true, volumes: true });
}

async function chooseDriver(engine: Engine, options: CreateOptions, maps: UsernsMaps) {
  const wanted =
    options.image === 'host' ? 'host' : (options.storageDriver ?? engine.config.storage.driver ?? 'auto');
  const name = maps.mode === 'keep-id' && wanted !== 'host' ? keepIdDriver(options) : wanted;
  const driver = await selectStorage(name, storageHost(engine, maps), engine.paths.runtime);
  engine.reporter.debug('storage', () => `${driver.name} (asked for: ${wanted})`);
  return driver.name;
}

/** keep-id never copies or chowns a layer: only fuse-overlayfs can show it under another map. */
function keepIdDriver({ storageDriver = 'auto' }: CreateOptions): 'fuse-overlayfs' {
  if (storageDriver === 'auto' || storageDriver === 'fuse-overlayfs') return 'fuse-overlayfs';
  throw new TsboxError(
    'USAGE',
    `--userns keep-id does not work with --storage-driver ${storageDriver}: it would show wrong owners`,
    {
      hint: 'leave --storage-driver out: keep-id takes fuse-overlayfs, which shows the same files with other owners',
    },
  );
}

interface Wanted {
  readonly mode: 'auto' | 'ranges' | 'single' | 'keep-id';
  readonly uid?: number;
  readonly gid?: number;
}

function usernsWanted(text: string | undefined): Wanted {
  switch (text) {
    case undefined:
    case '':
      return { mode: 'auto' };
    case 'auto':
    case 'ranges':
    case 'single':
    case 'keep-id':
      return { mode: text };
    default:
      return keepIdWanted(text);
  }
}

const MAX_ID = 2 ** 31 - 1;

/** podman's `keep-id:uid=N,gid=N`: the caller is somebody else inside, whose files are the caller's all the same. */
function keepIdWanted(text: string): Wanted {
  const [, words] = /^keep-id:(.*)$/.exec(text) ?? [];
  const hint =
    "use auto, ranges, single, keep-id or keep-id:uid=1000,gid=1000; the host's own user namespace is never used";
  const wrong = new TsboxError('USAGE', `user namespace mode ${JSON.stringify(text)} is not known`, { hint });
  if (words === undefined) throw wrong;
  const ids: { uid?: number; gid?: number } = {};
  for (const word of words.split(',')) {
    const [, name, number] = /^(uid|gid)=(\d{1,10})$/.exec(word) ?? [];
    if (name === undefined || Number(number) > MAX_ID || ids[name as 'uid' | 'gid'] !== undefined)
      throw wrong;
    ids[name as 'uid' | 'gid'] = Number(number);
  }
  return { mode: 'keep-id', ...ids };
}

/** Docker's rule: the file must not exist, so that a script never reads a stale id. */
async function writeCidfile(path: string, id: string, cleanup: Cleanup): Promise<void> {
  try {
    await writeFile(path, id, { flag: 'wx' });
  } catch (cause) {
    throw new TsboxError('CONFLICT', `write the container id to ${path}: ${(cause as Error).message}`, {
      cause,
      hint: `make sure that no other container uses it, then: rm ${path}`,
    });
  }
  const { rm } = await import('node:fs/promises');
  cleanup.push(() => rm(path, { force: true }));
}
