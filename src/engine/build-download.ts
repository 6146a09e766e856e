import { messageOf, TsboxError } from '../errors.ts';
import type { HttpResponse } from '../registry/http.ts';
import { Http } from '../registry/http.ts';
import { DEFAULT_LIMITS } from '../registry/limits.ts';
import { sendFollowing } from '../registry/redirect.ts';
import { shownUrl } from '../registry/text.ts';
import type { Engine } from './context.ts';

/** What a URL leads to, while it comes; its connections end with it. */
export interface Download extends AsyncIterable<Buffer> {
  readonly headers: Readonly<Record<string, string>>;
}

/** GET, with redirects and the proxies of the environment. Throws USAGE, NOT_FOUND (any 4xx), NETWORK. */
export async function download(engine: Engine, address: string): Promise<Download> {
  if (!URL.canParse(address)) throw new TsboxError('USAGE', `${JSON.stringify(address)} is not a URL`);
  const url = new URL(address);
  const http = new Http(DEFAULT_LIMITS);
  try {
    const response = await send(http, url, engine.signal);
    if (response.status !== 200) {
      response.body.cancel();
      const code = response.status < 500 ? 'NOT_FOUND' : 'NETWORK';
      throw new TsboxError(code, `${shownUrl(url)}: the server answers ${response.status}`, { exitCode: 1 });
    }
    return { headers: response.headers, [Symbol.asyncIterator]: () => bodyOf(http, response, url) };
  } catch (error) {
    await http.close();
    throw error;
  }
}

async function send(http: Http, url: URL, signal: AbortSignal | undefined): Promise<HttpResponse> {
  const headers = { accept: '*/*', 'accept-encoding': 'identity', 'user-agent': 'tsbox' };
  const rules = { plainHttp: url.protocol === 'http:', insecureHost: () => false };
  try {
    return await sendFollowing(http, { method: 'GET', url, headers, signal }, rules);
  } catch (error) {
    throw failed(url, error);
  }
}

async function* bodyOf(http: Http, { body }: HttpResponse, url: URL): AsyncGenerator<Buffer> {
  try {
    yield* body;
  } catch (error) {
    throw failed(url, error);
  } finally {
    body.cancel();
    await http.close();
  }
}

function failed(url: URL, error: unknown): TsboxError {
  if (error instanceof TsboxError) return error;
  return new TsboxError('NETWORK', `cannot download ${shownUrl(url)}: ${messageOf(error)}`, {
    cause: error,
    exitCode: 1,
  });
}
