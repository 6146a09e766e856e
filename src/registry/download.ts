import { TsboxError } from '../errors.ts';
import type { RegistryClient } from './client.ts';
import { networkFailure, Transient } from './failure.ts';
import type { HttpResponse } from './http.ts';
import { RateGuard } from './limits.ts';
import { htmlInstead } from './manifests.ts';
import { type Wait, withRetry } from './retry.ts';

/** Where a blob goes. It verifies size and digest; here only what the network does is checked. */
export interface BlobSink {
  /** Bytes taken so far: where an interrupted download goes on. */
  readonly offset: number;
  write(chunk: Buffer): Promise<void>;
}

export interface DownloadOptions {
  onWait?(wait: Wait): void;
}

// A try that brought this many bytes was worth it: the count of tries in a row begins again.
const PROGRESS = 256 << 10;

/**
 * Streams a blob into `sink` from where it stands, resuming by Range when the connection breaks. Throws DIGEST for a length
 * that cannot be right, NOT_FOUND, and what the client and the sink throw. The descriptor's `urls` are not used.
 */
export async function downloadBlob(
  client: RegistryClient,
  blob: { readonly digest: string; readonly size: number },
  sink: BlobSink,
  options: DownloadOptions = {},
): Promise<void> {
  await withRetry(client.retryOptions(options.onWait), async progress => {
    if (sink.offset >= blob.size) return;
    const response = await open(client, blob.digest, sink.offset);
    const skip = startOf(response, blob, sink.offset, client);
    try {
      await receive(response, client, sink, skip, progress);
    } finally {
      response.body.cancel();
    }
    if (sink.offset < blob.size)
      throw brokenOff(client, `the blob ended after ${sink.offset} of ${blob.size} bytes`);
  });
}

async function open(client: RegistryClient, digest: string, offset: number): Promise<HttpResponse> {
  const headers = offset > 0 ? { range: `bytes=${offset}-` } : {};
  const response = await client.once({
    method: 'GET',
    path: `blobs/${digest}`,
    headers,
    expect: [200, 206, 404],
  });
  if (isBlobPage(response)) throw htmlInstead(response, client);
  if (response.status !== 404) return response;
  response.body.cancel();
  throw new TsboxError(
    'NOT_FOUND',
    `registry ${client.source.host} has no blob ${digest}, which its manifest names`,
    {
      hint: 'the image was pushed incompletely or removed in part; push it again',
    },
  );
}

function isBlobPage(response: HttpResponse): boolean {
  return /^text\/html\b/i.test(response.headers['content-type'] ?? '');
}

/** How many bytes of this response the sink has already: a server without ranges starts again from the beginning. */
function startOf(
  response: HttpResponse,
  blob: { readonly digest: string; readonly size: number },
  offset: number,
  client: RegistryClient,
): number {
  if (response.status === 206) {
    const start = /^bytes ([0-9]+)-/.exec(response.headers['content-range'] ?? '')?.[1];
    if (Number(start) === offset) return 0;
    response.body.cancel();
    throw new TsboxError(
      'REGISTRY',
      `registry ${client.source.host} sent another range of a blob than was asked for`,
    );
  }
  const length = response.headers['content-length'];
  if (length === undefined || Number(length) === blob.size) return offset;
  response.body.cancel();
  throw new TsboxError(
    'DIGEST',
    `registry ${client.source.host} sends ${Number(length)} bytes for blob ${blob.digest}, its manifest says ${blob.size}`,
  );
}

async function receive(
  response: HttpResponse,
  client: RegistryClient,
  sink: BlobSink,
  skip: number,
  progress: () => void,
): Promise<void> {
  const guard = new RateGuard(client.limits);
  const first = sink.offset;
  let left = skip;
  for (;;) {
    const start = performance.now();
    const chunk = await nextOf(response, client);
    if (chunk === undefined) return;
    if (!guard.accept(chunk.length, performance.now() - start))
      throw brokenOff(client, 'it sends too slowly');
    const fresh = chunk.subarray(Math.min(left, chunk.length));
    left -= chunk.length - fresh.length;
    if (fresh.length > 0) await sink.write(fresh);
    if (sink.offset - first >= PROGRESS) progress();
  }
}

async function nextOf(response: HttpResponse, client: RegistryClient): Promise<Buffer | undefined> {
  try {
    return await response.body.next();
  } catch (error) {
    throw networkFailure(error, client.source.host);
  }
}

function brokenOff(client: RegistryClient, why: string): Transient {
  return new Transient(new TsboxError('REGISTRY', `registry ${client.source.host} cannot be used: ${why}`));
}
