import type { Agent, ClientRequest, RequestOptions } from 'node:http';
import { Exchange } from './exchange.ts';
import type { HttpRequest, HttpResponse, TlsOptions, Transport } from './http.ts';
import type { NetworkLimits } from './limits.ts';

interface Door {
  readonly agent: Agent;
  request(url: URL, options: RequestOptions): ClientRequest;
}

/**
 * Straight to the server, by node:http: Node has it compiled, where undici's parser in WebAssembly alone takes longer than a
 * small pull does. Connections are kept for the next request.
 */
export class Direct implements Transport {
  readonly #tls: TlsOptions;
  readonly #limits: NetworkLimits;
  readonly #doors = new Map<string, Promise<Door>>();

  constructor(tls: TlsOptions, limits: NetworkLimits) {
    this.#tls = tls;
    this.#limits = limits;
  }

  async send(request: HttpRequest): Promise<HttpResponse> {
    const { agent, request: open } = await this.#door(request.url.protocol);
    const { method, url, headers, signal } = request;
    signal?.throwIfAborted();
    const wire = open(url, { agent, method, headers: { ...headers }, auth: null });
    return new Exchange(wire, request, this.#limits).response();
  }

  async close(): Promise<void> {
    for (const door of this.#doors.values()) (await door).agent.destroy();
    this.#doors.clear();
  }

  #door(protocol: string): Promise<Door> {
    const door = this.#doors.get(protocol) ?? (protocol === 'https:' ? tlsDoor(this.#tls) : plainDoor());
    this.#doors.set(protocol, door);
    return door;
  }
}

async function plainDoor(): Promise<Door> {
  const { Agent, request } = await import('node:http');
  return { agent: new Agent({ keepAlive: true }), request };
}

async function tlsDoor(tls: TlsOptions): Promise<Door> {
  const { Agent, request } = await import('node:https');
  return { agent: new Agent({ keepAlive: true, ...tls }), request };
}
