import { join } from 'node:path';
import { hasErrno } from '../errors.ts';
import type { Paths } from '../host/paths.ts';
import { mkdir, readdir, rm, writeFile } from '../util/files.ts';

/**
 * `containers/.fleeting/<id>.<maker>[.run]`: empty files that mark the containers which must not outlive whoever made them
 * (`--rm`, and those of `run` until they have been started once). One listing tells a sweep which few to look at.
 */
export interface Fleeting {
  readonly id: string;
  /** Who made it: as long as that process lives, removing is its work. */
  readonly identity: string;
  /** Made by `run`: garbage if it was never started. */
  readonly transient: boolean;
}

const MARK = /^([0-9a-f]{64})\.([^.]+)(\.run)?$/;

const directory = (paths: Paths): string => join(paths.containers, '.fleeting');

export async function markFleeting(paths: Paths, mark: Fleeting): Promise<void> {
  await mkdir(directory(paths), { recursive: true, mode: 0o700 });
  const name = `${mark.id}.${mark.identity}${mark.transient ? '.run' : ''}`;
  await writeFile(join(directory(paths), name), '', { mode: 0o600 });
}

/** No mark: nothing to do. */
export async function unmarkFleeting(paths: Paths, id: string): Promise<void> {
  for (const name of await list(paths)) {
    if (name.startsWith(`${id}.`)) await rm(join(directory(paths), name), { force: true });
  }
}

export async function listFleeting(paths: Paths): Promise<Fleeting[]> {
  return (await list(paths)).flatMap(name => {
    const [, id, identity, run] = MARK.exec(name) ?? [];
    return id !== undefined && identity !== undefined ? [{ id, identity, transient: run !== undefined }] : [];
  });
}

async function list(paths: Paths): Promise<string[]> {
  return readdir(directory(paths)).catch((error: unknown) => {
    if (!hasErrno(error, 'ENOENT')) throw error;
    return [];
  });
}
