import { TsboxError } from '../errors.ts';
import type { RegistryClient } from './client.ts';
import { Transient } from './failure.ts';
import type { HttpResponse } from './http.ts';

export interface BlobSize {
  readonly digest: string;
  /** Bytes. */
  readonly size: number;
}

/** What is to be uploaded. */
export interface BlobContent {
  /** Undefined for what is made on the way. */
  readonly known: BlobSize | undefined;
  /** All bytes; each call begins anew. */
  open(): AsyncIterable<Buffer>;
  /** When all bytes of the last `open` have passed. */
  describe(): BlobSize;
}

/** The scope of the token for everything a push does. */
export const pushScope = (client: RegistryClient): string => `repository:${client.source.path}:pull,push`;

// A registry may check or copy the whole blob before it answers the last request.
export const FINISH_MS = 300_000;

/** Opens an upload. `minChunk`: the registry takes no smaller pieces (but the last). */
export async function beginUpload(client: RegistryClient): Promise<{ location: URL; minChunk: number }> {
  const request = {
    method: 'POST',
    path: 'blobs/uploads/',
    scope: pushScope(client),
    expect: [202],
  } as const;
  const response = await client.once({ ...request, headers: { 'content-length': '0' } });
  response.body.cancel();
  const minChunk = Number(response.headers['oci-chunk-min-length'] ?? 0) || 0;
  return { location: locationOf(response, client), minChunk };
}

/** Gives the upload its digest, with all bytes (`body`) or after them. */
export async function finishUpload(
  client: RegistryClient,
  location: URL,
  { digest, size }: BlobSize,
  body?: () => AsyncIterable<Buffer>,
): Promise<void> {
  const url = new URL(location);
  // Appended as text: signed or encoded states of the registry must come back as they were.
  url.search += `${url.search === '' ? '?' : '&'}digest=${encodeURIComponent(digest)}`;
  const headers = {
    'content-type': 'application/octet-stream',
    'content-length': String(body === undefined ? 0 : size),
  };
  const request = { method: 'PUT', path: url, scope: pushScope(client), expect: [201, 204] } as const;
  const more = body === undefined ? {} : { body };
  (await client.once({ ...request, headers, patience: FINISH_MS, ...more })).body.cancel();
}

/** Where the upload goes on (`Location`, absolute or relative). */
export function locationOf(response: HttpResponse, client: RegistryClient): URL {
  const { location } = response.headers;
  if (location === undefined || !URL.canParse(location, response.url.href)) {
    throw new Transient(
      new TsboxError('REGISTRY', `registry ${client.source.host} did not say where to upload a blob`),
    );
  }
  const url = new URL(location, response.url);
  url.username = '';
  url.password = '';
  url.hash = '';
  return url;
}
