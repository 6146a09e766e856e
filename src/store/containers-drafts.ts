import { join } from 'node:path';
import { hasErrno } from '../errors.ts';
import type { Paths } from '../host/paths.ts';
import { readdir, rm } from '../util/files.ts';
import { identityAlive } from './containers-owner.ts';
import { containerExists, listContainerIds } from './containers-read.ts';
import { holderOf, listNames, releaseName, removeEmptyName } from './names.ts';

/**
 * Removes what killed processes left half-made among the containers and volumes: hidden directories that never got their
 * name, drafts of names, names whose container never came or is gone. What belongs to a living process is left alone.
 */
export async function sweepDrafts(paths: Paths): Promise<void> {
  await Promise.all([paths.containers, join(paths.containers, '.names'), paths.volumes].map(sweepHidden));
  await sweepNames(paths);
}

/** `.new-<what>.<identity>`: holds only files of our own. */
async function sweepHidden(parent: string): Promise<void> {
  for (const entry of await list(parent)) {
    const [, identity] = /^\.new-[^.]+\.(.+)$/.exec(entry) ?? [];
    if (identity === undefined || identityAlive(identity)) continue;
    await rm(join(parent, entry), { recursive: true, force: true });
  }
}

/** Each container has one name; only where there are more is it worth to look at every one. */
async function sweepNames(paths: Paths): Promise<void> {
  const names = await listNames(paths);
  if (names.length <= listContainerIds(paths).length) return;
  for (const name of names) {
    const holder = await holderOf(paths, name);
    if (holder === undefined) await removeEmptyName(paths, name);
    else if (!identityAlive(holder.identity) && !containerExists(paths, holder.id)) {
      await releaseName(paths, name, holder.id);
    }
  }
}

async function list(directory: string): Promise<string[]> {
  return readdir(directory).catch((error: unknown) => {
    if (!hasErrno(error, 'ENOENT')) throw error;
    return [];
  });
}
