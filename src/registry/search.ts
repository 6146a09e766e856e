import { TsboxError } from '../errors.ts';
import type { RegistryClient } from './client.ts';
import { pages } from './tags.ts';

/** One repository that was found. Texts are the registry's: strangers' words. */
export interface Found {
  readonly name: string;
  readonly description: string;
  readonly stars: number;
  readonly official: boolean;
  readonly automated: boolean;
}

export interface SearchQuery {
  readonly term: string;
  readonly limit: number;
}

/** Docker Hub's index: the first version of the registry's API, which no other has quite replaced. */
export const HUB_INDEX = 'https://index.docker.io/v1/search';

/** Asks an index (`…/v1/search`), which ranks. `address`: a path on the client's server, or a URL, which gets no credentials. */
export async function searchIndex(
  client: RegistryClient,
  address: string,
  { term, limit }: SearchQuery,
): Promise<Found[]> {
  const query = `?q=${encodeURIComponent(term)}&n=${limit}`;
  const path = address.startsWith('/') ? address + query : new URL(address + query);
  const { host } = client.source;
  const missing = () => new TsboxError('REGISTRY', `registry ${host} cannot be searched: it has no index`);
  for await (const page of pages(client, { path, scope: '' }, missing)) {
    const { results } = page as { results?: unknown };
    if (!Array.isArray(results))
      throw new TsboxError('REGISTRY', `registry ${host} answered a search with something else`);
    return results.flatMap(parseFound).slice(0, limit);
  }
  return [];
}

/** Reads the list of repositories and takes those whose name has the term in it. Throws NOT_FOUND where there is no list. */
export async function searchCatalog(client: RegistryClient, { term, limit }: SearchQuery): Promise<Found[]> {
  const { host } = client.source;
  const missing = () => new TsboxError('NOT_FOUND', `registry ${host} does not list its repositories`);
  const found: Found[] = [];
  const wanted = { path: '/v2/_catalog?n=1000', scope: 'registry:catalog:*' };
  for await (const page of pages(client, wanted, missing)) {
    const { repositories } = page as { repositories?: unknown };
    const names = Array.isArray(repositories) ? repositories.map(String) : [];
    const fitting = names.filter(name => name.includes(term)).slice(0, limit - found.length);
    found.push(...fitting.map(name => ({ ...NOTHING, name: `${host}/${name}` })));
    if (found.length >= limit) break;
  }
  return found;
}

const NOTHING = { name: '', description: '', stars: 0, official: false, automated: false };

function parseFound(value: unknown): Found[] {
  if (typeof value !== 'object' || value === null) return [];
  const doc = value as Readonly<Record<string, unknown>>;
  if (typeof doc.name !== 'string' || doc.name === '') return [];
  return [
    {
      name: doc.name,
      description: typeof doc.description === 'string' ? doc.description : '',
      stars: Number.isSafeInteger(doc.star_count) ? Number(doc.star_count) : 0,
      official: doc.is_official === true,
      automated: doc.is_automated === true,
    },
  ];
}
