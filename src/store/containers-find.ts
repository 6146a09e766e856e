import { TsboxError } from '../errors.ts';
import type { Paths } from '../host/paths.ts';
import { suggest } from '../util/suggest.ts';
import type { ContainerRecord } from './container-record.ts';
import {
  containerExists,
  isContainerId,
  listContainerIds,
  listContainerRecords,
  readContainerRecord,
  shortId,
} from './containers-read.ts';
import { holderOf, isName } from './names.ts';

/**
 * The container that a user means, in docker's order: full id, name, unambiguous beginning of an id. Throws NOT_FOUND with
 * a suggestion, USAGE when several ids begin so, and what readContainerRecord throws.
 */
export async function findContainer(paths: Paths, nameOrId: string): Promise<ContainerRecord> {
  return readContainerRecord(paths, await findContainerId(paths, nameOrId));
}

/** As findContainer, without reading the record: `rm -f` must reach a container whose record is damaged. */
export async function findContainerId(paths: Paths, nameOrId: string): Promise<string> {
  const text = nameOrId.replace(/^\//, '');
  if (isContainerId(text) && containerExists(paths, text)) return text;
  const holder = isName(text) ? await holderOf(paths, text) : undefined;
  if (holder && containerExists(paths, holder.id)) return holder.id;
  const matches = /^[0-9a-f]+$/.test(text) ? listContainerIds(paths).filter(id => id.startsWith(text)) : [];
  if (matches.length > 1) throw ambiguous(text, matches);
  return matches[0] ?? (await byRecordedName(paths, text));
}

/** Last resort, for a name whose entry was lost: slow, but only a failing command comes here. */
async function byRecordedName(paths: Paths, name: string): Promise<string> {
  const records = await listContainerRecords(paths);
  const found = records.find(r => r.name === name);
  if (found) return found.id;
  const near = suggest(
    name,
    records.map(r => r.name),
  );
  throw new TsboxError('NOT_FOUND', `no such container: ${name}`, {
    hint: near === undefined ? 'list them: tsbox ps -a' : `did you mean ${near}? List them: tsbox ps -a`,
  });
}

function ambiguous(text: string, ids: readonly string[]): TsboxError {
  const some = ids.slice(0, 4).map(shortId).join(', ');
  return new TsboxError('USAGE', `${ids.length} containers have an id that begins with ${text}: ${some}`, {
    hint: 'give more digits of the id, or the name',
  });
}
