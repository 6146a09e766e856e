import { sha256, shortDigest } from '../oci/digest.ts';
import type { Descriptor } from '../oci/manifest.ts';
import { DOCKER_LAYER, DOCKER_MANIFEST, OCI_LAYER } from '../oci/media-types.ts';
import { familiarReference, parseReference } from '../oci/reference.ts';
import type { BlobDescriptor } from '../store/blobs.ts';
import type { Engine } from './context.ts';
import { imageStore } from './find-image.ts';
import type { PushedAs } from './push-layer.ts';
import { pushedDocuments } from './push-manifest.ts';
import { packedLayer } from './push-pack.ts';
import type { SavedImage } from './save-documents.ts';
import { blobName, type Member } from './save-members.ts';
import type { Selected } from './save-select.ts';

/** An image ready to be written, with what exists for this archive alone. */
export interface PreparedImage extends SavedImage {
  /** Documents that are no blobs of the store. */
  readonly made: readonly Member[];
  /** Blobs of the store that nobody needs once they are open. */
  readonly packed: readonly string[];
}

/**
 * What an image is saved as: its blobs as they are. Layers whose blobs were dropped (`images.keep_blobs = false`) are packed from their
 * trees; they have other digests than before, and with them the config and the manifest. Throws NOT_FOUND, NO_SPACE, IO.
 */
export async function prepareImage(engine: Engine, { image, names }: Selected): Promise<PreparedImage> {
  const { blobs } = imageStore(engine);
  const layers: PushedAs[] = [];
  const packed: string[] = [];
  for (const [i, descriptor] of image.layerDescriptors.entries()) {
    const diffId = image.layers[i] ?? '';
    if (await blobs.has(descriptor.digest)) {
      layers.push({ descriptor, diffId });
      continue;
    }
    const blob = await pack(engine, diffId);
    const mediaType = image.mediaType === DOCKER_MANIFEST ? DOCKER_LAYER : OCI_LAYER;
    layers.push({ descriptor: { mediaType, ...blob }, diffId: blob.digest });
    packed.push(blob.digest);
  }
  const { config, manifest } = await pushedDocuments(blobs, image, layers);
  const saved = {
    manifest: { mediaType: manifest.mediaType, ...describe(manifest.bytes) },
    config: { ...image.configDescriptor, ...describe(config.bytes) },
    layers: layers.map(layer => layer.descriptor),
    names,
    packed,
  };
  if (packed.length === 0) return { ...saved, made: [] };
  warnOfNewId(engine, names[0], saved.config);
  return { ...saved, made: [memberOf(manifest.bytes), memberOf(config.bytes)] };
}

async function pack(engine: Engine, diffId: string): Promise<BlobDescriptor> {
  const writer = await imageStore(engine).blobs.writer();
  try {
    for await (const piece of packedLayer(engine, diffId)) await writer.write(piece);
    return await writer.commit();
  } finally {
    await writer.abort();
  }
}

const describe = (bytes: Buffer): BlobDescriptor => ({ digest: sha256(bytes), size: bytes.length });

const memberOf = (content: Buffer): Member => ({
  name: blobName(sha256(content)),
  size: content.length,
  content,
});

function warnOfNewId(engine: Engine, name: string | undefined, config: Descriptor): void {
  const what = name === undefined ? 'the image' : familiarReference(parseReference(name));
  engine.reporter.warn(
    `the packed layers of ${what} were not kept (images.keep_blobs): they are packed anew, and its id in the archive is ${shortDigest(config.digest)}`,
  );
}
