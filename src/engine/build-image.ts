import { MAX_CONFIG_SIZE } from '../oci/config.ts';
import { type Descriptor, encodeManifest } from '../oci/manifest.ts';
import { layerCompression, OCI_CONFIG, OCI_MANIFEST } from '../oci/media-types.ts';
import type { Platform } from '../oci/platform.ts';
import type { ImageRecord } from '../store/images.ts';
import { LayerStore } from '../store/layers.ts';
import type { StageResult } from './build-session.ts';
import type { Engine } from './context.ts';
import { imageStore } from './find-image.ts';
import { LAYER_TYPES } from './load-eager.ts';

/** An image that is here as a stage may begin with it. */
export async function baseOf(engine: Engine, image: ImageRecord): Promise<StageResult> {
  const bytes = await imageStore(engine).blobs.read(image.configDescriptor.digest, MAX_CONFIG_SIZE);
  const { config, history, author, created, os, architecture, variant } = image.config;
  return {
    layers: image.layers,
    baseLayers: image.layers.length,
    descriptors: image.layerDescriptors.map(inOci),
    config,
    history,
    ...(author !== undefined && { author }),
    ...(created !== undefined && { created }),
    document: JSON.parse(bytes.toString()) as object,
    platform: { os, architecture, variant },
  };
}

/** FROM scratch, as docker begins it. */
export function scratch(platform: Platform, path: string): StageResult {
  return {
    layers: [],
    baseLayers: 0,
    descriptors: [],
    config: { Env: [path], WorkingDir: '/' },
    history: [],
    document: {},
    platform,
  };
}

/** A manifest holds layers of one family: docker's types become the OCI's, the bytes are the same. */
function inOci({ digest, size, mediaType }: Descriptor): Descriptor {
  return { mediaType: LAYER_TYPES[layerCompression(mediaType) ?? 'none'], digest, size };
}

export interface ImageExtras {
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** The bytes of an image's config. */
export function configBytes(result: StageResult, { labels }: ImageExtras): Buffer {
  const { layers, history, author, created, platform } = result;
  // docker's own notes about the container that a layer was made in.
  const { container: _, container_config: __, ...kept } = result.document as Record<string, unknown>;
  const config = labels
    ? { ...result.config, Labels: { ...result.config.Labels, ...labels } }
    : result.config;
  const { os, architecture, variant } = platform;
  const document = {
    ...kept,
    architecture,
    os,
    ...(variant !== undefined && { variant }),
    ...(created !== undefined && { created }),
    ...(author !== undefined && { author }),
    config,
    rootfs: { type: 'layers', diff_ids: layers },
    history,
  };
  return Buffer.from(JSON.stringify(document));
}

export interface AddedImage {
  readonly id: string;
  readonly digest: string;
}

/** Writes config and manifest and lists the image under its names. */
export async function addBuiltImage(
  engine: Engine,
  result: StageResult,
  extras: ImageExtras,
  names: readonly string[],
): Promise<AddedImage> {
  const store = imageStore(engine);
  const config = await store.blobs.put(configBytes(result, extras));
  const { annotations } = extras;
  const manifest = await store.blobs.put(
    encodeManifest({
      mediaType: OCI_MANIFEST,
      config: { mediaType: OCI_CONFIG, ...config },
      layers: result.descriptors,
      ...(annotations && Object.keys(annotations).length > 0 && { annotations }),
    }),
  );
  const size = await new LayerStore(engine.paths.layers).size(result.layers);
  const descriptor = { mediaType: OCI_MANIFEST, ...manifest };
  const id = await store.add(names[0], descriptor, { size });
  for (const name of names.slice(1)) await store.add(name, descriptor, { size });
  return { id, digest: manifest.digest };
}
