import type { Reporter } from '../log.ts';
import { badAnswer } from './answer.ts';
import type { Credentials } from './auth-file.ts';
import { Authenticator } from './authenticator.ts';
import { codeOf, isPlainHttp, networkFailure } from './failure.ts';
import { serverOf } from './hosts.ts';
import type { Http, HttpBody, HttpRequest, HttpResponse } from './http.ts';
import type { NetworkLimits } from './limits.ts';
import { lowLimit, parseRateLimit } from './rate-limit.ts';
import { assertSafe, sendFollowing } from './redirect.ts';
import { aborted, type Wait, withRetry } from './retry.ts';
import { isInsecureHost, type RegistryRules, type Source } from './sources.ts';
import { shownUrl } from './text.ts';

export interface ClientOptions {
  readonly source: Source;
  readonly rules: RegistryRules;
  readonly http: Http;
  readonly limits: NetworkLimits;
  readonly reporter: Reporter;
  readonly signal?: AbortSignal | undefined;
  /** In place of the credentials of the user's files. */
  readonly credentials?: () => Promise<Credentials | undefined>;
  /** Asks the token server for a refresh token as well; called with the one that it gives, if it does. */
  readonly onRefreshToken?: (token: string) => void;
}

/** A request to one repository of one registry. */
export interface RegistryRequest {
  readonly method: HttpRequest['method'];
  /** Below `/v2/<repository>/`: `manifests/latest`; with a slash before it, below the server; a URL (of an upload) as it is. */
  readonly path: string | URL;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: HttpBody;
  readonly patience?: number;
  /** Of the token; default `repository:<repository>:pull`. */
  readonly scope?: string;
  /** Statuses that the caller handles; any other is thrown as an error. */
  readonly expect: readonly number[];
}

/**
 * One repository on one registry: knows the scheme it speaks, proves who we are, follows redirects, tries again. Errors:
 * REGISTRY, UNAUTHORIZED, ABORTED.
 */
export class RegistryClient {
  readonly #options: ClientOptions;
  readonly #auth: Authenticator;
  #schemes: Source['schemes'];
  #toldLimit = false;

