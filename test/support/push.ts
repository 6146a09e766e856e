import { type Compression, digestOf, ociBlobs, type TestImage } from './images.ts';
import type { Registry } from './registry.ts';

/** Puts an image into a registry by plain HTTP; returns the digest of its manifest. */
export async function push(
  registry: Registry,
  repository: string,
  tag: string,
  image: TestImage,
  how: Compression = 'gzip',
): Promise<string> {
  const { blobs, manifest, mediaType } = ociBlobs(image, how);
  const base = `${registry.url}/v2/${repository}`;
  for (const [digest, bytes] of blobs) if (bytes !== manifest) await putBlob(base, digest, bytes);
  return putManifest(registry, repository, tag, manifest, mediaType);
}

async function putBlob(base: string, digest: string, bytes: Buffer): Promise<void> {
  const begun = await fetch(`${base}/blobs/uploads/`, { method: 'POST' });
  const target = new URL(begun.headers.get('location') ?? '', base);
  target.searchParams.set('digest', digest);
  const headers = { 'content-type': 'application/octet-stream' };
  await accept(await fetch(target, { method: 'PUT', body: new Uint8Array(bytes), headers }), 'blob');
}

/** Puts any manifest or index under a tag. */
export async function putManifest(
  registry: Registry,
  repository: string,
  tag: string,
  manifest: Buffer,
  mediaType: string,
): Promise<string> {
  const response = await fetch(`${registry.url}/v2/${repository}/manifests/${tag}`, {
    method: 'PUT',
    body: new Uint8Array(manifest),
    headers: { 'content-type': mediaType },
  });
  await accept(response, 'manifest');
  return digestOf(manifest);
}

async function accept(response: Response, what: string): Promise<void> {
  if (response.status !== 201) throw new Error(`${what}: ${response.status} ${await response.text()}`);
  await response.arrayBuffer();
}
