import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { hasErrno, TsboxError } from '../errors.ts';
import { giveToStore } from '../host/owner.ts';
import type { Paths } from '../host/paths.ts';
import { mkdir, rename, rm } from '../util/files.ts';
import { suggest } from '../util/suggest.ts';
import { ioError, newId, readJson, writeFileAtomic } from './atomic.ts';
import { ownIdentity } from './containers-owner.ts';

/** `volumes/<name>/volume.json`, written once; what the volume holds is in `_data` beside it. */
export interface VolumeRecord {
  readonly version: 1;
  readonly name: string;
  /** RFC 3339, UTC. */
  readonly created: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Made for one container without a name: goes with `rm -v`, `--rm` and prune. */
  readonly anonymous: boolean;
}

export interface VolumeOptions {
  readonly labels?: Readonly<Record<string, string>>;
  readonly anonymous?: boolean;
}

const GRAMMAR = /^[a-zA-Z0-9][a-zA-Z0-9_.-]{1,254}$/;

/** Docker's grammar. Throws USAGE. */
export function checkVolumeName(name: string): void {
  if (GRAMMAR.test(name)) return;
  throw new TsboxError('USAGE', `invalid volume name ${JSON.stringify(name)}`, {
    hint: 'a name has two or more of the characters a-z A-Z 0-9 _ . - and begins with a letter or digit; a host path begins with / or ./',
  });
}

/** Absolute path of what the volume holds. */
export const volumeData = (paths: Paths, name: string): string => join(paths.volumes, name, '_data');

/**
 * Makes a volume; one that exists is left as it is, as docker does. `made` says which: an undo must not remove what was
 * there before. Throws USAGE for a bad name, NO_SPACE or IO.
 */
export async function makeVolume(
  paths: Paths,
  name: string,
  options: VolumeOptions = {},
): Promise<{ readonly record: VolumeRecord; readonly made: boolean }> {
  checkVolumeName(name);
  const found = await findVolume(paths, name);
  if (found) return { record: found, made: false };
  const record: VolumeRecord = {
    version: 1,
    name,
    created: new Date().toISOString(),
    labels: options.labels ?? {},
    anonymous: options.anonymous ?? false,
  };
  const made = await place(paths, record);
  return { record: made ? record : await readVolume(paths, name), made };
}

/** Built under a hidden name; rename(2) refuses a directory that holds something, so one of two makers wins. */
async function place(paths: Paths, record: VolumeRecord): Promise<boolean> {
  const draft = join(paths.volumes, `.new-${newId().slice(0, 16)}.${ownIdentity()}`);
  try {
    await mkdir(join(draft, '_data'), { recursive: true, mode: 0o755 });
    for (const path of [draft, join(draft, '_data')]) giveToStore(paths.root, path);
    await writeFileAtomic(join(draft, 'volume.json'), `${JSON.stringify(record)}\n`);
    await rename(draft, join(paths.volumes, record.name));
    return true;
  } catch (error) {
    await rm(draft, { recursive: true, force: true });
    if (hasErrno(error, 'ENOTEMPTY', 'EEXIST')) return false;
    throw ioError(error, `cannot make volume ${record.name}`);
  }
}

/** Undefined when there is none (or the name cannot be one). Throws STORE_CORRUPT, STORE_VERSION or IO. */
export async function findVolume(paths: Paths, name: string): Promise<VolumeRecord | undefined> {
  if (!GRAMMAR.test(name)) return undefined;
  const path = join(paths.volumes, name, 'volume.json');
  const record = await readJson<VolumeRecord>(path);
  if (record !== undefined && record?.version !== 1) {
    throw new TsboxError('STORE_VERSION', `${path} was written by another version of tsbox`);
  }
  return record;
}

/** As findVolume; throws NOT_FOUND with a suggestion. */
export async function readVolume(paths: Paths, name: string): Promise<VolumeRecord> {
  const record = await findVolume(paths, name);
  if (record) return record;
  const near = suggest(name, volumeNames(paths));
  throw new TsboxError('NOT_FOUND', `no such volume: ${name}`, {
    hint:
      near === undefined ? 'list them: tsbox volume ls' : `did you mean ${near}? List them: tsbox volume ls`,
  });
}

/** Sorted by name; unreadable ones are left out. */
export async function listVolumeRecords(paths: Paths): Promise<VolumeRecord[]> {
  const found = volumeNames(paths).map(name => findVolume(paths, name).catch(() => undefined));
  return (await Promise.all(found)).filter(record => record !== undefined);
}

function volumeNames(paths: Paths): string[] {
  try {
    return readdirSync(paths.volumes)
      .filter(name => GRAMMAR.test(name))
      .sort();
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return [];
    throw ioError(error, `cannot read ${paths.volumes}`);
  }
}

/**
 * Moves a volume out of sight, to `tmp/`; its new path relative to the store, or undefined when it is gone. `putBack`
 * undoes it, unless the name has been taken meanwhile.
 */
export async function setVolumeAside(
  paths: Paths,
  name: string,
): Promise<{ readonly relative: string; putBack(): Promise<void> } | undefined> {
  const relative = join('tmp', `gone-${newId().slice(0, 16)}.${ownIdentity()}`);
  const [from, to] = [join(paths.volumes, name), join(paths.root, relative)];
  try {
    await mkdir(paths.tmp, { recursive: true, mode: 0o700 });
    await rename(from, to);
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return undefined;
    throw ioError(error, `cannot remove volume ${name}`);
  }
  return { relative, putBack: () => rename(to, from) };
}

/** As makeVolume, for who only wants it to be there. True when it was made now. */
export async function ensureVolume(
  paths: Paths,
  name: string,
  options: VolumeOptions = {},
): Promise<boolean> {
  return (await makeVolume(paths, name, options)).made;
}
