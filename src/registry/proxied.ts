import type { Readable } from 'node:stream';
import type { Dispatcher } from 'undici';
import { Body } from './body.ts';
import { asError } from './failure.ts';
import type { HttpRequest, HttpResponse, TlsOptions, Transport } from './http.ts';
import type { NetworkLimits } from './limits.ts';

/** Through the proxies of the environment, by undici: it knows NO_PROXY and tunnels. Only who has a proxy waits for it to be loaded. */
export async function openProxied(tls: TlsOptions, limits: NetworkLimits): Promise<Transport> {
  const [{ default: EnvHttpProxyAgent }, { default: Base }, { default: request }] = await Promise.all([
    import('undici/lib/dispatcher/env-http-proxy-agent.js'),
    import('undici/lib/dispatcher/dispatcher.js'),
    import('undici/lib/api/api-connect.js'),
  ]);
  // The proxy agent calls the method CONNECT of its dispatchers, which undici's index, not loaded here, would have added.
  Base.prototype.connect = request;
  const connect = { timeout: limits.connect, ...tls };
  return new Proxied(new EnvHttpProxyAgent({ connect, requestTls: connect }), limits);
}

class Proxied implements Transport {
  readonly #agent: Dispatcher;
  readonly #limits: NetworkLimits;

  constructor(agent: Dispatcher, limits: NetworkLimits) {
    this.#agent = agent;
    this.#limits = limits;
  }

  close(): Promise<void> {
    return this.#agent.destroy();
  }

  send(request: HttpRequest): Promise<HttpResponse> {
    const { method, url } = request;
    return new Promise((resolve, reject) => {
      this.#agent.dispatch(
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
}

/** undici takes any async iterable, its types only streams. */
function bodyOf({ body }: HttpRequest): string | Buffer | Readable | null {
  return typeof body === 'function' ? (body() as unknown as Readable) : (body ?? null);
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
