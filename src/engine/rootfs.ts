import { homedir, tmpdir } from 'node:os';
import { TsboxError } from '../errors.ts';
import type { RootfsRequest } from '../storage/driver.ts';
import { storageDriver } from '../storage/select.ts';
import type { ContainerRecord } from '../store/container-record.ts';
import { containerMaps } from './container-maps.ts';
import type { Engine } from './context.ts';
import { mapsFor, storageHost } from './machine.ts';

/** Makes what the container's storage needs on disk; again at each start, since a layer may have gone. */
export async function prepareStorage(engine: Engine, record: ContainerRecord): Promise<void> {
  const host = storageHost(engine, await mapsFor(engine, 'auto'));
  const request = await rootfsRequest(engine, record);
  const prepare = (): Promise<void> => storageDriver(record.storage.driver).prepare(request, host);
  await prepare().catch(async (error: unknown) => {
    if (!(error instanceof TsboxError && error.code === 'STORAGE')) throw error;
    // A collection that has moved a layer aside puts it back when it sees this container: it is waited for.
    await (await import('./collect.ts')).withoutCollection(engine, prepare);
  });
}

/** What a storage driver needs to know of a container. */
export async function rootfsRequest(engine: Engine, record: ContainerRecord): Promise<RootfsRequest> {
  return {
    root: engine.paths.root,
    containerId: record.id,
    layers: record.image.layers,
    volatile: record.autoRemove,
    ...(record.storage.driver === 'host' && { cover: coveredPaths(engine) }),
    ...(record.userns.mode === 'keep-id' && { idmap: await keepIdMap(engine, record) }),
  };
}

/** What the `host` image does not show unless it is mounted with -v: private, volatile, or ours. */
function coveredPaths(engine: Engine): string[] {
  return [
    ...new Set([
      homedir(),
      '/home',
      '/root',
      '/run',
      '/tmp',
      '/var/tmp',
      tmpdir(),
      engine.paths.root,
      engine.paths.runtime,
    ]),
  ];
}

/** fuse-overlayfs' mapping strings: ids on disk (as the ranges map wrote them) to ids of the keep-id map. */
async function keepIdMap(engine: Engine, record: ContainerRecord): Promise<{ uid: string; gid: string }> {
  const { chooseMaps, keepIdMapping } = await import('../host/idmap.ts');
  const disk = await chooseMaps(engine.config, 'ranges');
  return keepIdMapping(disk.maps, await containerMaps(engine, record));
}
