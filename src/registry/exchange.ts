import type { ClientRequest, IncomingMessage } from 'node:http';
import { Body } from './body.ts';
import { asError } from './failure.ts';
import type { HttpRequest, HttpResponse } from './http.ts';
import type { NetworkLimits } from './limits.ts';
import { Patience } from './patience.ts';

/** One request of node:http and its response. Whatever ends it early is the error of both: of `response()` or of the body. */
export class Exchange {
  readonly #wire: ClientRequest;
  readonly #request: HttpRequest;
  readonly #patience: Patience;
  #body: Body | undefined;

  constructor(wire: ClientRequest, request: HttpRequest, limits: NetworkLimits) {
    this.#wire = wire;
    this.#request = request;
    this.#patience = new Patience(limits, error => wire.destroy(error));
  }

  response(): Promise<HttpResponse> {
    const [wire, { url, signal }] = [this.#wire, this.#request];
    signal?.addEventListener('abort', this.#abort, { once: true });
    wire.once('socket', socket => this.#patience.connecting(socket, this.#request));
    wire.once('close', () => this.#close());
    this.#send().catch((error: unknown) => wire.destroy(asError(error)));
    return new Promise((resolve, reject) => {
      wire.once('response', message => {
        const body = this.#receive(message);
        resolve({ status: message.statusCode ?? 0, headers: joined(message.rawHeaders), body, url });
      });
      wire.on('error', error => {
        this.#body?.end(error);
        reject(error);
      });
    });
  }

  readonly #abort = (): void => void this.#wire.destroy(asError(this.#request.signal?.reason));

  #close(): void {
    this.#patience.end();
    this.#request.signal?.removeEventListener('abort', this.#abort);
    this.#body?.end(Object.assign(new Error('the connection was closed'), { code: 'ECONNRESET' }));
  }

  async #send(): Promise<void> {
    const [wire, { body }] = [this.#wire, this.#request];
    if (typeof body !== 'function') return void wire.end(body);
    for await (const chunk of body()) {
      // The server has refused what it was being sent.
      if (wire.destroyed) return;
      if (!wire.write(chunk)) await drained(wire);
      this.#patience.answering(this.#request);
    }
    wire.end();
  }

  #receive(message: IncomingMessage): Body {
    const patience = this.#patience;
    const body = new Body({
      pause: () => {
        patience.end();
        message.pause();
      },
      resume: () => {
        patience.receiving();
        message.resume();
      },
      // Where nothing follows the headers the connection is free at once, for the next request.
      abort: reason => void (isBare(message) || this.#wire.destroy(reason)),
    });
    this.#body = body;
    patience.receiving();
    message.on('data', (chunk: Buffer) => {
      patience.receiving();
      body.push(chunk);
    });
    message.once('end', () => {
      patience.end();
      body.end();
    });
    message.on('error', error => body.end(error));
    return body;
  }
}

/** No body follows (RFC 9112 6.3). */
const isBare = ({ req, statusCode, headers }: IncomingMessage & { req?: ClientRequest }): boolean =>
  req?.method === 'HEAD' || statusCode === 204 || headers['content-length'] === '0';

const drained = (wire: ClientRequest): Promise<void> =>
  new Promise(resolve => {
    const done = (): void => {
      wire.off('drain', done).off('close', done);
      resolve();
    };
    wire.on('drain', done).on('close', done);
  });

/** Names in lower case; several of one name joined, as RFC 9110 5.3 allows. */
function joined(raw: readonly string[]): Record<string, string> {
  const headers = new Map<string, string>();
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const [name = '', value = ''] = [raw[i]?.toLowerCase(), raw[i + 1]];
    const before = headers.get(name);
    headers.set(name, before === undefined ? value : `${before}, ${value}`);
  }
  return Object.fromEntries(headers);
}
