import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'smol-toml';
import { messageOf, TsboxError } from '../errors.ts';
import type { Config } from '../host/config.ts';
import { absoluteEnvironment, ourUid } from '../host/paths.ts';
import { parseReference, repositoryOf } from '../oci/reference.ts';
import { confFiles } from './rules.ts';

/**
 * What a short name (`fedora`, `ubi9/ubi`) stands for: our configuration, the choices that containers tools remember, then
 * `[aliases]` of registries.conf (containers-registries.conf(5)), a later file before an earlier one, then the first of
 * `unqualified-search-registries`, unless docker.io is one of them. Undefined when nobody says so: then it is docker.io's. Throws USAGE for a file or a value that cannot be understood.
 */
export async function findAlias(name: string, config: Config['registries']): Promise<string | undefined> {
  const own = Object.hasOwn(config.aliases, name) ? config.aliases[name] : undefined;
  if (own !== undefined) return repository(name, own, 'registries.aliases of the config file');
  const files = [...(await confFiles()), cacheFile()].reverse();
  let search: string | undefined;
  for (const file of files) {
    const text = await readFile(file, 'utf8').catch(() => '');
    search ??= text.includes(SEARCH) ? searchIn(text, file) : undefined;
    // Most files say nothing about it; a parser is slower than a look.
    if (!text.includes(name) || !text.includes('aliases')) continue;
    const value = aliasIn(text, name, file);
    // An empty one takes an alias of an earlier file away.
    if (value !== undefined) return value === '' ? undefined : repository(name, value, file);
  }
  return search ? repository(name, `${search}/${name}`, SEARCH) : undefined;
}

const SEARCH = 'unqualified-search-registries';

/**
 * The registry that short names mean; empty: docker.io, undefined: the file does not say. One registry, not the first that answers: a
 * name that is free in one of them would be anybody's to take.
 */
function searchIn(text: string, file: string): string | undefined {
  const { [SEARCH]: list } = parsed(text, file);
  if (list === undefined) return undefined;
  if (!Array.isArray(list) || !list.every(item => typeof item === 'string'))
    throw new TsboxError('USAGE', `${file}: ${SEARCH} is not a list of registries`);
  return list.includes('docker.io') ? '' : (list[0] ?? '');
}

function aliasIn(text: string, name: string, file: string): string | undefined {
  const { aliases } = parsed(text, file);
  if (typeof aliases !== 'object' || aliases === null || !Object.hasOwn(aliases, name)) return undefined;
  return String((aliases as Record<string, unknown>)[name]);
}

function parsed(text: string, file: string): Readonly<Record<string, unknown>> {
  try {
    return parse(text);
  } catch (cause) {
    throw new TsboxError('USAGE', `${file} is not valid TOML: ${messageOf(cause).split('\n')[0]}`, { cause });
  }
}

function repository(name: string, value: string, where: string): string {
  const ref = parseReference(value);
  const bare = repositoryOf(ref);
  if (value === bare) return bare;
  throw new TsboxError(
    'USAGE',
    `${where}: the alias of ${name} is ${JSON.stringify(value)}, not host/repository`,
  );
}

function cacheFile(): string {
  if (ourUid() === 0) return '/var/cache/containers/short-name-aliases.conf';
  const cache = absoluteEnvironment('XDG_CACHE_HOME') ?? join(homedir(), '.cache');
  return join(cache, 'containers/short-name-aliases.conf');
}
