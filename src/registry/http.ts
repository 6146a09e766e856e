import { environment } from '../host/paths.ts';
import type { Body } from './body.ts';
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

/** Sends requests to servers that it has the same connections and trust for. */
export interface Transport {
  /** Resolves when the headers are there. Rejects with the error of the socket, or the signal's reason. */
  send(request: HttpRequest): Promise<HttpResponse>;
  /** Ends every connection. */
  close(): Promise<void>;
}

/** What a transport asks for to believe in a server's certificate (node:tls). */
export interface TlsOptions {
  readonly rejectUnauthorized?: false;
  readonly ca?: string[];
}

/**
 * The one door to the network: plain HTTP requests with proxies of the environment and time limits. It follows no redirects,
 * retries nothing and knows nothing of registries. Loopback addresses are never proxied.
 */
export class Http {
  readonly #limits: NetworkLimits;
  readonly #transports = new Map<string, Promise<Transport>>();
  /** Hosts whose certificates only the machine's own authorities vouch for. */
  readonly #private = new Set<string>();

  constructor(limits: NetworkLimits) {
    this.#limits = limits;
  }

  /** Resolves when the headers are there. Rejects with the error of the socket (or of undici), or the signal's reason. */
  async send(request: HttpRequest): Promise<HttpResponse> {
    const { host } = request.url;
    // What this try is sent with: others at the same time may find out about the host before it fails.
    const trust = this.#private.has(host) ? 'machine' : 'node';
    try {
      return await this.#sendOnce(request, trust);
    } catch (error) {
      if (trust === 'machine' || !isUnknownAuthority(codeOf(error))) throw error;
      this.#private.add(host);
      return this.#sendOnce(request, 'machine');
    }
  }

  async #sendOnce(request: HttpRequest, trust: Trust): Promise<HttpResponse> {
    request.signal?.throwIfAborted();
    return (await this.#transport(request.url.host, request.insecure ? 'all' : trust)).send(request);
  }

  /** Ends every connection. */
  async close(): Promise<void> {
    const transports = await Promise.all(this.#transports.values());
    this.#transports.clear();
    await Promise.all(transports.map(transport => transport.close()));
  }

  #transport(host: string, trust: Trust): Promise<Transport> {
    const proxied = PROXY_VARIABLES.some(name => environment(name) !== undefined) && !isLoopback(host);
    const key = `${trust} ${proxied} ${trust === 'machine' ? host : ''}`;
    const transport = this.#transports.get(key) ?? open(host, trust, proxied, this.#limits);
    this.#transports.set(key, transport);
    return transport;
  }
}

/** Whose certificates are believed: those of the authorities in Node, also of the machine's, or anybody's. */
type Trust = 'node' | 'machine' | 'all';

const PROXY_VARIABLES = ['http_proxy', 'HTTP_PROXY', 'https_proxy', 'HTTPS_PROXY'];

async function open(host: string, trust: Trust, proxied: boolean, limits: NetworkLimits): Promise<Transport> {
  const tls: TlsOptions = {
    ...(trust === 'all' && { rejectUnauthorized: false }),
    ...(trust === 'machine' && { ca: await (await import('./authorities.ts')).authoritiesFor(host) }),
  };
  if (proxied) return (await import('./proxied.ts')).openProxied(tls, limits);
  return new (await import('./direct.ts')).Direct(tls, limits);
}
