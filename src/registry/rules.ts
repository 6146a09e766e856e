import { readdir, readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { hasErrno, messageOf, TsboxError } from '../errors.ts';
import type { Config } from '../host/config.ts';
import { absoluteEnvironment } from '../host/paths.ts';
import type { RegistryRule } from './registries-conf.ts';
import type { RegistryRules } from './sources.ts';

/** Our configuration and what containers/registries.conf adds. Throws USAGE for a file that cannot be understood. */
export async function loadRules(config: Config): Promise<RegistryRules> {
  const files = await confFiles();
  const texts = await Promise.all(files.map(readIfThere));
  const some = texts.some(text => text?.includes('registry'));
  if (!some) return { config: config.registries, rules: [] };
  const { parseRegistriesConf } = await import('./registries-conf.ts');
  const rules = files.map((file, i) => parseRegistriesConf(texts[i] ?? '', file));
  return { config: config.registries, rules: merge(rules) };
}

/** A later file replaces the rules of earlier ones that have the same prefix. */
function merge(files: readonly (readonly RegistryRule[])[]): readonly RegistryRule[] {
  const byPrefix = new Map(files.flat().map(rule => [rule.prefix, rule]));
  return [...byPrefix.values()];
}

/** The user's file takes the place of the machine's; the directories beside them are added to it, in the order of names. */
export async function confFiles(): Promise<readonly string[]> {
  const chosen = absoluteEnvironment('CONTAINERS_REGISTRIES_CONF');
  if (chosen !== undefined) return [chosen];
  const user = join(absoluteEnvironment('XDG_CONFIG_HOME') ?? join(homedir(), '.config'), 'containers');
  const system = '/etc/containers';
  const main = (await readIfThere(join(user, 'registries.conf'))) === undefined ? system : user;
  const parts = await Promise.all([system, user].map(dir => dropIns(join(dir, 'registries.conf.d'))));
  return [join(main, 'registries.conf'), ...parts.flat()];
}

async function dropIns(directory: string): Promise<string[]> {
  const names = await readdir(directory).catch((): string[] => []);
  return names
    .filter(name => name.endsWith('.conf'))
    .sort()
    .map(name => join(directory, name));
}

async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    if (hasErrno(cause, 'ENOENT', 'ENOTDIR')) return undefined;
    throw new TsboxError('USAGE', `${file} cannot be read: ${messageOf(cause)}`, { cause });
  }
}
