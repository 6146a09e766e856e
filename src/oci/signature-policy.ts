import { TsboxError } from '../errors.ts';
import { asArray, asObject, asString, asStringMap, type Json, parseObject } from './guard.ts';

/**
 * Who must have signed an image: containers-policy.json(5), the part that needs nothing but public keys. A kind of requirement that is not
 * known is one that nothing meets. Pure.
 */
export type Requirement =
  | { readonly type: 'accept' }
  | { readonly type: 'reject' }
  | { readonly type: 'sigstore'; readonly keys: readonly Key[]; readonly identity: Identity }
  | { readonly type: 'unsupported'; readonly name: string };

/** A public key in PEM: a file, or the text. */
export type Key = { readonly path: string } | { readonly data: Uint8Array };

export type Identity =
  | { readonly type: 'matchExact' | 'matchRepository' | 'matchRepoDigestOrExact' }
  | { readonly type: 'exactReference' | 'exactRepository'; readonly text: string };

export interface SignaturePolicy {
  readonly default: readonly Requirement[];
  /** Transport (`docker`, `oci-archive` …) to scope to requirements. */
  readonly transports: ReadonlyMap<string, ReadonlyMap<string, readonly Requirement[]>>;
}

export const ACCEPT_ANYTHING: SignaturePolicy = { default: [{ type: 'accept' }], transports: new Map() };

const MAX_POLICY = 1 << 20;
const LIMIT = 1000;

/** Throws USAGE, which names `file` and the member that is wrong. */
export function parsePolicy(bytes: Uint8Array, file: string): SignaturePolicy {
  try {
    const json = parseObject(bytes, 'policy', MAX_POLICY);
    const transports = Object.entries(
      json.transports === undefined ? {} : asObject(json.transports, 'transports'),
    );
    return {
      default: requirements(json.default, 'default'),
      transports: new Map(transports.map(([name, scopes]) => [name, scopesOf(scopes, `transports.${name}`)])),
    };
  } catch (cause) {
    const problem = cause instanceof TsboxError ? cause.message : String(cause);
    throw new TsboxError('USAGE', `signature policy ${file}: ${problem}`, {
      cause,
      hint: 'containers-policy.json(5) describes the format; {"default": [{"type": "insecureAcceptAnything"}]} accepts all',
    });
  }
}

function scopesOf(value: unknown, where: string): Map<string, readonly Requirement[]> {
  const scopes = Object.entries(asObject(value, where));
  return new Map(scopes.map(([scope, list]) => [scope, requirements(list, `${where}.${scope}`)]));
}

function requirements(value: unknown, where: string): Requirement[] {
  const list = asArray(value, where, LIMIT);
  if (list.length === 0)
    throw new TsboxError('MANIFEST', `${where} is empty: say "reject" or "insecureAcceptAnything"`);
  return list.map((item, i) => requirement(asObject(item, `${where}[${i}]`), `${where}[${i}]`));
}

/** Members of sigstoreSigned that say what we do not check: a policy with one of them accepts nothing. */
const BEYOND_US = /^(fulcio|rekor|pki)/;

function requirement(json: Json, where: string): Requirement {
  const name = asString(json.type, `${where}.type`);
  if (name === 'insecureAcceptAnything') return { type: 'accept' };
  if (name === 'reject') return { type: 'reject' };
  if (name !== 'sigstoreSigned') return { type: 'unsupported', name };
  const beyond = Object.keys(json).find(key => BEYOND_US.test(key));
  if (beyond !== undefined) return { type: 'unsupported', name: `sigstoreSigned with ${beyond}` };
  const keys = keysOf(json, where);
  if (keys.length === 0) throw new TsboxError('MANIFEST', `${where} has neither keyPath nor keyData`);
  return { type: 'sigstore', keys, identity: identityOf(json.signedIdentity, `${where}.signedIdentity`) };
}

function keysOf(json: Json, where: string): Key[] {
  const texts = (one: string, many: string): string[] => [
    ...(json[one] === undefined ? [] : [asString(json[one], `${where}.${one}`)]),
    ...(json[many] === undefined
      ? []
      : asArray(json[many], `${where}.${many}`, LIMIT).map((v, i) => asString(v, `${where}.${many}[${i}]`))),
  ];
  return [
    ...texts('keyPath', 'keyPaths').map(path => ({ path })),
    ...texts('keyData', 'keyDatas').map(data => ({ data: Buffer.from(data, 'base64') })),
  ];
}

function identityOf(value: unknown, where: string): Identity {
  if (value === undefined) return { type: 'matchRepoDigestOrExact' };
  const json = asStringMap(value, where);
  switch (json.type) {
    case 'matchExact':
    case 'matchRepository':
    case 'matchRepoDigestOrExact':
      return { type: json.type };
    case 'exactReference':
      return { type: json.type, text: asString(json.dockerReference, `${where}.dockerReference`) };
    case 'exactRepository':
      return { type: json.type, text: asString(json.dockerRepository, `${where}.dockerRepository`) };
    default:
      throw new TsboxError('MANIFEST', `${where}.type ${JSON.stringify(json.type)} is not supported`);
  }
}

/**
 * What holds for an image at a registry: the most specific scope wins, `host/path:tag`, `host/path`, its parents, the host, `*.domain`,
 * the transport's own `""`, the default. `name` is `host/path`, `suffix` `:tag` or `@digest`.
 */
export function requirementsFor(
  policy: SignaturePolicy,
  transport: string,
  name: string,
  suffix: string,
): readonly Requirement[] {
  const scopes = policy.transports.get(transport);
  for (const scope of scopes ? scopeNames(name, suffix) : []) {
    const found = scopes?.get(scope);
    if (found) return found;
  }
  return policy.default;
}

function scopeNames(name: string, suffix: string): string[] {
  const parts = name.split('/');
  const parents = parts.map((_, i) => parts.slice(0, parts.length - i).join('/'));
  const labels = (parts[0] ?? '').replace(/:\d+$/, '').split('.');
  const wild = labels.slice(1).map((_, i) => `*.${labels.slice(i + 1).join('.')}`);
  return [name + suffix, ...parents, ...wild, ''];
}

/** Is the name that was signed the one that was asked for? `wanted`: `host/path` with `:tag` or `@digest`. */
export function identityMatches(
  identity: Identity,
  signed: string,
  wanted: { name: string; suffix: string },
): boolean {
  const repository = signed.replace(/@.*$/, '').replace(/:[^:/]*$/, '');
  const exact = signed === wanted.name + wanted.suffix;
  switch (identity.type) {
    case 'matchExact':
      return exact;
    case 'matchRepository':
      return repository === wanted.name;
    case 'matchRepoDigestOrExact':
      // A digest says itself what is meant: then the repository is enough.
      return wanted.suffix.startsWith('@') ? repository === wanted.name : exact;
    case 'exactReference':
      return signed === identity.text;
    case 'exactRepository':
      return repository === identity.text;
  }
}
