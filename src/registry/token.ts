import { TsboxError } from '../errors.ts';
import { badAnswer, describe, readRefusal } from './answer.ts';
import type { Credentials } from './auth-file.ts';
import { networkFailure } from './failure.ts';
import { isLoopback } from './hosts.ts';
import type { Http, HttpRequest, HttpResponse } from './http.ts';
import { shownUrl } from './text.ts';

/** A bearer challenge, ready to be answered. */
export interface TokenRequest {
  readonly realm: string;
  readonly service: string | undefined;
  /** Separated by spaces. */
  readonly scope: string;
  readonly credentials: Credentials | undefined;
  /** For messages: the registry that sent us to the realm. */
  readonly host: string;
  /** The registry is spoken to over plain HTTP, so its token server may be too. */
  readonly plainHttp: boolean;
  insecureHost(host: string): boolean;
  /** Ask for a refresh token, too, that may be kept in place of the password. */
  readonly offline?: boolean;
  readonly signal?: AbortSignal | undefined;
}

export interface Token {
  readonly value: string;
  /** Epoch milliseconds; some margin is taken off. */
  readonly until: number;
  /** An OAuth2 refresh token (docker's identity token), from a server that gives such. */
  readonly refresh?: string;
}

const MAX_ANSWER = 256 << 10;
// What the token specification says where the server says nothing.
const DEFAULT_SECONDS = 60;

/** Asks the token server of a registry. Throws Transient, UNAUTHORIZED or REGISTRY. */
export async function fetchToken(http: Http, wanted: TokenRequest): Promise<Token> {
  const url = realmUrl(wanted);
  const base = { insecure: wanted.insecureHost(url.host), signal: wanted.signal };
  const request = wanted.credentials?.isToken === true ? oauthPost(url, wanted) : tokenGet(url, wanted);
  let response: HttpResponse;
  try {
    response = await http.send({ ...request, ...base });
  } catch (error) {
    throw networkFailure(error, url.host);
  }
  if (response.status === 401 || response.status === 403) throw await refused(response, wanted);
  if (response.status !== 200) throw await badAnswer(response, url.host);
  return readToken(response, url);
}

/** Credentials go to the realm, so it has to be as safe a place as the registry. */
function realmUrl({ realm, host, plainHttp }: TokenRequest): URL {
  const url = URL.canParse(realm) ? new URL(realm) : undefined;
  const safe =
    url?.protocol === 'https:' || (url?.protocol === 'http:' && (plainHttp || isLoopback(url.host)));
  if (url !== undefined && safe && url.username === '' && url.password === '') return url;
  throw new TsboxError(
    'REGISTRY',
    `registry ${host} names ${shownUrl(realm)} as its token server, which is not HTTPS`,
  );
}

function tokenGet(url: URL, { service, scope, credentials, offline }: TokenRequest): HttpRequest {
  if (service !== undefined) url.searchParams.set('service', service);
  for (const one of scope.split(' ')) if (one !== '') url.searchParams.append('scope', one);
  if (credentials === undefined) return { method: 'GET', url, headers: ACCEPT };
  url.searchParams.set('account', credentials.username);
  if (offline === true) {
    url.searchParams.set('offline_token', 'true');
    url.searchParams.set('client_id', CLIENT);
  }
  return { method: 'GET', url, headers: { ...ACCEPT, authorization: credentials.basic() } };
}

function oauthPost(url: URL, { service = '', scope, credentials }: TokenRequest): HttpRequest {
  const form = new URLSearchParams({ grant_type: 'refresh_token', client_id: CLIENT, service, scope });
  form.set('refresh_token', credentials?.secret() ?? '');
  const headers = { ...ACCEPT, 'content-type': 'application/x-www-form-urlencoded' };
  return { method: 'POST', url, headers, body: form.toString() };
}

const CLIENT = 'tsbox';
const ACCEPT = { accept: 'application/json' };

async function refused(response: HttpResponse, wanted: TokenRequest): Promise<TsboxError> {
  const refusal = await readRefusal(response);
  const who =
    wanted.credentials === undefined
      ? 'gives nobody without credentials a token'
      : 'refuses the credentials given';
  return new TsboxError('UNAUTHORIZED', `registry ${wanted.host} ${who} (${describe(refusal)})`, {
    hint: 'check the user name and password in ~/.docker/config.json or containers/auth.json',
  });
}

async function readToken(response: HttpResponse, url: URL): Promise<Token> {
  const { bytes } = await response.body.read(MAX_ANSWER);
  const doc = parse(bytes.toString());
  const value = doc.token || doc.access_token;
  // It becomes a header: only what RFC 6750 allows there.
  if (typeof value !== 'string' || !/^[\w.~+/=-]+$/.test(value)) {
    throw new TsboxError('REGISTRY', `the token server ${shownUrl(url)} did not answer with a token`);
  }
  const seconds = Number(doc.expires_in) || DEFAULT_SECONDS;
  const refresh = typeof doc.refresh_token === 'string' && doc.refresh_token !== '' && doc.refresh_token;
  const until = Date.now() + Math.max(seconds - 10, 5) * 1000;
  return { value, until, ...(refresh && { refresh }) };
}

function parse(text: string): Readonly<Record<string, unknown>> {
  try {
    const doc: unknown = JSON.parse(text);
    return typeof doc === 'object' && doc !== null ? (doc as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
