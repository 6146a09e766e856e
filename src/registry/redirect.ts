import { TsboxError } from '../errors.ts';
import type { Http, HttpRequest, HttpResponse } from './http.ts';
import { shownUrl } from './text.ts';

const MAX_HOPS = 5;
const REDIRECTS = new Set([301, 302, 303, 307, 308]);

export interface RedirectRules {
  /** Plain HTTP is fine: the registry itself is spoken to that way. */
  readonly plainHttp: boolean;
  insecureHost(host: string): boolean;
}

/**
 * Sends a request and follows redirects of GET and HEAD, of the others those that keep method and body. Another origin never gets the Authorization header
 * (CVE-2020-15157), not even when it redirects back; HTTPS never becomes HTTP.
 */
export async function sendFollowing(
  http: Http,
  first: HttpRequest,
  rules: RedirectRules,
): Promise<HttpResponse> {
  let request = first;
  for (let hop = 0; ; hop += 1) {
    const response = await http.send(request);
    const { location } = response.headers;
    if (location === undefined || !isFollowed(response.status, request.method)) return response;
    response.body.cancel();
    if (hop === MAX_HOPS) throw refuse(first.url.host, `redirects more than ${MAX_HOPS} times`);
    request = redirected(request, target(request.url, location), rules);
  }
}

function isFollowed(status: number, method: string): boolean {
  return REDIRECTS.has(status) && (method === 'GET' || method === 'HEAD' || status >= 307);
}

function target(from: URL, location: string): URL {
  if (!URL.canParse(location, from.href)) throw refuse(from.host, 'redirects to something that is no URL');
  const url = new URL(location, from);
  url.username = '';
  url.password = '';
  url.hash = '';
  return url;
}

function redirected(request: HttpRequest, url: URL, rules: RedirectRules): HttpRequest {
  assertSafe(url, request.url.host, rules);
  if (url.origin === request.url.origin) return { ...request, url };
  const { authorization: _dropped, ...headers } = request.headers;
  return { ...request, url, headers, insecure: rules.insecureHost(url.host) };
}

/** Where a registry sends us must be HTTPS unless it is spoken to without. Throws REGISTRY. */
export function assertSafe(url: URL, host: string, rules: RedirectRules): void {
  if (url.protocol === 'https:' || (url.protocol === 'http:' && rules.plainHttp)) return;
  throw refuse(host, `redirects to ${shownUrl(url)}, which is not HTTPS`);
}

function refuse(host: string, problem: string): TsboxError {
  return new TsboxError('REGISTRY', `registry ${host} ${problem}`);
}
