import { TsboxError } from '../errors.ts';
import { RegistryClient } from '../registry/client.ts';
import type { NetworkLimits } from '../registry/limits.ts';
import { type Found, HUB_INDEX, type SearchQuery, searchCatalog, searchIndex } from '../registry/search.ts';
import { registrySource } from '../registry/sources.ts';
import type { Engine } from './context.ts';
import { type Network, withNetwork } from './registry-network.ts';
import type { Filters, SearchOptions, SearchResult } from './types.ts';

const DEFAULT_LIMIT = 25;
const MAX_LIMIT = 100;
const KEYS = ['stars', 'is-official', 'is-automated'];

/**
 * Repositories whose name or description fits. `term`: for Docker Hub, or `host[:port]/term` for the list of repositories of another
 * registry (all of them for `host/`). Throws USAGE, REGISTRY, UNAUTHORIZED.
 */
export async function search(
  engine: Engine,
  term: string,
  options: SearchOptions = {},
  limits?: NetworkLimits,
): Promise<SearchResult[]> {
  const limit = options.limit ?? DEFAULT_LIMIT;
  if (!Number.isInteger(limit) || limit < 1 || limit > MAX_LIMIT) {
    throw new TsboxError('USAGE', `the limit ${limit} is not between 1 and ${MAX_LIMIT}`);
  }
  const fits = matcher(options.filters ?? {});
  const { host, rest } = split(term);
  if (host === undefined && rest === '') throw new TsboxError('USAGE', 'there is nothing to search for');
  const query = { term: rest, limit };
  const found = await withNetwork(engine, limits, network => {
    return host === undefined ? searchHub(network, query) : searchRegistry(network, host, query);
  });
  return found.filter(fits);
}

/** The first part is a registry when it could not be a part of a name on docker.io. */
function split(term: string): { host: string | undefined; rest: string } {
  const match =
    /^(localhost|[\w-]+(?:\.[\w-]+)+|(?:[\w.-]+|\[[0-9a-fA-F:]+\])(?=:))(:[0-9]{1,5})?(?:\/(.*))?$/.exec(
      term,
    );
  const isHost = match !== null && (match[2] !== undefined || term.includes('/'));
  if (!isHost) return { host: undefined, rest: term };
  const host = `${match[1]}${match[2] ?? ''}`;
  const hub = host === 'docker.io' || host === 'index.docker.io';
  return { host: hub ? undefined : host, rest: match[3] ?? '' };
}

function clientFor(network: Network, host: string): RegistryClient {
  const { reporter, signal } = network.engine;
  return new RegistryClient({ ...network, reporter, signal, source: registrySource(host, network.rules) });
}

function searchHub(network: Network, query: SearchQuery): Promise<Found[]> {
  return searchIndex(clientFor(network, 'docker.io'), HUB_INDEX, query);
}

/** Registries that have an index of the old kind usually refuse the list. */
async function searchRegistry(network: Network, host: string, query: SearchQuery): Promise<Found[]> {
  const client = clientFor(network, host);
  try {
    return await searchCatalog(client, query);
  } catch (error) {
    if (!(error instanceof TsboxError) || !['UNAUTHORIZED', 'NOT_FOUND'].includes(error.code)) throw error;
    const found = await searchIndex(client, '/v1/search', query).catch(() => {
      throw error;
    });
    return found.map(item => ({ ...item, name: `${host}/${item.name}` }));
  }
}

/** docker's filters. Throws USAGE for an unknown one or a value of the wrong kind. */
function matcher(filters: Filters): (found: Found) => boolean {
  const unknown = Object.keys(filters).find(key => !KEYS.includes(key));
  if (unknown !== undefined) {
    throw new TsboxError('USAGE', `unknown filter '${unknown}'`, { hint: `there are ${KEYS.join(', ')}` });
  }
  const stars = (filters.stars ?? []).map(count);
  const official = (filters['is-official'] ?? []).map(truth);
  const automated = (filters['is-automated'] ?? []).map(truth);
  return found =>
    stars.every(least => found.stars >= least) &&
    official.every(value => found.official === value) &&
    automated.every(value => found.automated === value);
}

function count(text: string): number {
  if (/^[0-9]{1,9}$/.test(text)) return Number(text);
  throw new TsboxError('USAGE', `invalid filter 'stars=${text}': it takes a number`);
}

function truth(text: string): boolean {
  if (/^(1|t|true)$/i.test(text)) return true;
  if (/^(0|f|false)$/i.test(text)) return false;
  throw new TsboxError('USAGE', `invalid filter value '${text}': it takes true or false`);
}
