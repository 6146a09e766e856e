import { type Credentials, hostKeys } from './auth-file.ts';

type Table = Readonly<Record<string, unknown>>;

/** The key under which docker keeps its own registry's secrets; every other registry is its host. */
const HUB_KEY = 'https://index.docker.io/v1/';

export const serverKey = (host: string): string => (host === 'docker.io' ? HUB_KEY : host);

/** The credential helper that docker's `config.json` names for a host: its own, else the one for all. */
export function helperFor(file: unknown, host: string): string | undefined {
  const doc = tableOf(file);
  const helpers = tableOf(doc.credHelpers);
  const own = hostKeys(host).find(key => typeof helpers[key] === 'string' && helpers[key] !== '');
  const helper = own === undefined ? doc.credsStore : helpers[own];
  return typeof helper === 'string' && helper !== '' ? helper : undefined;
}

/**
 * The file with a host's secrets in it; without `credentials`, with the mark that a helper has them (as docker writes it).
 * Everything else in the file stays as it is.
 */
export function withAuth(file: unknown, host: string, credentials: Credentials | undefined): Table {
  const doc = tableOf(file);
  const others = without(tableOf(doc.auths), host);
  const auth = credentials && {
    auth: Buffer.from(`${credentials.username}:${credentials.isToken ? '' : credentials.secret()}`).toString(
      'base64',
    ),
    ...(credentials.isToken && { identitytoken: credentials.secret() }),
  };
  return { ...doc, auths: { ...others, [serverKey(host)]: auth ?? {} } };
}

/** The file without a host's secrets; undefined when it has none. */
export function withoutAuth(file: unknown, host: string): Table | undefined {
  const doc = tableOf(file);
  const auths = tableOf(doc.auths);
  const left = without(auths, host);
  return Object.keys(left).length === Object.keys(auths).length ? undefined : { ...doc, auths: left };
}

function without(auths: Table, host: string): Table {
  const known = hostKeys(host);
  const isHosts = (key: string): boolean => known.includes(key) || known.includes(bare(key));
  return Object.fromEntries(Object.entries(auths).filter(([key]) => !isHosts(key)));
}

/** `https://host/v1/` of old files means the host; a key with another path is that path's own. */
const bare = (key: string): string => key.replace(/^https?:\/\//, '').replace(/\/(v[12]\/?)?$/, '');

const tableOf = (value: unknown): Table =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Table) : {};
