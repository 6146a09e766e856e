import { TsboxError } from '../errors.ts';
import { detectCompression } from '../layer/decompress.ts';
import { MAX_CONFIG_SIZE } from '../oci/config.ts';
import { asArray, asObject, asString, asStrings, type Json } from '../oci/guard.ts';
import { type Descriptor, encodeManifest, MAX_LAYERS, MAX_MANIFEST_SIZE } from '../oci/manifest.ts';
import { OCI_CONFIG, OCI_MANIFEST } from '../oci/media-types.ts';
import { parseReference } from '../oci/reference.ts';
import type { BlobStore } from '../store/blobs.ts';
import type { ArchiveFiles } from './load-archive.ts';
import { LAYER_TYPES } from './load-eager.ts';
import { ownManifests, withOwnManifest } from './load-hybrid.ts';
import type { StoredImage } from './load-image.ts';

/** One image of `manifest.json` in an archive of `docker save`. */
interface Item {
  readonly config: string;
  readonly tags: readonly string[];
  readonly layers: readonly string[];
}

/** Images in one archive. */
const MAX_ITEMS = 1000;
/** Names of one image: each is a change of the store's index. */
const MAX_TAGS = 1000;

/** Stores the images of a docker-archive; undefined when it is none. Their manifests are made here where the archive has none. */
export async function readDockerArchive(
  files: ArchiveFiles,
  blobs: BlobStore,
): Promise<StoredImage[] | undefined> {
  const bytes = await files.read('manifest.json', MAX_MANIFEST_SIZE);
  if (bytes === undefined) return undefined;
  const items = parseItems(bytes);
  const own = await ownManifests(files);
  const images = [];
  for (const item of items) {
    const image = await storeItem(files, blobs, item);
    images.push(await withOwnManifest(own, blobs, image));
  }
  return images;
}

function parseItems(bytes: Buffer): Item[] {
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString());
  } catch (cause) {
    throw new TsboxError('MANIFEST', 'manifest.json of the archive is not JSON', { cause });
  }
  return asArray(value, 'manifest.json', MAX_ITEMS).map((entry, i) =>
    parseItem(asObject(entry, `[${i}]`), `[${i}]`),
  );
}

function parseItem(item: Json, where: string): Item {
  return {
    config: asString(item.Config, `${where}.Config`),
    tags: asStrings(item.RepoTags ?? [], `${where}.RepoTags`, MAX_TAGS),
    layers: asStrings(item.Layers ?? [], `${where}.Layers`, MAX_LAYERS),
  };
}

async function storeItem(files: ArchiveFiles, blobs: BlobStore, item: Item): Promise<StoredImage> {
  const config = await files.read(item.config, MAX_CONFIG_SIZE);
  if (config === undefined) throw missing(item.config);
  // A bad name is found before its layers are unpacked.
  for (const tag of item.tags) parseReference(tag);
  const layers: Descriptor[] = [];
  for (const name of item.layers) layers.push(await storeLayer(files, blobs, name));
  const { digest, size } = await blobs.put(config);
  const mediaType = OCI_MANIFEST;
  const manifest = await blobs.put(
    encodeManifest({ mediaType, config: { mediaType: OCI_CONFIG, digest, size }, layers }),
  );
  return { manifest: { mediaType, ...manifest }, config, layers, names: item.tags };
}

async function storeLayer(files: ArchiveFiles, blobs: BlobStore, name: string): Promise<Descriptor> {
  const blob = await files.store(name);
  if (blob === undefined) throw missing(name);
  return { mediaType: LAYER_TYPES[detectCompression(await blobs.head(blob.digest, 8))], ...blob };
}

function missing(name: string): TsboxError {
  return new TsboxError(
    'MANIFEST',
    `the archive lacks ${JSON.stringify(name)}, which its manifest.json names`,
    {
      hint: 'the archive is incomplete; save the image again',
    },
  );
}