  constructor(options: ClientOptions) {
    this.#options = options;
    this.#schemes = options.source.schemes;
    const { source, reporter } = options;
    this.#auth = new Authenticator({
      host: source.host,
      credentials:
        options.credentials ??
        (async () => (await import('./credentials.ts')).findCredentials(source.host, source.path, reporter)),
      token: async wanted => {
        const { fetchToken } = await import('./token.ts');
        const rules = { ...this.#redirects(), host: source.host, signal: options.signal };
        const offline = options.onRefreshToken !== undefined;
        const token = await fetchToken(options.http, { ...wanted, ...rules, offline });
        if (token.refresh !== undefined) options.onRefreshToken?.(token.refresh);
        return token;
      },
    });
  }

  get source(): Source {
    return this.#options.source;
  }

  get limits(): NetworkLimits {
    return this.#options.limits;
  }

  get signal(): AbortSignal | undefined {
    return this.#options.signal;
  }

  /** As `once`, with waits and new tries for failures that may pass. */
  request(request: RegistryRequest, onWait?: (wait: Wait) => void): Promise<HttpResponse> {
    return withRetry(this.retryOptions(onWait), () => this.once(request));
  }

  retryOptions(onWait?: (wait: Wait) => void): Parameters<typeof withRetry>[0] {
    const { limits, signal, source, reporter } = this.#options;
    const tell = (wait: Wait): void => {
      reporter.debug('registry', () => `${source.host}: ${wait.reason}; next try in ${wait.ms} ms`);
      if (wait.asked)
        reporter.warn(`registry ${source.host} asks to wait ${Math.ceil(wait.ms / 1000)} s; waiting`);
      onWait?.(wait);
    };
    return { limits, signal, onWait: tell };
  }

  /** One try. Rejects with Transient for a failure that may pass. */
  async once(request: RegistryRequest): Promise<HttpResponse> {
    try {
      const response = await this.#authorized(request);
      if (request.expect.includes(response.status)) return response;
      if (response.status === 401 || response.status === 403)
        throw await this.#auth.refusal(response, this.#scopeOf(request));
      throw await badAnswer(response, this.source.host);
    } catch (error) {
      if (this.signal?.aborted) throw aborted(this.signal);
      throw networkFailure(error, this.source.host);
    }
  }

  #scopeOf({ scope }: RegistryRequest): string {
    return scope ?? `repository:${this.source.path}:pull`;
  }

  async #authorized(request: RegistryRequest): Promise<HttpResponse> {
    const scope = this.#scopeOf(request);
    const sent = this.#auth.header(scope);
    const response = await this.#anyScheme(request, sent);
    // Somebody we were sent on to may ask who we are, too: that is none of his business.
    if (response.status !== 401 || !this.#isOurs(response.url)) return response;
    await this.#auth.answer(response, scope, sent);
    return this.#anyScheme(request, this.#auth.header(scope));
  }

  /** Loopback and insecure registries may speak either scheme; the first that works is kept. */
  async #anyScheme(request: RegistryRequest, authorization: string | undefined): Promise<HttpResponse> {
    const [scheme = 'https', ...others] = this.#schemes;
    try {
      const response = await this.#send(scheme, request, authorization);
      const wrongDoor = scheme === 'http' && response.status === 400 && others.length > 0;
      if (!wrongDoor) {
        this.#schemes = [scheme];
        return response;
      }
      response.body.cancel();
    } catch (error) {
      if (others.length === 0 || !isOtherScheme(error)) throw error;
    }
    this.#schemes = others;
    return this.#anyScheme(request, authorization);
  }

  async #send(
    scheme: string,
    request: RegistryRequest,
    authorization: string | undefined,
  ): Promise<HttpResponse> {
    const { source, http, signal, reporter } = this.#options;
    const url = this.#urlOf(scheme, request.path);
    const ours = this.#isOurs(url);
    if (!ours) assertSafe(url, source.host, this.#redirects());
    const headers = {
      'user-agent': 'tsbox',
      // Blobs are compressed already, and their digest is that of the bytes as they are.
      'accept-encoding': 'identity',
      ...request.headers,
      ...(authorization !== undefined && ours && { authorization }),
    };
    const { method, body, patience } = request;
    const start = performance.now();
    const wire = {
      method,
      url,
      headers,
      insecure: ours ? source.insecure : isInsecureHost(url.host, this.#options.rules),
      signal,
      patience,
      ...(body !== undefined && { body }),
    };
    const response = await sendFollowing(http, wire, this.#redirects());
    const ms = Math.round(performance.now() - start);
    reporter.debug('registry', () => `${method} ${shownUrl(url)} ${response.status} in ${ms} ms`);
    this.#noteLimit(response);
    return response;
  }

  #urlOf(scheme: string, path: string | URL): URL {
    if (typeof path !== 'string') return path;
    const { host, path: repository } = this.source;
    const server = `${scheme}://${serverOf(host)}`;
    return new URL(path.startsWith('/') ? `${server}${path}` : `${server}/v2/${repository}/${path}`);
  }

  /** True for the registry itself: nobody else gets its credentials. */
  #isOurs(url: URL): boolean {
    const server = serverOf(this.source.host);
    return this.#schemes.some(scheme => new URL(`${scheme}://${server}`).origin === url.origin);
  }

  #noteLimit({ headers }: HttpResponse): void {
    const rate = parseRateLimit(headers);
    if (rate === undefined) return;
    const { reporter, source } = this.#options;
    reporter.debug('registry', () => `${source.host}: rate limit ${JSON.stringify(rate)}`);
    const low = this.#toldLimit ? undefined : lowLimit(rate, source.host);
    if (low === undefined) return;
    this.#toldLimit = true;
    reporter.warn(low);
  }

  #redirects(): { plainHttp: boolean; insecureHost(host: string): boolean } {
    const { rules } = this.#options;
    return { plainHttp: this.#schemes[0] === 'http', insecureHost: host => isInsecureHost(host, rules) };
  }
}

/** What a client sees when it knocks with the wrong scheme, or at the port of a scheme that nobody serves. */
function isOtherScheme(error: unknown): boolean {
  const code = codeOf(error);
  return (
    isPlainHttp(error) ||
    code.startsWith('HPE_') ||
    /^(ECONNRESET|ECONNREFUSED|UND_ERR_SOCKET|EPIPE)$/.test(code)
  );
}
