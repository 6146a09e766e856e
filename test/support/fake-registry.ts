import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { sha256 } from '../../src/oci/digest.ts';
import { encodeIndex, encodeManifest } from '../../src/oci/manifest.ts';
import { OCI_CONFIG, OCI_INDEX, OCI_LAYER_GZIP, OCI_MANIFEST } from '../../src/oci/media-types.ts';
import { FakeUploads } from './fake-uploads.ts';

/** What one request does instead of what it should. Everything absent: as it should. */
export interface Mischief {
  status?: number;
  headers?: Record<string, string>;
  body?: string | Buffer;
  /** Wait before answering; Infinity: never answer. */
  delay?: number;
  /** Close the connection after that many bytes of the body. */
  cutAfter?: number;
  /** Send one byte per that many milliseconds. */
  dripMs?: number;
  /** Send other bytes of the same length. */
  corrupt?: boolean;
  /** Send only the beginning, with a Content-Length to match. */
  truncate?: number;
}

export interface SeenRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
}

export interface FakeAuth {
  scheme: 'bearer' | 'basic';
  user?: string;
  password?: string;
  /** Bearer: give tokens to people without credentials. */
  anonymous?: boolean;
  expiresIn?: number;
  /** Bearer: the refresh token for whoever asks for one with the password, and that is good for tokens itself. */
  refresh?: string;
  /** Default: this server's own /token. */
  realm?: string;
}

export interface PushedImage {
  readonly manifest: Buffer;
  readonly digest: string;
  readonly config: Buffer;
  readonly layers: readonly Buffer[];
  readonly diffIds: readonly string[];
}

/** A registry inside the test's process, on a free loopback port, that misbehaves as told. */
export class FakeRegistry {
  readonly blobs = new Map<string, Buffer>();
  /** `repo:tag` and `repo@digest`. */
  readonly manifests = new Map<string, { type: string; bytes: Buffer }>();
  readonly seen: SeenRequest[] = [];
  auth: FakeAuth | undefined;
  ranges = true;
  /** Asked for every request; `nth` counts the requests for this method and path, from 1. */
  mischief: (request: SeenRequest, nth: number) => Mischief | undefined = () => undefined;
  readonly tokens = new Map<string, number>();
  readonly uploads = new FakeUploads(this);
  readonly #server;

  /** With key and certificate (PEM) it speaks HTTPS. */
  constructor(tls?: { key: string; cert: string }) {
    const handle = (request: IncomingMessage, response: ServerResponse): void => {
      this.#handle(request, response).catch(() => response.destroy());
    };
    this.#server = tls === undefined ? createServer(handle) : createTlsServer(tls, handle);
  }

