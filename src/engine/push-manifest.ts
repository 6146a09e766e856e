import { TsboxError } from '../errors.ts';
import { MAX_CONFIG_SIZE } from '../oci/config.ts';
import { sha256 } from '../oci/digest.ts';
import { type Descriptor, MAX_MANIFEST_SIZE } from '../oci/manifest.ts';
import type { BlobStore } from '../store/blobs.ts';
import type { ImageRecord } from '../store/images.ts';
import type { PushedAs } from './push-layer.ts';

/** Config and manifest as they are pushed. */
export interface PushedDocuments {
  readonly config: { readonly bytes: Buffer; readonly digest: string };
  readonly manifest: { readonly bytes: Buffer; readonly mediaType: string };
}

/**
 * The documents that fit the layers which the registry has. Byte for byte those of the store when no layer changed, so that the digest stays;
 * otherwise everything but the layers stays.
 */
export async function pushedDocuments(
  blobs: BlobStore,
  image: ImageRecord,
  layers: readonly PushedAs[],
): Promise<PushedDocuments> {
  const { mediaType, manifestDigest, configDescriptor } = image;
  const manifest = await blobs.read(manifestDigest, MAX_MANIFEST_SIZE);
  const config = await blobs.read(configDescriptor.digest, MAX_CONFIG_SIZE);
  const same = layers.every(({ descriptor, diffId }, i) => {
    return descriptor.digest === image.layerDescriptors[i]?.digest && diffId === image.layers[i];
  });
  if (same)
    return {
      config: { bytes: config, digest: configDescriptor.digest },
      manifest: { bytes: manifest, mediaType },
    };
  const newConfig = layers.some(({ diffId }, i) => diffId !== image.layers[i])
    ? withDiffIds(config, layers)
    : config;
  const descriptor = { ...configDescriptor, digest: sha256(newConfig), size: newConfig.length };
  return {
    config: { bytes: newConfig, digest: descriptor.digest },
    manifest: { bytes: withLayers(manifest, descriptor, layers), mediaType },
  };
}

/** Edited as JSON: fields that tsbox does not know stay. */
function withLayers(manifest: Buffer, config: Descriptor, layers: readonly PushedAs[]): Buffer {
  const doc = JSON.parse(manifest.toString()) as { config: object; layers: object[] };
  const patched = doc.layers.map((layer, i) => {
    const descriptor = layers[i]?.descriptor;
    if (descriptor === undefined) throw new TsboxError('INTERNAL', 'a layer was not pushed');
    const { mediaType, digest, size } = descriptor;
    return { ...layer, mediaType, digest, size };
  });
  const { digest, size } = config;
  return Buffer.from(JSON.stringify({ ...doc, config: { ...doc.config, digest, size }, layers: patched }));
}

function withDiffIds(config: Buffer, layers: readonly PushedAs[]): Buffer {
  const doc = JSON.parse(config.toString()) as { rootfs: object };
  const diffIds = layers.map(layer => layer.diffId);
  return Buffer.from(JSON.stringify({ ...doc, rootfs: { ...doc.rootfs, diff_ids: diffIds } }));
}
