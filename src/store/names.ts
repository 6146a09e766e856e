import { join } from 'node:path';
import { hasErrno, TsboxError } from '../errors.ts';
import type { Paths } from '../host/paths.ts';
import { mkdir, readdir, readFile, rename, rm, rmdir, unlink, writeFile } from '../util/files.ts';
import { ADJECTIVES, PEOPLE } from './name-words.ts';

/**
 * Names of containers. `containers/.names/<name>/` is a directory with one entry, the id of the container that has the name;
 * the entry holds the identity of the process that reserved it. A directory, because rename(2) replaces an empty one and
 * refuses a full one in a single step: a stale holder is taken out under its own id, so that of any number of processes
 * that want the name exactly one gets it, without a lock and wherever one of them is killed.
 */

const GRAMMAR = /^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/;
/** NAME_MAX. */
const LONGEST = 255;

/** Throws USAGE for a name that docker would not take either. */
export function checkName(name: string): void {
  if (GRAMMAR.test(name) && name.length <= LONGEST) return;
  throw new TsboxError('USAGE', `invalid container name ${JSON.stringify(name)}`, {
    hint: 'a name has two or more of the characters a-z A-Z 0-9 _ . - and begins with a letter or digit',
  });
}

/** Can a file of this name exist below `.names`? Other texts are never looked up. */
export function isName(text: string): boolean {
  return GRAMMAR.test(text) && text.length <= LONGEST;
}

/**
 * Takes `name` for container `id`. Returns undefined when it is taken now, else the id of the holder.
 * `isStale(id, identity)` says that a holder is gone for good: it must never become true of a living one.
 */
export async function takeName(
  paths: Paths,
  name: string,
  id: string,
  identity: string,
  isStale: (id: string, identity: string) => Promise<boolean>,
): Promise<string | undefined> {
  const draft = join(names(paths), `.new-${id}.${identity}`);
  await mkdir(draft, { recursive: true, mode: 0o700 });
  try {
    await writeFile(join(draft, id), identity, { mode: 0o600 });
    return await place(paths, name, draft, isStale);
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}

async function place(
  paths: Paths,
  name: string,
  draft: string,
  isStale: (id: string, identity: string) => Promise<boolean>,
): Promise<string | undefined> {
  for (;;) {
    try {
      await rename(draft, join(names(paths), name));
      return undefined;
    } catch (error) {
      if (!hasErrno(error, 'ENOTEMPTY', 'EEXIST')) throw error;
    }
    const holder = await holderOf(paths, name);
    if (!holder) continue;
    if (!(await isStale(holder.id, holder.identity))) return holder.id;
    await releaseName(paths, name, holder.id);
  }
}

/** Who has the name now. */
export async function holderOf(
  paths: Paths,
  name: string,
): Promise<{ readonly id: string; readonly identity: string } | undefined> {
  try {
    const [id] = await readdir(join(names(paths), name));
    if (id === undefined) return undefined;
    return { id, identity: await readFile(join(names(paths), name, id), 'utf8') };
  } catch (error) {
    if (hasErrno(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw error;
  }
}

/** Gives the name back if `id` has it; a name that somebody else has by now is left alone. */
export async function releaseName(paths: Paths, name: string, id: string): Promise<void> {
  await unlink(join(names(paths), name, id)).catch(ignore('ENOENT', 'ENOTDIR'));
  await removeEmptyName(paths, name);
}

/** A name that nobody has; one that somebody has is left alone. */
export async function removeEmptyName(paths: Paths, name: string): Promise<void> {
  await rmdir(join(names(paths), name)).catch(ignore('ENOENT', 'ENOTDIR', 'ENOTEMPTY', 'EEXIST'));
}

/** Every name with an entry, drafts left out. */
export async function listNames(paths: Paths): Promise<string[]> {
  const entries = await readdir(names(paths)).catch(ignore('ENOENT'));
  return (entries ?? []).filter(isName);
}

/** A random name like docker's: `quiet_hopper`. With `attempt` above 0 a digit follows. */
export function generateName(attempt = 0): string {
  const pick = (words: readonly string[]) => words[random(words.length)] ?? 'plain';
  return `${pick(ADJECTIVES)}_${pick(PEOPLE)}${attempt > 0 ? random(10) : ''}`;
}

/** No secret: node:crypto would cost 2 ms at every start. */
const random = (below: number): number => Math.floor(Math.random() * below);

const names = (paths: Paths): string => join(paths.containers, '.names');

const ignore =
  (...codes: string[]) =>
  (error: unknown): undefined => {
    if (!hasErrno(error, ...codes)) throw error;
  };
