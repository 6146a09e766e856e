import { join } from 'node:path';
import { TsboxError } from '../errors.ts';
import type { Paths } from '../host/paths.ts';
import { type Cleanup, withCleanup } from '../util/cleanup.ts';
import { writeFileAtomic } from './atomic.ts';
import type { ContainerRecord } from './container-record.ts';
import { identityAlive, ownIdentity } from './containers-owner.ts';
import { containerDirectory, containerExists, readContainerRecord, shortId } from './containers-read.ts';
import { withLock } from './lock.ts';
import { checkName, releaseName, takeName } from './names.ts';

/**
 * Changes a container's record: reads, changes and writes it under `containers/<id>/config.lock`, which nobody else takes. Throws what
 * readContainerRecord throws, NO_SPACE or IO.
 */
export async function changeRecord(
  paths: Paths,
  id: string,
  change: (record: ContainerRecord) => ContainerRecord | Promise<ContainerRecord>,
): Promise<ContainerRecord> {
  const directory = containerDirectory(paths, id);
  return withLock(join(directory, 'config.lock'), async () => {
    const changed = await change(await readContainerRecord(paths, id));
    await writeFileAtomic(join(directory, 'config.json'), `${JSON.stringify(changed)}\n`);
    return changed;
  });
}

/** The new name is taken before the record says so, the old one is free after. Throws USAGE, CONFLICT, IO. */
export async function renameContainer(paths: Paths, id: string, name: string): Promise<ContainerRecord> {
  checkName(name);
  let old = '';
  const renamed = await withCleanup(cleanup =>
    changeRecord(paths, id, async record => {
      await takeFor(paths, id, name, cleanup);
      old = record.name;
      return { ...record, name };
    }),
  );
  if (old !== name) await releaseName(paths, old, id);
  return renamed;
}

async function takeFor(paths: Paths, id: string, name: string, cleanup: Cleanup): Promise<void> {
  const stale = async (holder: string, identity: string): Promise<boolean> =>
    !identityAlive(identity) && !containerExists(paths, holder);
  const holder = await takeName(paths, name, id, ownIdentity(), stale);
  if (holder === undefined) cleanup.push(() => releaseName(paths, name, id));
  else if (holder !== id) throw nameTaken(name, holder);
}

const nameTaken = (name: string, holder: string): TsboxError =>
  new TsboxError('CONFLICT', `the name "${name}" is already in use by container ${shortId(holder)}`, {
    hint: `choose another one, or remove that container: tsbox rm ${name}`,
    exitCode: 1,
  });
