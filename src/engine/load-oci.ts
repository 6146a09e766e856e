import { TsboxError } from '../errors.ts';
import { MAX_CONFIG_SIZE, parseImageConfig } from '../oci/config.ts';
import { digestHex, sha256 } from '../oci/digest.ts';
import {
  type Descriptor,
  type ImageIndex,
  type ImageManifest,
  MAX_MANIFEST_SIZE,
  parseManifest,
} from '../oci/manifest.ts';
import { isIndexType } from '../oci/media-types.ts';
import { choosePlatform, type Platform } from '../oci/platform.ts';
import { parseReference } from '../oci/reference.ts';
import type { BlobDescriptor, BlobStore } from '../store/blobs.ts';
import { REF_NAME } from '../store/image-index.ts';
import type { ArchiveFiles } from './load-archive.ts';
import type { StoredImage } from './load-image.ts';

/** buildkit and containerd put the full name here and only the tag into the standard annotation. */
const FULL_NAME = 'io.containerd.image.name';

/** Stores the images of an OCI layout; undefined when it is none. Of an index, the manifest for this machine. */
export async function readOciLayout(
  files: ArchiveFiles,
  blobs: BlobStore,
  platform: Platform,
): Promise<StoredImage[] | undefined> {
  const bytes = await files.read('index.json', MAX_MANIFEST_SIZE);
  if (bytes === undefined) return undefined;
  const index = parseManifest(bytes);
  if (index.kind !== 'index') throw new TsboxError('MANIFEST', 'index.json of the layout is not an index');
  const images = [];
  for (const entry of chooseEntries(index, platform))
    images.push(await storeEntry(files, blobs, entry, platform));
  return images;
}

/** The layout's own index may be what others wrap in another index: one nameless entry for each platform. */
function chooseEntries(index: ImageIndex, platform: Platform): readonly Descriptor[] {
  const isOneImage =
    index.manifests.length > 1 && index.manifests.every(e => e.platform && nameOf(e) === undefined);
  return isOneImage ? [choosePlatform(index, platform, 'the archive')] : index.manifests;
}

async function storeEntry(
  files: ArchiveFiles,
  blobs: BlobStore,
  entry: Descriptor,
  platform: Platform,
): Promise<StoredImage> {
  const found = await findManifest(files, entry, platform);
  const { config, layers } = found.manifest;
  const configBytes = await readBlob(files, config, MAX_CONFIG_SIZE);
  await blobs.put(configBytes);
  const diffIds = diffIdsOf(configBytes);
  for (const [i, layer] of layers.entries()) check(layer, await files.store(blobName(layer), diffIds[i]));
  const manifest = { mediaType: found.manifest.mediaType, ...(await blobs.put(found.bytes)) };
  const name = nameOf(entry);
  return { manifest, config: configBytes, layers, names: name === undefined ? [] : [name] };
}

/** A hint for who stores the layers; a config that is none is refused when the image is listed. */
function diffIdsOf(config: Buffer): readonly string[] {
  try {
    return parseImageConfig(config).rootfs.diff_ids;
  } catch {
    return [];
  }
}

async function findManifest(
  files: ArchiveFiles,
  entry: Descriptor,
  platform: Platform,
): Promise<{ bytes: Buffer; manifest: ImageManifest }> {
  const bytes = await readBlob(files, entry, MAX_MANIFEST_SIZE);
  const document = parseManifest(bytes, entry.mediaType);
  if (document.kind === 'manifest') return { bytes, manifest: document };
  const chosen = choosePlatform(document, platform, nameOf(entry) ?? 'the archive');
  if (isIndexType(chosen.mediaType))
    throw new TsboxError('MANIFEST', 'an index of the archive leads to another index');
  return findManifest(files, chosen, platform);
}

async function readBlob(files: ArchiveFiles, descriptor: Descriptor, maxBytes: number): Promise<Buffer> {
  const bytes = await files.read(blobName(descriptor), maxBytes);
  check(descriptor, bytes && { digest: sha256(bytes), size: bytes.length });
  return bytes ?? Buffer.alloc(0);
}

/** The file under a digest's name must have that digest. */
function check({ digest, size }: Descriptor, found: BlobDescriptor | undefined): void {
  if (found === undefined) {
    throw new TsboxError('MANIFEST', `the archive lacks the blob ${digest}, which its manifest names`, {
      hint: 'the archive is incomplete; save the image again',
    });
  }
  if (found.digest !== digest || found.size !== size) {
    throw new TsboxError(
      'DIGEST',
      `the blob ${digest} in the archive is ${found.digest} with ${found.size} bytes`,
      {
        hint: 'the archive is damaged; save or copy it again',
      },
    );
  }
}

const blobName = ({ digest }: Descriptor): string => `blobs/sha256/${digestHex(digest)}`;

/** A name that docker would take; a lone tag (`latest`, as buildkit writes it) is none. */
function nameOf({ annotations }: Descriptor): string | undefined {
  const name = annotations?.[FULL_NAME] ?? annotations?.[REF_NAME];
  if (name === undefined || !/^[a-z0-9]/.test(name)) return undefined;
  try {
    parseReference(name);
    return name;
  } catch {
    return undefined;
  }
}
