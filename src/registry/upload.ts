import { TsboxError } from '../errors.ts';
import type { RegistryClient } from './client.ts';
import type { HttpResponse } from './http.ts';
import { type Wait, withRetry } from './retry.ts';
import { ChunkedUpload } from './upload-chunks.ts';
import {
  type BlobContent,
  type BlobSize,
  beginUpload,
  FINISH_MS,
  finishUpload,
  locationOf,
  pushScope,
} from './upload-steps.ts';

export interface UploadOptions {
  /** Bytes of one request; absent: all in one. */
  readonly chunkSize?: number | undefined;
  /** Repositories of the same registry that may have the blob. */
  readonly mountFrom?: readonly string[];
  /** Bytes handed to the network so far; falls back when a try begins anew. */
  onBytes?(sent: number): void;
  onWait?(wait: Wait): void;
}

/** True when the repository has the blob. */
export async function hasBlob(client: RegistryClient, digest: string): Promise<boolean> {
  const scope = pushScope(client);
  const response = await client.request({
    method: 'HEAD',
    path: `blobs/${digest}`,
    scope,
    expect: [200, 404],
  });
  response.body.cancel();
  return response.status === 200;
}

/**
 * Asks the registry to take the blob from one of its own repositories. The repository's name when it did. No failure counts: the
 * blob is uploaded then.
 */
export async function mountBlob(
  client: RegistryClient,
  digest: string,
  repositories: readonly string[],
): Promise<string | undefined> {
  for (const from of repositories) {
    const path = `blobs/uploads/?mount=${encodeURIComponent(digest)}&from=${encodeURIComponent(from)}`;
    const scope = `${pushScope(client)} repository:${from}:pull`;
    const request = { method: 'POST', path, scope, expect: [201, 202] } as const;
    const response = await client.request(request).catch((error: unknown) => {
      if (error instanceof TsboxError && error.code === 'ABORTED') throw error;
      return undefined;
    });
    response?.body.cancel();
    if (response?.status === 201) return from;
    if (response?.status === 202) await giveBack(client, response);
  }
  return undefined;
}

/** An upload that the registry began instead of mounting, which nobody will use. */
async function giveBack(client: RegistryClient, response: HttpResponse): Promise<void> {
  try {
    const path = locationOf(response, client);
    const request = {
      method: 'DELETE',
      path,
      scope: pushScope(client),
      expect: [200, 202, 204, 404],
    } as const;
    (await client.once(request)).body.cancel();
  } catch {
    // Registries end forgotten uploads themselves.
  }
}

/** Uploads a blob; a connection that breaks is tried again. Throws REGISTRY, UNAUTHORIZED, ABORTED and what `open` throws. */
export async function uploadBlob(
  client: RegistryClient,
  content: BlobContent,
  options: UploadOptions = {},
): Promise<BlobSize> {
  const retry = client.retryOptions(options.onWait);
  if (options.chunkSize !== undefined) {
    const upload = new ChunkedUpload(client, content, options.chunkSize, options.onBytes);
    return withRetry(retry, progress => upload.attempt(progress));
  }
  return withRetry(retry, () => uploadWhole(client, content, options));
}

async function uploadWhole(
  client: RegistryClient,
  content: BlobContent,
  options: UploadOptions,
): Promise<BlobSize> {
  const { location } = await beginUpload(client);
  const body = () => counted(content.open(), options.onBytes);
  const { known } = content;
  if (known !== undefined) {
    await finishUpload(client, location, known, body);
    return known;
  }
  // Its digest is known only afterwards: the bytes go first, as docker sends them, then their name.
  const patch = {
    method: 'PATCH',
    path: location,
    scope: pushScope(client),
    expect: [201, 202, 204],
  } as const;
  const headers = { 'content-type': 'application/octet-stream' };
  const response = await client.once({ ...patch, headers, body, patience: FINISH_MS });
  response.body.cancel();
  const made = content.describe();
  await finishUpload(client, locationOf(response, client), made);
  return made;
}

async function* counted(
  bytes: AsyncIterable<Buffer>,
  onBytes: ((sent: number) => void) | undefined,
): AsyncGenerator<Buffer> {
  let sent = 0;
  for await (const chunk of bytes) {
    yield chunk;
    sent += chunk.length;
    onBytes?.(sent);
  }
}
