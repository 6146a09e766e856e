import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { hasErrno } from '../errors.ts';
import type { Paths } from '../host/paths.ts';
import { isContainerId } from './containers-read.ts';

/**
 * `containers/.fleeting/<id>`: containers that must not outlive whoever made them (`--rm`, and those of `run` until they have
 * been started once), so that a sweep looks at these few and not at all records. Each file holds the maker's identity.
 */
export interface Fleeting {
  readonly id: string;
  /** Who made it: as long as that process lives, removing is its work. */
  readonly identity: string;
  /** Made by `run`: garbage if it was never started. */
  readonly transient: boolean;
}

const directory = (paths: Paths): string => join(paths.containers, '.fleeting');

export async function markFleeting(paths: Paths, mark: Fleeting): Promise<void> {
  await mkdir(directory(paths), { recursive: true, mode: 0o700 });
  const text = mark.transient ? `${mark.identity} transient` : mark.identity;
  await writeFile(join(directory(paths), mark.id), text, { mode: 0o600 });
}

export async function unmarkFleeting(paths: Paths, id: string): Promise<void> {
  await rm(join(directory(paths), id), { force: true });
}

export async function listFleeting(paths: Paths): Promise<Fleeting[]> {
  const entries = await readdir(directory(paths)).catch(absent);
  const marks = await Promise.all((entries ?? []).filter(isContainerId).map(id => readMark(paths, id)));
  return marks.filter(mark => mark !== undefined);
}

async function readMark(paths: Paths, id: string): Promise<Fleeting | undefined> {
  const text = await readFile(join(directory(paths), id), 'utf8').catch(absent);
  if (text === undefined) return undefined;
  const [identity = '', word] = text.split(' ');
  return { id, identity, transient: word === 'transient' };
}

function absent(error: unknown): undefined {
  if (!hasErrno(error, 'ENOENT')) throw error;
}
