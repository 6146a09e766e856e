import { parse } from 'smol-toml';
import { messageOf, TsboxError } from '../errors.ts';

/** One `[[registry]]` of containers/registries.conf (version 2; man containers-registries.conf(5)). */
export interface RegistryRule {
  /** `host[/path]` or `*.host`. */
  readonly prefix: string;
  /** What takes the place of the prefix; empty: nothing does. */
  readonly location: string;
  readonly insecure: boolean;
  readonly blocked: boolean;
  readonly mirrors: readonly MirrorRule[];
}

export interface MirrorRule {
  readonly location: string;
  readonly insecure: boolean;
  /** For which references it is asked. */
  readonly pull: 'all' | 'digest-only' | 'tag-only';
}

/**
 * The registries of one file; what short names mean is read elsewhere (aliases.ts). Throws USAGE with the file's name: a blocked registry must not be asked because of a typing error.
 */
export function parseRegistriesConf(text: string, file: string): readonly RegistryRule[] {
  // Most installations have only comments or aliases in it; then there is nothing to parse.
  if (!/^\s*(\[\[\s*registry|registry\s*=)/m.test(text)) return [];
  let doc: Record<string, unknown>;
  try {
    doc = parse(text);
  } catch (cause) {
    throw new TsboxError('USAGE', `${file} is not valid TOML: ${messageOf(cause).split('\n')[0]}`, { cause });
  }
  const fail = (problem: string): never => {
    throw new TsboxError('USAGE', `${file}: ${problem}`, { hint: 'see man containers-registries.conf' });
  };
  return tables(doc.registry, fail).map(table => parseRule(table, fail));
}

type Fail = (problem: string) => never;
type Table = Readonly<Record<string, unknown>>;

function tables(value: unknown, fail: Fail): readonly Table[] {
  if (value === undefined) return [];
  if (!Array.isArray(value)) return fail('[[registry]] and [[registry.mirror]] are lists of tables');
  return value.map(item =>
    typeof item === 'object' && item !== null ? (item as Table) : fail('a registry is no table'),
  );
}

function parseRule(table: Table, fail: Fail): RegistryRule {
  const location = text(table, 'location', fail);
  const prefix = text(table, 'prefix', fail) || location;
  if (prefix === '') fail('a [[registry]] has neither prefix nor location');
  return {
    prefix,
    location,
    insecure: table.insecure === true,
    blocked: table.blocked === true,
    mirrors: tables(table.mirror, fail).map(mirror => parseMirror(mirror, table, fail)),
  };
}

function parseMirror(mirror: Table, rule: Table, fail: Fail): MirrorRule {
  const location = text(mirror, 'location', fail);
  if (location === '') fail('a [[registry.mirror]] has no location');
  const own = text(mirror, 'pull-from-mirror', fail);
  const pull = own || (rule['mirror-by-digest-only'] === true ? 'digest-only' : 'all');
  if (pull !== 'all' && pull !== 'digest-only' && pull !== 'tag-only') {
    return fail(`pull-from-mirror cannot be ${JSON.stringify(pull)}`);
  }
  return { location, insecure: mirror.insecure === true, pull };
}

function text(table: Table, key: string, fail: Fail): string {
  const value = table[key] ?? '';
  return typeof value === 'string' ? value.replace(/\/+$/, '') : fail(`${key} is not a string`);
}

/** The rule for a repository (`host/path`): the longest prefix that fits wins. */
export function findRule(rules: readonly RegistryRule[], repository: string): RegistryRule | undefined {
  const fitting = rules.filter(rule => matchLength(rule.prefix, repository) > 0);
  return fitting.reduce<RegistryRule | undefined>((best, rule) => {
    return best !== undefined && best.prefix.length >= rule.prefix.length ? best : rule;
  }, undefined);
}

/** How much of `repository` the prefix covers; 0 when it does not fit. */
export function matchLength(prefix: string, repository: string): number {
  if (prefix.startsWith('*.')) {
    const host = repository.split('/', 1)[0] ?? '';
    return host.replace(/:[0-9]+$/, '').endsWith(prefix.slice(1)) ? host.length : 0;
  }
  const whole = repository === prefix || repository.startsWith(`${prefix}/`);
  return whole ? prefix.length : 0;
}