  async start(): Promise<this> {
    await new Promise<void>(resolve => this.#server.listen(0, '127.0.0.1', resolve));
    return this;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get host(): string {
    return `127.0.0.1:${this.port}`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise(resolve => this.#server.close(resolve));
  }

  /** Stores an image of these uncompressed layers under a tag. */
  addImage(repo: string, tag: string, layers: readonly Buffer[], config: object = {}): PushedImage {
    const packed = layers.map(layer => gzipSync(layer));
    const diffIds = layers.map(layer => sha256(layer));
    const base = { architecture: 'amd64', os: 'linux', config: { Cmd: ['sh'] } };
    const doc = { ...base, ...config, rootfs: { type: 'layers', diff_ids: diffIds } };
    const configBytes = Buffer.from(JSON.stringify(doc));
    const manifest = encodeManifest({
      mediaType: OCI_MANIFEST,
      config: this.#descriptor(OCI_CONFIG, configBytes),
      layers: packed.map(bytes => this.#descriptor(OCI_LAYER_GZIP, bytes)),
    });
    const digest = this.addManifest(repo, tag, OCI_MANIFEST, manifest);
    return { manifest, digest, config: configBytes, layers: packed, diffIds };
  }

  addIndex(repo: string, tag: string, entries: readonly { digest: string; platform: string }[]): string {
    const manifests = entries.map(({ digest, platform }) => {
      const [os = '', architecture = '', variant] = platform.split('/');
      const size = this.manifests.get(`${repo}@${digest}`)?.bytes.length ?? 0;
      return { mediaType: OCI_MANIFEST, digest, size, platform: { os, architecture, variant } };
    });
    return this.addManifest(repo, tag, OCI_INDEX, encodeIndex({ mediaType: OCI_INDEX, manifests }));
  }

  addManifest(repo: string, tag: string, type: string, bytes: Buffer): string {
    const digest = sha256(bytes);
    this.manifests.set(`${repo}:${tag}`, { type, bytes });
    this.manifests.set(`${repo}@${digest}`, { type, bytes });
    return digest;
  }

  /** How often a path matched. */
  count(pattern: RegExp, method = 'GET'): number {
    return this.seen.filter(request => request.method === method && pattern.test(request.path)).length;
  }

  #descriptor(mediaType: string, bytes: Buffer) {
    const digest = sha256(bytes);
    this.blobs.set(digest, bytes);
    return { mediaType, digest, size: bytes.length };
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<unknown> {
    const url = new URL(request.url ?? '/', 'http://x');
    const seen = { method: request.method ?? '', path: url.pathname + url.search, headers: request.headers };
    this.seen.push(seen);
    const nth = this.seen.filter(r => r.method === seen.method && r.path === seen.path).length;
    const mischief = this.mischief(seen, nth) ?? {};
    if (mischief.delay === Number.POSITIVE_INFINITY) return undefined;
    if (mischief.delay !== undefined) await sleep(mischief.delay);
    if (mischief.status !== undefined)
      return send(request, response, mischief.status, mischief.headers ?? {}, mischief.body ?? '', mischief);
    if (url.pathname === '/token') return this.#token(request, url, response);
    if (!this.#allowed(request)) return this.#challenge(response);
    if (url.pathname === '/v2/') return response.writeHead(200).end('{}');
    if (await this.uploads.handle(request, url, response)) return undefined;
    return this.#content(request, url, response, mischief);
  }

  #content(request: IncomingMessage, url: URL, response: ServerResponse, mischief: Mischief): unknown {
    const match = /^\/v2\/(.+)\/(manifests|blobs)\/([^/]+)$/.exec(url.pathname);
    const [, repo = '', kind, name = ''] = match ?? [];
    if (kind === 'blobs') return this.#blob(request, response, name, mischief);
    const found = this.manifests.get(`${repo}${name.includes(':') ? '@' : ':'}${name}`);
    if (found === undefined) return failure(request, response, 404, 'MANIFEST_UNKNOWN', 'manifest unknown');
    const headers = {
      'content-type': found.type,
      'docker-content-digest': sha256(found.bytes),
      ...mischief.headers,
    };
    return send(request, response, 200, headers, mischief.body ?? found.bytes, mischief);
  }

  #blob(request: IncomingMessage, response: ServerResponse, digest: string, mischief: Mischief): unknown {
    const bytes = this.blobs.get(digest);
    if (bytes === undefined) return failure(request, response, 404, 'BLOB_UNKNOWN', 'blob unknown');
    const start = this.ranges ? /^bytes=([0-9]+)-$/.exec(request.headers.range ?? '')?.[1] : undefined;
    const headers = { 'content-type': 'application/octet-stream', ...mischief.headers };
    if (start === undefined) return send(request, response, 200, headers, bytes, mischief);
    const range = `bytes ${start}-${bytes.length - 1}/${bytes.length}`;
    return send(
      request,
      response,
      206,
      { 'content-range': range, ...headers },
      bytes.subarray(Number(start)),
      mischief,
    );
  }

  #allowed(request: IncomingMessage): boolean {
    if (this.auth === undefined) return true;
    const given = request.headers.authorization ?? '';
    if (this.auth.scheme === 'basic') return given === basic(this.auth);
    return (this.tokens.get(given.replace(/^Bearer /, '')) ?? 0) > Date.now();
  }

  #challenge(response: ServerResponse): unknown {
    const realm = this.auth?.realm ?? `http://${this.host}/token`;
    const bearer = `Bearer realm="${realm}",service="fake \\"registry\\"",scope="repository:a/b:pull"`;
    const header = this.auth?.scheme === 'basic' ? 'Basic realm="x"' : bearer;
    response.writeHead(401, { 'www-authenticate': header, 'content-type': 'application/json' });
    return response.end(
      JSON.stringify({ errors: [{ code: 'UNAUTHORIZED', message: 'authentication required' }] }),
    );
  }

  async #token(request: IncomingMessage, url: URL, response: ServerResponse): Promise<unknown> {
    const given = request.headers.authorization;
    const form = new URLSearchParams(request.method === 'POST' ? await textOf(request) : '');
    const refresh = this.auth?.refresh;
    const refreshes = form.get('grant_type') === 'refresh_token' && form.get('refresh_token') === refresh;
    const known = this.auth !== undefined && (given === basic(this.auth) || refreshes);
    const allowed =
      known || (request.method === 'GET' && given === undefined && this.auth?.anonymous === true);
    if (!allowed) return response.writeHead(401).end('{"details":"incorrect username or password"}');
    const token = `t${this.tokens.size}-${url.searchParams.get('scope')?.length ?? 0}`;
    const seconds = this.auth?.expiresIn ?? 300;
    const offered = url.searchParams.get('offline_token') === 'true' && { refresh_token: refresh };
    this.tokens.set(token, Date.now() + seconds * 1000);
    return response
      .writeHead(200, { 'content-type': 'application/json' })
      .end(JSON.stringify({ token, expires_in: seconds, ...offered }));
  }
}

