import type { Readable } from 'node:stream';
import type { Dispatcher } from 'undici';
import { environment } from '../host/paths.ts';
import { Body } from './body.ts';
import { codeOf, isUnknownAuthority } from './failure.ts';
import { isLoopback } from './hosts.ts';
import type { NetworkLimits } from './limits.ts';

export interface HttpRequest {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: HttpBody;
  /** Milliseconds until the response's headers, for requests that make a server work. Default: the limits'. */
  readonly patience?: number | undefined;
  /** Certificates of this server are not checked. */
  readonly insecure?: boolean;
  readonly signal?: AbortSignal | undefined;
}

/** A function gives the bytes anew for each try and each redirect. Their length belongs into `content-length` where it is known. */
export type HttpBody = string | Buffer | (() => AsyncIterable<Uint8Array>);

export interface HttpResponse {
  readonly status: number;
  /** Names in lower case; several of one name are joined as RFC 9110 allows. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Body;
  /** Where it came from in the end. */
  readonly url: URL;
}

/**
 * The one door to the network: plain HTTP requests through undici, with proxies of the environment and time limits. It
 * follows no redirects, retries nothing and knows nothing of registries. Loopback addresses are never proxied.
 */
export class Http {
  readonly #limits: NetworkLimits;
  readonly #agents = new Map<string, Promise<Dispatcher>>();
  /** Hosts whose certificates only the machine's own authorities vouch for. */
  readonly #private = new Set<string>();

  constructor(limits: NetworkLimits) {
    this.#limits = limits;
  }

  /** Resolves when the headers are there. Rejects with the error of the socket or of undici, or the signal's reason. */
  async send(request: HttpRequest): Promise<HttpResponse> {
    const { host } = request.url;
    try {
      return await this.#sendOnce(request, this.#private.has(host) ? 'machine' : 'node');
    } catch (error) {
      if (this.#private.has(host) || !isUnknownAuthority(codeOf(error))) throw error;
      this.#private.add(host);
      return this.#sendOnce(request, 'machine');
    }
  }

  async #sendOnce(request: HttpRequest, trust: Trust): Promise<HttpResponse> {
    request.signal?.throwIfAborted();
    const agent = await this.#agent(request.url.host, request.insecure ? 'all' : trust);
    return new Promise((resolve, reject) => {
      const { method, url } = request;
      agent.dispatch(
        {
          origin: url.origin,
          path: url.pathname + url.search,
          method,
          headers: { ...request.headers },
          body: bodyOf(request),
          headersTimeout: request.patience ?? this.#limits.headers,
          bodyTimeout: this.#limits.idle,
        },
        handler(request, resolve, reject),
      );
    });
  }

  /** Ends every connection. */
  async close(): Promise<void> {
    const agents = await Promise.all(this.#agents.values());
    this.#agents.clear();
    await Promise.all(agents.map(agent => agent.destroy()));
  }

  #agent(host: string, trust: Trust): Promise<Dispatcher> {
    const proxied = PROXY_VARIABLES.some(name => environment(name) !== undefined) && !isLoopback(host);
    const key = `${trust} ${proxied} ${trust === 'machine' ? host : ''}`;
    const agent = this.#agents.get(key) ?? makeAgent(host, trust, proxied, this.#limits);
    this.#agents.set(key, agent);
    return agent;
  }
}

/** undici takes any async iterable, its types only streams. */
function bodyOf({ body }: HttpRequest): string | Buffer | Readable | null {
  return typeof body === 'function' ? (body() as unknown as Readable) : (body ?? null);
}

/** Whose certificates are believed: those of the authorities in Node, also of the machine's, or anybody's. */
type Trust = 'node' | 'machine' | 'all';

const PROXY_VARIABLES = ['http_proxy', 'HTTP_PROXY', 'https_proxy', 'HTTPS_PROXY'];

async function makeAgent(
  host: string,
  trust: Trust,
  proxied: boolean,
  limits: NetworkLimits,
): Promise<Dispatcher> {
  const tls = {
    ...(trust === 'all' && { rejectUnauthorized: false }),
    ...(trust === 'machine' && { ca: await (await import('./authorities.ts')).authoritiesFor(host) }),
  };
  const connect = { timeout: limits.connect, ...tls };
  if (proxied) return makeProxyAgent(connect);
  const { default: Agent } = await import('undici/lib/dispatcher/agent.js');
  return new Agent({ connect });
}

async function makeProxyAgent(connect: { timeout: number }): Promise<Dispatcher> {
  const [{ default: EnvHttpProxyAgent }, { default: Base }, { default: request }] = await Promise.all([
    import('undici/lib/dispatcher/env-http-proxy-agent.js'),
    import('undici/lib/dispatcher/dispatcher.js'),
    import('undici/lib/api/api-connect.js'),
  ]);
  // The proxy agent calls the method CONNECT of its dispatchers, which undici's index, not loaded here, would have added.
  Base.prototype.connect = request;
  return new EnvHttpProxyAgent({ connect, requestTls: connect });
}

function handler(
  request: HttpRequest,
  resolve: (response: HttpResponse) => void,
  reject: (error: Error) => void,
): Dispatcher.DispatchHandler {
  let body: Body | undefined;
  let stop = (): void => {};
  const finish = (error?: Error): void => {
    request.signal?.removeEventListener('abort', stop);
    body?.end(error);
    if (error !== undefined) reject(error);
  };
  return {
    onRequestStart(controller) {
      stop = () => controller.abort(asError(request.signal?.reason));
      if (request.signal?.aborted) stop();
      else request.signal?.addEventListener('abort', stop, { once: true });
    },
    onResponseStart(controller, status, headers) {
      if (status < 200) return;
      body = new Body(controller);
      resolve({ status, headers: flatten(headers), body, url: request.url });
    },
    onResponseData: (_controller, chunk) => body?.push(chunk),
    onResponseEnd: () => finish(),
    onResponseError: (_controller, error) => finish(error),
  };
}

function flatten(headers: Readonly<Record<string, string | string[] | undefined>>): Record<string, string> {
  const entries = Object.entries(headers).filter(([, value]) => value !== undefined);
  return Object.fromEntries(
    entries.map(([k, v]) => [k.toLowerCase(), Array.isArray(v) ? v.join(', ') : String(v)]),
  );
}

function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(String(reason ?? 'aborted'));
}
