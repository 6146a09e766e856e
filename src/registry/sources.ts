import { TsboxError } from '../errors.ts';
import type { Config } from '../host/config.ts';
import { type Reference, repositoryOf } from '../oci/reference.ts';
import { isLoopback } from './hosts.ts';
import { findRule, matchLength, type RegistryRule } from './registries-conf.ts';

/** Somewhere to ask for a repository: the registry of its name, or a mirror of it. */
export interface Source {
  /** `host[:port]` as users and credential files name it. */
  readonly host: string;
  /** The repository there. */
  readonly path: string;
  /** Schemes to try, the first that answers is kept. */
  readonly schemes: readonly ('http' | 'https')[];
  /** Certificates are not checked. */
  readonly insecure: boolean;
  readonly mirror: boolean;
}

/** What the user's files say about registries. */
export interface RegistryRules {
  /** Our own configuration. */
  readonly config: Pick<Config['registries'], 'mirrors' | 'insecure' | 'blocked'>;
  /** containers/registries.conf. */
  readonly rules: readonly RegistryRule[];
}

/**
 * Where to pull `ref` from, in the order to try: mirrors of our configuration, mirrors of registries.conf, the registry
 * itself. Throws REGISTRY when the registry is blocked.
 */
export function pullSources(ref: Reference, rules: RegistryRules): readonly Source[] {
  const repository = repositoryOf(ref);
  const rule = findRule(rules.rules, repository);
  refuseBlocked(repository, rule, rules);
  const own = (rules.config.mirrors[ref.domain] ?? []).map(text => fromText(text, ref.path, rules));
  const kind = ref.digest === undefined ? 'tag-only' : 'digest-only';
  const theirs = (rule?.mirrors ?? [])
    .filter(mirror => mirror.pull === 'all' || mirror.pull === kind)
    .map(mirror => source(mirror.location + rest(rule, repository), mirror.insecure, true, rules));
  const moved =
    rule !== undefined && rule.location !== '' ? rule.location + rest(rule, repository) : repository;
  return [...own, ...theirs, source(moved, rule?.insecure === true, false, rules)];
}

/** Where to push `ref` to: never a mirror. */
export function pushSource(ref: Reference, rules: RegistryRules): Source {
  return pullSources(ref, rules).at(-1) as Source;
}

/** A registry itself, for what is about none of its repositories. Throws REGISTRY when it is blocked. */
export function registrySource(host: string, rules: RegistryRules): Source {
  const rule = findRule(rules.rules, host);
  refuseBlocked(host, rule, rules);
  return source(`${host}/`, rule?.insecure === true, false, rules);
}

function refuseBlocked(name: string, rule: RegistryRule | undefined, rules: RegistryRules): void {
  const own = rules.config.blocked.some(prefix => matchLength(prefix, name) > 0);
  if (!own && rule?.blocked !== true) return;
  const where = own ? 'registries.blocked of the config file' : 'containers/registries.conf';
  throw new TsboxError('REGISTRY', `${name} is blocked by ${where}`);
}

function rest(rule: RegistryRule | undefined, repository: string): string {
  return rule === undefined ? '' : repository.slice(matchLength(rule.prefix, repository));
}

/** A mirror as our configuration has it: `[http[s]://]host[:port][/path]`. */
function fromText(text: string, path: string, rules: RegistryRules): Source {
  const match = /^(?:(https?):\/\/)?((?:\[[0-9a-fA-F:]+\]|[\w.-]+)(?::[0-9]+)?)(\/[\w./-]*)?$/.exec(
    text.replace(/\/+$/, ''),
  );
  if (match === null)
    throw new TsboxError('USAGE', `${JSON.stringify(text)} in registries.mirrors is no registry address`);
  const [, scheme, host = '', prefix = ''] = match;
  const made = source(`${host}${prefix}/${path}`, false, true, rules);
  return scheme === undefined ? made : { ...made, schemes: [scheme as 'http' | 'https'] };
}

function source(repository: string, insecure: boolean, mirror: boolean, rules: RegistryRules): Source {
  const slash = repository.indexOf('/');
  const host = repository.slice(0, slash);
  const path = repository.slice(slash + 1);
  // Nobody listens in between on the loopback interface: plain HTTP is fine there, and it is what test registries speak.
  if (isLoopback(host)) return { host, path, schemes: ['http', 'https'], insecure: true, mirror };
  const loose = insecure || isInsecureHost(host, rules);
  return { host, path, schemes: loose ? ['https', 'http'] : ['https'], insecure: loose, mirror };
}

/** True for hosts that may be spoken to without certificates that can be checked. */
export function isInsecureHost(host: string, rules: RegistryRules): boolean {
  return isLoopback(host) || rules.config.insecure.some(entry => matchLength(entry, host) > 0);
}
