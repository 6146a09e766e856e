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
 * Sends a request and follows redirects of GET and HEAD. Another origin never gets the Authorization header
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
    const follow = REDIRECTS.has(response.status) && location !== undefined && isSafe(request.method);
    if (!follow) return response;
    response.body.cancel();
    if (hop === MAX_HOPS) throw refuse(first.url, `redirects more than ${MAX_HOPS} times`);
    request = redirected(request, target(request.url, location), rules);
  }
}

function isSafe(method: string): boolean {
  return method === 'GET' || method === 'HEAD';
}

function target(from: URL, location: string): URL {
  if (!URL.canParse(location, from.href)) throw refuse(from, 'redirects to something that is no URL');
  const url = new URL(location, from);
  url.username = '';
  url.password = '';
  url.hash = '';
  return url;
}

function redirected(request: HttpRequest, url: URL, rules: RedirectRules): HttpRequest {
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && rules.plainHttp)) {
    throw refuse(request.url, `redirects to ${shownUrl(url)}, which is not HTTPS`);
  }
  if (url.origin === request.url.origin) return { ...request, url };
  const { authorization: _dropped, ...headers } = request.headers;
  return { ...request, url, headers, insecure: rules.insecureHost(url.host) };
}

function refuse(from: URL, problem: string): TsboxError {
  return new TsboxError('REGISTRY', `registry ${from.host} ${problem}`);
}
