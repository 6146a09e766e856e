import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { hasErrno } from '../errors.ts';
import type { Paths } from '../host/paths.ts';
import { identityAlive } from './containers-owner.ts';
import { containerExists, listContainerIds } from './containers-read.ts';
import { holderOf, listNames, releaseName } from './names.ts';

/**
 * Removes what killed processes left half-made among the containers and volumes: hidden directories that never got their
 * name, drafts of names, names whose container never came or is gone. What belongs to a living process is left alone.
 */
export async function sweepDrafts(paths: Paths): Promise<void> {
  await Promise.all([paths.containers, paths.volumes].map(sweepHidden));
  await sweepNameDrafts(join(paths.containers, '.names'));
  await sweepNames(paths);
}

/** `.new-<what>.<identity>`: holds only files of our own. */
async function sweepHidden(parent: string): Promise<void> {
  for (const entry of await list(parent)) {
    const [, identity] = /^\.new-[^.]+\.(.+)$/.exec(entry) ?? [];
    if (identity !== undefined && !identityAlive(identity)) await discard(join(parent, entry));
  }
}

/** `.names/.<id>/<id>` holds the identity; one without it is being made now or was never written: both are empty. */
async function sweepNameDrafts(names: string): Promise<void> {
  for (const entry of (await list(names)).filter(name => name.startsWith('.'))) {
    const identity = await readFile(join(names, entry, entry.slice(1)), 'utf8').catch(() => undefined);
    if (identity !== undefined && !identityAlive(identity)) await discard(join(names, entry));
  }
}

/** Each container has one name; only where there are more is it worth to look at every one. */
async function sweepNames(paths: Paths): Promise<void> {
  const names = await listNames(paths);
  if (names.length <= listContainerIds(paths).length) return;
  for (const name of names) {
    const holder = await holderOf(paths, name);
    if (holder === undefined || identityAlive(holder.identity)) continue;
    if (!containerExists(paths, holder.id)) await releaseName(paths, name, holder.id);
  }
}

async function list(directory: string): Promise<string[]> {
  return readdir(directory).catch((error: unknown) => {
    if (!hasErrno(error, 'ENOENT')) throw error;
    return [];
  });
}

const discard = (path: string): Promise<void> => rm(path, { recursive: true, force: true });
