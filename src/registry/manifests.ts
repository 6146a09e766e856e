import { TsboxError } from '../errors.ts';
import { isDigest, sha256 } from '../oci/digest.ts';
import { MAX_MANIFEST_SIZE } from '../oci/manifest.ts';
import { isIndexType, isManifestType, MANIFEST_TYPES } from '../oci/media-types.ts';
import { describe, isHtml, readRefusal } from './answer.ts';
import type { RegistryClient } from './client.ts';
import { networkFailure } from './failure.ts';
import type { HttpResponse } from './http.ts';
import { withRetry } from './retry.ts';
import { pushScope } from './upload-steps.ts';

/** A manifest or index as it came, its digest checked. */
export interface FetchedManifest {
  readonly bytes: Buffer;
  readonly digest: string;
  /** What the registry called it; undefined when it used no name of a manifest. */
  readonly mediaType: string | undefined;
}

const ACCEPT = { accept: MANIFEST_TYPES.join(', ') };

/** The digest behind a tag, without the manifest; undefined when the registry does not tell. */
export async function headManifest(client: RegistryClient, tag: string): Promise<string | undefined> {
  const request = {
    method: 'HEAD',
    path: `manifests/${tag}`,
    headers: ACCEPT,
    expect: [200, 404, 405],
  } as const;
  const response = await client.request(request);
  response.body.cancel();
  const digest = response.headers['docker-content-digest'];
  return response.status === 200 && isDigest(digest) ? digest : undefined;
}

/** Fetches by tag or digest. Throws NOT_FOUND, DIGEST, MANIFEST (too large) and what the client throws. */
export function getManifest(client: RegistryClient, tagOrDigest: string): Promise<FetchedManifest> {
  return withRetry(client.retryOptions(), async () => {
    const request = {
      method: 'GET',
      path: `manifests/${tagOrDigest}`,
      headers: ACCEPT,
      expect: [200, 404],
    } as const;
    const response = await client.once(request);
    if (response.status === 404) throw await notFound(response, client, tagOrDigest);
    if (isHtml(response)) throw htmlInstead(response, client);
    const bytes = await readWhole(response, client);
    return checked(bytes, response, client, tagOrDigest);
  });
}

/** Stores a manifest or index under a tag or its own digest. The bytes stay as they are. Throws REGISTRY, UNAUTHORIZED. */
export async function putManifest(
  client: RegistryClient,
  tagOrDigest: string,
  manifest: { readonly bytes: Buffer; readonly mediaType: string },
): Promise<string> {
  const response = await client.request({
    method: 'PUT',
    path: `manifests/${tagOrDigest}`,
    headers: { 'content-type': manifest.mediaType },
    body: manifest.bytes,
    scope: pushScope(client),
    expect: [200, 201, 202],
  });
  response.body.cancel();
  const digest = sha256(manifest.bytes);
  const said = response.headers['docker-content-digest'];
  if (said === undefined || said === digest) return digest;
  throw new TsboxError(
    'REGISTRY',
    `registry ${client.source.host} stored ${said.slice(0, 80)} instead of ${digest}`,
  );
}

async function readWhole(response: HttpResponse, client: RegistryClient): Promise<Buffer> {
  const read = await response.body.read(MAX_MANIFEST_SIZE).catch((error: unknown) => {
    throw networkFailure(error, client.source.host);
  });
  if (!read.more) return read.bytes;
  throw new TsboxError(
    'MANIFEST',
    `the manifest from ${client.source.host} is larger than ${MAX_MANIFEST_SIZE} bytes`,
  );
}

function checked(
  bytes: Buffer,
  response: HttpResponse,
  client: RegistryClient,
  asked: string,
): FetchedManifest {
  const digest = sha256(bytes);
  const said = isDigest(asked) ? asked : response.headers['docker-content-digest'];
  if (said !== undefined && said !== digest) {
    throw new TsboxError(
      'DIGEST',
      `the manifest ${asked} from ${client.source.host} is ${digest} instead of ${said.slice(0, 80)}`,
    );
  }
  const type = response.headers['content-type']?.split(';')[0]?.trim() ?? '';
  return { bytes, digest, mediaType: isIndexType(type) || isManifestType(type) ? type : undefined };
}

async function notFound(response: HttpResponse, client: RegistryClient, asked: string): Promise<TsboxError> {
  const { host, path } = client.source;
  const refusal = await readRefusal(response);
  if (refusal.html) return new TsboxError('REGISTRY', `${host} is no registry: ${describe(refusal)}`);
  const name = `${host}/${path}${isDigest(asked) ? '@' : ':'}${asked}`;
  const repository = refusal.codes.includes('NAME_UNKNOWN');
  const why = repository ? 'the registry has no such repository' : 'the registry has no such tag or digest';
  return new TsboxError('NOT_FOUND', `no such image: ${name}: ${why}`, {
    hint: 'check the name and the tag',
  });
}

/** The error for a page where content should be: a login or error page of something in between. */
export function htmlInstead(response: HttpResponse, client: RegistryClient): TsboxError {
  response.body.cancel();
  return new TsboxError('REGISTRY', `${client.source.host} answered HTML, not a registry's answer`, {
    hint: 'is it really a registry? a proxy or login page may stand in between',
  });
}
