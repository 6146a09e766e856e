import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { hasErrno, TsboxError } from '../errors.ts';
import { giveToStore } from '../host/owner.ts';
import type { Paths } from '../host/paths.ts';
import { mkdir, readFile, rename, rm } from '../util/files.ts';
import { suggest } from '../util/suggest.ts';
import { ioError, newId, writeFileAtomic } from './atomic.ts';
import { identityAlive, ownIdentity } from './containers-owner.ts';
import type { NetworkRecord } from './network-record.ts';

/** User-defined networks: a directory each, named as the network is, which makes names unique. */

const GRAMMAR = /^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,254}$/;

/** docker's grammar. Throws USAGE. */
export function checkNetworkName(name: string): void {
  if (GRAMMAR.test(name)) return;
  throw new TsboxError('USAGE', `invalid network name ${JSON.stringify(name)}`, {
    hint: 'a name has the characters a-z A-Z 0-9 _ . - and begins with a letter or digit',
  });
}

export const networkDirectory = (paths: Paths, name: string): string => join(paths.networks, name);

/** Throws CONFLICT when the name is taken. */
export async function placeNetwork(paths: Paths, record: NetworkRecord): Promise<void> {
  const draft = join(paths.networks, `.new-${newId().slice(0, 16)}.${ownIdentity()}`);
  try {
    await mkdir(join(draft, 'addresses'), { recursive: true, mode: 0o700 });
    giveToStore(paths.root, draft);
    await writeFileAtomic(join(draft, 'network.json'), `${JSON.stringify(record)}\n`);
    await rename(draft, networkDirectory(paths, record.name));
  } catch (error) {
    await rm(draft, { recursive: true, force: true });
    if (hasErrno(error, 'ENOTEMPTY', 'EEXIST')) throw taken(record.name);
    throw ioError(error, `cannot make network ${record.name}`);
  }
}

const taken = (name: string): TsboxError =>
  new TsboxError('CONFLICT', `network with name ${name} already exists`, {
    hint: 'tsbox network ls shows what there is',
  });

/** By name, id, or unambiguous beginning of an id; undefined when there is none. */
export async function findNetwork(paths: Paths, nameOrId: string): Promise<NetworkRecord | undefined> {
  const named = GRAMMAR.test(nameOrId) ? await readRecord(paths, nameOrId) : undefined;
  if (named || !/^[0-9a-f]+$/.test(nameOrId)) return named;
  const matches = (await listNetworkRecords(paths)).filter(network => network.id.startsWith(nameOrId));
  if (matches.length < 2) return matches[0];
  throw new TsboxError('USAGE', `${matches.length} networks have an id that begins with ${nameOrId}`, {
    hint: 'give more digits of the id, or the name',
  });
}

/** As findNetwork; throws NOT_FOUND with a suggestion. */
export async function readNetwork(paths: Paths, nameOrId: string): Promise<NetworkRecord> {
  const found = await findNetwork(paths, nameOrId);
  if (found) return found;
  const near = suggest(nameOrId, networkNames(paths));
  throw new TsboxError('NOT_FOUND', `network ${nameOrId} not found`, {
    hint:
      near === undefined
        ? 'list them: tsbox network ls'
        : `did you mean ${near}? List them: tsbox network ls`,
  });
}

/** Sorted by name; unreadable ones are left out. */
export async function listNetworkRecords(paths: Paths): Promise<NetworkRecord[]> {
  const found = await Promise.all(
    networkNames(paths).map(name => readRecord(paths, name).catch(() => undefined)),
  );
  return found.filter(record => record !== undefined);
}

export function networkNames(paths: Paths): string[] {
  try {
    return readdirSync(paths.networks)
      .filter(name => GRAMMAR.test(name))
      .sort();
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return [];
    throw ioError(error, `cannot list ${paths.networks}`);
  }
}

/**
 * Takes a network out of sight, asks `inUse` once more, and removes it; puts it back and throws CONFLICT when it is used. A
 * container that starts in that moment finds no such network.
 */
export async function removeNetworkDirectory(
  paths: Paths,
  name: string,
  inUse: (directory: string) => Promise<TsboxError | undefined>,
): Promise<void> {
  const aside = join(paths.networks, `.gone-${newId().slice(0, 16)}.${ownIdentity()}`);
  try {
    await rename(networkDirectory(paths, name), aside);
    const refused = await inUse(aside);
    if (refused) await rename(aside, networkDirectory(paths, name));
    if (refused) throw refused;
    await rm(aside, { recursive: true, force: true });
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) throw new TsboxError('NOT_FOUND', `network ${name} not found`);
    throw ioError(error, `cannot remove network ${name}`);
  }
}

/** What killed commands left: drafts, and networks on their way out. */
export async function sweepNetworkDrafts(paths: Paths): Promise<void> {
  for (const entry of readdirSync(paths.networks)) {
    const [, maker] = /^\.(?:new|gone)-[^.]+\.(.+)$/.exec(entry) ?? [];
    if (maker !== undefined && !identityAlive(maker))
      await rm(join(paths.networks, entry), { recursive: true, force: true });
  }
}

async function readRecord(paths: Paths, name: string): Promise<NetworkRecord | undefined> {
  const path = join(networkDirectory(paths, name), 'network.json');
  try {
    const record = JSON.parse(await readFile(path, 'utf8')) as NetworkRecord;
    if (record?.version === 1) return record;
  } catch (error) {
    if (hasErrno(error, 'ENOENT', 'ENOTDIR')) return undefined;
    if (!(error instanceof SyntaxError)) throw ioError(error, `cannot read ${path}`);
    throw new TsboxError('STORE_CORRUPT', `${path} is not JSON`, { cause: error });
  }
  throw new TsboxError('STORE_VERSION', `${path} was written by another version of tsbox`);
}
