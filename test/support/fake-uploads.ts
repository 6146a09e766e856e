import type { IncomingMessage, ServerResponse } from 'node:http';
import { sha256 } from '../../src/oci/digest.ts';
import type { FakeRegistry } from './fake-registry.ts';

/** The half of a fake registry that takes blobs and manifests. */
export class FakeUploads {
  readonly #registry: FakeRegistry;
  readonly #open = new Map<string, Buffer>();
  /** Repository to the digests that may be mounted from it. */
  readonly mountable = new Map<string, Set<string>>();
  /** Where uploads are sent instead of here: another origin. */
  elsewhere: string | undefined;
  /** Value of OCI-Chunk-Min-Length. */
  minChunk: number | undefined;
  /** Sizes of the bodies of PATCH requests. */
  readonly pieces: number[] = [];
  #count = 0;

  constructor(registry: FakeRegistry) {
    this.#registry = registry;
  }

  /** True when it was a request for this half, and was answered. */
  async handle(request: IncomingMessage, url: URL, response: ServerResponse): Promise<boolean> {
    const upload = /^\/v2\/(.+)\/blobs\/uploads\/([^/]*)$/.exec(url.pathname);
    if (upload !== null) {
      await this.#upload(request, url, response, upload[1] ?? '', upload[2] ?? '');
      return true;
    }
    const manifest = /^\/v2\/(.+)\/manifests\/([^/]+)$/.exec(url.pathname);
    if (manifest === null || request.method !== 'PUT') return false;
    const bytes = await bodyOf(request);
    const type = request.headers['content-type'] ?? '';
    const digest = this.#registry.addManifest(manifest[1] ?? '', manifest[2] ?? '', type, bytes);
    response.writeHead(201, { 'docker-content-digest': digest }).end();
    return true;
  }

  async #upload(request: IncomingMessage, url: URL, response: ServerResponse, repo: string, id: string) {
    const { method } = request;
    if (method === 'POST') return this.#begin(url, response, repo);
    const have = this.#open.get(id);
    if (have === undefined) return response.writeHead(404).end('{"errors":[{"code":"BLOB_UPLOAD_UNKNOWN"}]}');
    if (method === 'GET') return this.#tell(response, repo, id, 204);
    if (method === 'DELETE') return response.writeHead(204).end(this.#open.delete(id) ? '' : '');
    const sent = await bodyOf(request);
    const start = /^([0-9]+)-/.exec(request.headers['content-range'] ?? '')?.[1];
    if (start !== undefined && Number(start) !== have.length) return this.#tell(response, repo, id, 416);
    this.#open.set(id, Buffer.concat([have, sent]));
    if (method === 'PATCH') {
      this.pieces.push(sent.length);
      return this.#tell(response, repo, id, 202);
    }
    return this.#finish(url, response, id);
  }

  #begin(url: URL, response: ServerResponse, repo: string): unknown {
    const mount = url.searchParams.get('mount') ?? '';
    if (this.mountable.get(url.searchParams.get('from') ?? '')?.has(mount)) {
      return response.writeHead(201, { location: `/v2/${repo}/blobs/${mount}` }).end();
    }
    this.#count += 1;
    const id = `u${this.#count}`;
    this.#open.set(id, Buffer.alloc(0));
    return this.#tell(response, repo, id, 202);
  }

  #tell(response: ServerResponse, repo: string, id: string, status: number): unknown {
    const length = this.#open.get(id)?.length ?? 0;
    const location = `${this.elsewhere ?? ''}/v2/${repo}/blobs/uploads/${id}?_state=a%3Db%2F`;
    const min = this.minChunk === undefined ? {} : { 'oci-chunk-min-length': String(this.minChunk) };
    return response.writeHead(status, { location, range: `0-${Math.max(0, length - 1)}`, ...min }).end();
  }

  #finish(url: URL, response: ServerResponse, id: string): unknown {
    const bytes = this.#open.get(id) ?? Buffer.alloc(0);
    const digest = url.searchParams.get('digest') ?? '';
    // A registry's state comes back as it was given.
    if (!url.search.startsWith('?_state=a%3Db%2F&'))
      return response.writeHead(400).end('{"message":"bad state"}');
    if (sha256(bytes) !== digest)
      return response.writeHead(400).end('{"errors":[{"code":"DIGEST_INVALID"}]}');
    this.#registry.blobs.set(digest, bytes);
    this.#open.delete(id);
    return response.writeHead(201, { 'docker-content-digest': digest }).end();
  }
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