async function textOf(request: IncomingMessage): Promise<string> {
  const pieces: Buffer[] = [];
  for await (const piece of request) pieces.push(piece as Buffer);
  return Buffer.concat(pieces).toString();
}

export function startFakeRegistry(tls?: { key: string; cert: string }): Promise<FakeRegistry> {
  return new FakeRegistry(tls).start();
}

const basic = (auth: FakeAuth): string =>
  `Basic ${Buffer.from(`${auth.user ?? ''}:${auth.password ?? ''}`).toString('base64')}`;

function failure(
  request: IncomingMessage,
  response: ServerResponse,
  status: number,
  code: string,
  message: string,
): unknown {
  return send(
    request,
    response,
    status,
    { 'content-type': 'application/json' },
    JSON.stringify({ errors: [{ code, message }] }),
    {},
  );
}

function send(
  request: IncomingMessage,
  response: ServerResponse,
  status: number,
  headers: Record<string, string>,
  content: string | Buffer,
  { cutAfter, dripMs, corrupt, truncate }: Mischief,
): unknown {
  let body = Buffer.from(content);
  if (corrupt) body = Buffer.from(body.map(byte => byte ^ 1));
  if (truncate !== undefined) body = body.subarray(0, truncate);
  response.writeHead(status, { 'content-length': String(body.length), ...headers });
  if (request.method === 'HEAD') return response.end();
  if (dripMs !== undefined) return drip(response, body, dripMs);
  if (cutAfter === undefined || cutAfter >= body.length) return response.end(body);
  // The bytes must have left before the connection is cut.
  return response.write(body.subarray(0, cutAfter), () => setTimeout(() => response.destroy(), 20));
}

async function drip(response: ServerResponse, body: Buffer, ms: number): Promise<void> {
  for (const byte of body) {
    if (response.destroyed) return;
    response.write(Buffer.from([byte]));
    await sleep(ms);
  }
  response.end();
}
