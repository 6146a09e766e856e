import { sha256 } from '../oci/digest.ts';
import { type Descriptor, type ImageManifest, MAX_MANIFEST_SIZE, parseManifest } from '../oci/manifest.ts';
import { isManifestType } from '../oci/media-types.ts';
import type { BlobStore } from '../store/blobs.ts';
import type { ArchiveFiles } from './load-archive.ts';
import type { StoredImage } from './load-image.ts';
import { blobName } from './save-members.ts';

/** A manifest of the archive with its bytes. */
export interface OwnManifest {
  readonly bytes: Buffer;
  readonly manifest: ImageManifest;
}

/** By the digest of their configs. */
export type OwnManifests = ReadonlyMap<string, readonly OwnManifest[]>;

const MAX_ENTRIES = 1000;

/** The manifests of the OCI layout that a docker-archive of today is as well; what is wrong with it does not matter here. */
export async function ownManifests(files: ArchiveFiles): Promise<OwnManifests> {
  const found = new Map<string, OwnManifest[]>();
  const entries = (await entriesOf(files)).slice(0, MAX_ENTRIES);
  for (const entry of new Map(entries.map(each => [each.digest, each])).values()) {
    const own = await manifestOf(files, entry);
    const config = own?.manifest.config.digest;
    if (own && config !== undefined) found.set(config, [...(found.get(config) ?? []), own]);
  }
  return found;
}

/**
 * Which images an archive holds and what they are called is for its `manifest.json` to say; but where there is a manifest for the very
 * same config and layers, that one is kept, and with it the image's digest.
 */
export async function withOwnManifest(
  own: OwnManifests,
  blobs: BlobStore,
  image: StoredImage,
): Promise<StoredImage> {
  const found = own.get(sha256(image.config))?.find(({ manifest }) => hasLayers(manifest, image.layers));
  if (!found) return image;
  const { mediaType, layers } = found.manifest;
  return { ...image, layers, manifest: { mediaType, ...(await blobs.put(found.bytes)) } };
}

/** What cannot be used is passed over: nothing depends on it. */
async function entriesOf(files: ArchiveFiles): Promise<readonly Descriptor[]> {
  const bytes = await files.read('index.json', MAX_MANIFEST_SIZE).catch(() => undefined);
  const index = bytes && attempt(() => parseManifest(bytes));
  return index?.kind === 'index' ? index.manifests.filter(entry => isManifestType(entry.mediaType)) : [];
}

async function manifestOf(
  files: ArchiveFiles,
  { digest, mediaType }: Descriptor,
): Promise<OwnManifest | undefined> {
  const bytes = await files.read(blobName(digest), MAX_MANIFEST_SIZE).catch(() => undefined);
  if (bytes === undefined || sha256(bytes) !== digest) return undefined;
  const manifest = attempt(() => parseManifest(bytes, mediaType));
  return manifest?.kind === 'manifest' ? { bytes, manifest } : undefined;
}

const hasLayers = (manifest: ImageManifest, layers: readonly Descriptor[]): boolean =>
  manifest.layers.length === layers.length &&
  manifest.layers.every(({ digest, size }, i) => digest === layers[i]?.digest && size === layers[i]?.size);

function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
