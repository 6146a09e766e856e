import { TsboxError } from '../errors.ts';
import { isHtml } from './answer.ts';
import type { RegistryClient, RegistryRequest } from './client.ts';
import { networkFailure } from './failure.ts';
import type { HttpResponse } from './http.ts';
import { htmlInstead } from './manifests.ts';

const MAX_PAGE = 4 << 20;
const MAX_PAGES = 1000;
const TAG = /^\w[\w.-]{0,127}$/;

/** Every tag of the client's repository, in the registry's order. Throws NOT_FOUND and what the client throws. */
export async function listTags(client: RegistryClient): Promise<string[]> {
  const { host, path } = client.source;
  const missing = () => new TsboxError('NOT_FOUND', `registry ${host} has no repository ${path}`);
  const tags: string[] = [];
  for await (const page of pages(client, { path: 'tags/list?n=1000' }, missing)) {
    const list = (page as { tags?: unknown }).tags;
    // A tag becomes part of a URL and of a name: what is none is no use to anybody.
    if (Array.isArray(list)) tags.push(...list.filter(tag => typeof tag === 'string' && TAG.test(tag)));
  }
  return [...new Set(tags)];
}

/**
 * The pages of a list, following `Link: <…>; rel="next"` on the same server (distribution spec, "listing tags"). `missing`
 * makes the error for an answer 404.
 */
export async function* pages(
  client: RegistryClient,
  request: Pick<RegistryRequest, 'path' | 'scope'>,
  missing: () => TsboxError,
): AsyncGenerator<unknown> {
  let next: Pick<RegistryRequest, 'path' | 'scope'> | undefined = request;
  for (let count = 0; next !== undefined && count < MAX_PAGES; count += 1) {
    const response: HttpResponse = await client.request({ method: 'GET', ...next, expect: [200, 404] });
    if (response.status === 404) {
      response.body.cancel();
      throw missing();
    }
    if (isHtml(response)) throw htmlInstead(response, client);
    yield await readPage(response, client);
    const path = nextPage(response);
    next = path === undefined ? undefined : { ...request, path };
  }
}

async function readPage(response: HttpResponse, client: RegistryClient): Promise<unknown> {
  const { host } = client.source;
  const read = await response.body.read(MAX_PAGE).catch((error: unknown) => {
    throw networkFailure(error, host);
  });
  try {
    if (read.more) throw new Error('too long');
    const doc: unknown = JSON.parse(read.bytes.toString());
    if (typeof doc === 'object' && doc !== null) return doc;
    throw new Error('no object');
  } catch (cause) {
    throw new TsboxError('REGISTRY', `registry ${host} answered with a list that cannot be read`, { cause });
  }
}

/** Path and query of the next page; undefined on the last one, and when it is on another server. */
function nextPage(response: HttpResponse): string | undefined {
  const link = /<([^<>]*)>\s*;[^,]*\brel="?next"?/i.exec(response.headers.link ?? '')?.[1];
  if (link === undefined || !URL.canParse(link, response.url.href)) return undefined;
  const url = new URL(link, response.url);
  return url.origin === response.url.origin ? url.pathname + url.search : undefined;
}
