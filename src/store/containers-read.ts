import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { hasErrno, messageOf, TsboxError } from '../errors.ts';
import type { Paths } from '../host/paths.ts';
import { ioError } from './atomic.ts';
import type { ContainerRecord } from './container-record.ts';

/**
 * Reading records. Synchronous inside: `ps` with 500 containers reads 1,000 small files, which takes half the time without
 * a trip through the thread pool for each.
 */

const ID = /^[0-9a-f]{64}$/;

export const isContainerId = (text: string): boolean => ID.test(text);

/** The twelve digits that docker shows. */
export const shortId = (id: string): string => id.slice(0, 12);

/** Absolute path of `containers/<id>`. Without node:path: for a list of 500, normalizing took a tenth of the time. */
export const containerDirectory = (paths: Paths, id: string): string => `${paths.containers}/${id}`;

export const containerExists = (paths: Paths, id: string): boolean =>
  existsSync(containerDirectory(paths, id));

/** The record of a container by its full id. Throws NOT_FOUND, STORE_CORRUPT, STORE_VERSION or IO. */
export async function readContainerRecord(paths: Paths, id: string): Promise<ContainerRecord> {
  const path = `${containerDirectory(paths, id)}/config.json`;
  try {
    return parseRecord(readFileSync(path, 'utf8'), path, id);
  } catch (error) {
    if (!hasErrno(error, 'ENOENT', 'ENOTDIR')) throw ioError(error, `cannot read ${path}`);
    throw new TsboxError('NOT_FOUND', `no such container: ${id}`, { hint: 'list them: tsbox ps -a' });
  }
}

function parseRecord(text: string, path: string, id: string): ContainerRecord {
  const value = parseJson(text, path, id);
  if (value?.version !== 1) {
    throw new TsboxError('STORE_VERSION', `${path} was written by another version of tsbox`, {
      hint: `use that version, or remove the container: tsbox rm -f ${shortId(id)}`,
    });
  }
  if (value.id !== id || typeof value.name !== 'string')
    throw corrupt(path, id, 'it describes something else');
  return value as ContainerRecord;
}

function parseJson(text: string, path: string, id: string): Partial<ContainerRecord> | null {
  try {
    return JSON.parse(text) as Partial<ContainerRecord> | null;
  } catch (error) {
    throw corrupt(path, id, messageOf(error));
  }
}

function corrupt(path: string, id: string, why: string): TsboxError {
  return new TsboxError('STORE_CORRUPT', `${path} is damaged: ${why}`, {
    hint: `remove the container: tsbox rm -f ${shortId(id)}`,
  });
}

/** Ids of every container directory, also of damaged ones, unsorted. */
export function listContainerIds(paths: Paths): string[] {
  try {
    return readdirSync(paths.containers).filter(isContainerId);
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return [];
    throw ioError(error, `cannot read ${paths.containers}`);
  }
}

/**
 * Every container whose record can be read, newest first. Half-made, damaged and just removed ones are left out: one bad
 * directory must not take `ps` away from all the others. `only` is asked for each id before its record is read.
 */
export async function listContainerRecords(
  paths: Paths,
  only: (id: string) => boolean = () => true,
): Promise<ContainerRecord[]> {
  const records: ContainerRecord[] = [];
  for (const id of listContainerIds(paths)) {
    if (!only(id)) continue;
    const path = `${containerDirectory(paths, id)}/config.json`;
    try {
      records.push(parseRecord(readFileSync(path, 'utf8'), path, id));
    } catch {
      // Left out, as said above; `rm -f ID` and every command that names it say what is wrong.
    }
  }
  return records.sort(newestFirst);
}

const newestFirst = (a: ContainerRecord, b: ContainerRecord): number =>
  a.created < b.created ? 1 : a.created > b.created ? -1 : a.id < b.id ? -1 : 1;
