import { TsboxError } from '../errors.ts';
import { type ImageConfig, MAX_CONFIG_SIZE, parseImageConfig } from '../oci/config.ts';
import {
  type Descriptor,
  type ImageIndex,
  type ImageManifest,
  MAX_MANIFEST_SIZE,
  parseManifest,
} from '../oci/manifest.ts';
import { isConfigType, layerCompression } from '../oci/media-types.ts';
import {
  choosePlatform,
  formatPlatform,
  hostPlatform,
  type Platform,
  parsePlatform,
  platformRank,
} from '../oci/platform.ts';
import { formatReference, type Reference } from '../oci/reference.ts';
import type { RegistryClient } from '../registry/client.ts';
import { downloadBlob } from '../registry/download.ts';
import { getManifest, headManifest } from '../registry/manifests.ts';
import type { BlobStore } from '../store/blobs.ts';

/** What a reference means at a registry: everything but the layers is here and verified. */
export interface RemoteImage {
  /** Digest of what the tag names: an index or the manifest itself. */
  readonly top: string;
  readonly descriptor: Descriptor;
  readonly manifest: ImageManifest;
  readonly config: ImageConfig;
}

export interface ImageRequest {
  readonly client: RegistryClient;
  readonly blobs: BlobStore;
  readonly ref: Reference;
  /** As the user wrote it; undefined: this machine's. */
  readonly platform: string | undefined;
  warn(text: string): void;
}

/** Reads manifest (through an index) and config, from the store where it has them. Throws MANIFEST, PLATFORM, NOT_FOUND, DIGEST, REGISTRY. */
export async function readRemoteImage(request: ImageRequest): Promise<RemoteImage> {
  const { client, blobs, ref } = request;
  const wanted = request.platform === undefined ? hostPlatform() : parsePlatform(request.platform);
  const digest = ref.digest ?? (await headManifest(client, ref.tag ?? 'latest'));
  const top = await readManifest(client, blobs, digest ?? ref.tag ?? 'latest');
  const found = top.document.kind === 'index' ? await readChosen(request, top.document, wanted) : top;
  if (found.document.kind === 'index') throw malformed(ref, 'its index leads to another index');
  const manifest = found.document;
  checkKinds(ref, manifest);
  const config = await readConfig(client, blobs, manifest.config);
  checkConfig(request, manifest, config, wanted);
  return { top: top.descriptor.digest, descriptor: found.descriptor, manifest, config };
}

interface Found {
  readonly descriptor: Descriptor;
  readonly document: ImageManifest | ImageIndex;
}

async function readManifest(
  client: RegistryClient,
  blobs: BlobStore,
  digestOrTag: string,
  type?: string,
): Promise<Found> {
  const known = digestOrTag.startsWith('sha256:') && (await blobs.has(digestOrTag));
  const fetched = known
    ? { bytes: await blobs.read(digestOrTag, MAX_MANIFEST_SIZE), digest: digestOrTag, mediaType: undefined }
    : await getManifest(client, digestOrTag);
  const document = parseManifest(fetched.bytes, fetched.mediaType ?? type);
  if (!known) await blobs.put(fetched.bytes);
  const { digest, bytes } = fetched;
  return { descriptor: { mediaType: document.mediaType, digest, size: bytes.length }, document };
}

async function readChosen(request: ImageRequest, index: ImageIndex, wanted: Platform): Promise<Found> {
  const { client, blobs, ref } = request;
  const { digest, mediaType } = choosePlatform(index, wanted, formatReference(ref));
  return readManifest(client, blobs, digest, mediaType);
}

/** Charts, signatures and other artifacts live in registries too. */
function checkKinds(ref: Reference, { config, layers }: ImageManifest): void {
  const isImage = isConfigType(config.mediaType) || config.mediaType === 'application/octet-stream';
  if (!isImage) throw malformed(ref, `it is no container image but ${JSON.stringify(config.mediaType)}`);
  const odd = layers.find(layer => layerCompression(layer.mediaType) === undefined);
  if (odd) throw malformed(ref, `it has a layer of the unknown type ${JSON.stringify(odd.mediaType)}`);
}

async function readConfig(
  client: RegistryClient,
  blobs: BlobStore,
  descriptor: Descriptor,
): Promise<ImageConfig> {
  const { digest, size } = descriptor;
  if (size > MAX_CONFIG_SIZE)
    throw new TsboxError('MANIFEST', `the image config is larger than ${MAX_CONFIG_SIZE} bytes`);
  if (!(await blobs.has(digest))) {
    await blobs.claimed(digest, {}, async () => {
      if (!(await blobs.has(digest))) await downloadWhole(client, blobs, { digest, size });
    });
  }
  return parseImageConfig(await blobs.read(digest, MAX_CONFIG_SIZE));
}

async function downloadWhole(
  client: RegistryClient,
  blobs: BlobStore,
  expect: { digest: string; size: number },
): Promise<void> {
  const writer = await blobs.writer(expect);
  try {
    await downloadBlob(client, expect, writer);
    await writer.commit();
  } finally {
    await writer.abort();
  }
}

function checkConfig(
  request: ImageRequest,
  manifest: ImageManifest,
  config: ImageConfig,
  wanted: Platform,
): void {
  const { layers } = manifest;
  const ids = config.rootfs.diff_ids;
  if (ids.length !== layers.length) {
    throw malformed(request.ref, `its manifest has ${layers.length} layers and its config ${ids.length}`);
  }
  // Images from scratch tools may leave it out.
  if (config.os === '' && config.architecture === '') return;
  const { os, architecture, variant } = config;
  const have: Platform = { os, architecture, variant: variant || undefined };
  const runs = platformRank(wanted, have) !== undefined;
  if (runs) return;
  const text = `${formatReference(request.ref)} is for ${formatPlatform(have)}, not for ${formatPlatform(wanted)}`;
  if (request.platform !== undefined || os !== 'linux') throw new TsboxError('PLATFORM', text);
  request.warn(`${text}: its programs run only with emulation (binfmt_misc)`);
}

function malformed(ref: Reference, problem: string): TsboxError {
  return new TsboxError('MANIFEST', `${formatReference(ref)} cannot be used: ${problem}`);
}
