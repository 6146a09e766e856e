import { messageOf } from '../errors.ts';
import {
  type Compression,
  DEFAULT_LIMITS,
  decompress,
  detectCompression,
  foreignCompression,
  peek,
} from '../layer/decompress.ts';
import { applyChanges } from '../oci/changes-config.ts';
import type { ImageConfig } from '../oci/config.ts';
import { type Descriptor, encodeManifest } from '../oci/manifest.ts';
import { OCI_CONFIG, OCI_MANIFEST } from '../oci/media-types.ts';
import { hostPlatform, parsePlatform } from '../oci/platform.ts';
import { parseReference } from '../oci/reference.ts';
import type { LayerRecord } from '../store/layers.ts';
import { collect, whileAdding } from './collect.ts';
import type { Engine } from './context.ts';
import { imageStore } from './find-image.ts';
import { inflateForeign } from './foreign-compression.ts';
import { chunksOf } from './load.ts';
import { LAYER_TYPES } from './load-eager.ts';
import { imageEvent } from './record-event.ts';
import type { ImportOptions } from './types.ts';
import { beginLayer } from './unpack.ts';

type BaseConfig = Omit<ImageConfig, 'rootfs' | 'history'> & { readonly comment: string };

/**
 * docker import: an image of one layer from a root tarball (plain, gzip, zstd, xz, bzip2). Returns its id. Throws
 * LAYER, BAD_REFERENCE, USAGE (a change), NO_SPACE, IO.
 */
export async function importImage(
  engine: Engine,
  input: NodeJS.ReadableStream,
  reference?: string,
  options: ImportOptions = {},
): Promise<string> {
  // A bad name is found before a gigabyte has been read.
  if (reference !== undefined) parseReference(reference);
  const base = baseConfig(options);
  try {
    return await whileAdding(engine, async () => {
      const { layer, record } = await storeLayer(engine, input);
      return addImage(engine, layer, record, reference, base);
    });
  } catch (error) {
    await collect(engine).catch((e: unknown) =>
      engine.reporter.debug('store', () => `collect: ${messageOf(e)}`),
    );
    throw error;
  }
}

/** As they come; xz and bzip2, which layers cannot have, undone. */
async function layerBytes(
  engine: Engine,
  input: NodeJS.ReadableStream,
): Promise<{ compression: Compression; bytes: AsyncIterable<Buffer> }> {
  const { head, rest } = await peek(chunksOf(engine, input), 8);
  if (!foreignCompression(head)) return { compression: detectCompression(head), bytes: rest };
  const limits = { ...DEFAULT_LIMITS, maxRatio: engine.config.layer.maxRatio };
  return { compression: 'none', bytes: decompress(rest, limits, inflateForeign) };
}

/** Unpacks and keeps the bytes in one pass. */
async function storeLayer(
  engine: Engine,
  input: NodeJS.ReadableStream,
): Promise<{ layer: Descriptor; record: LayerRecord }> {
  const { compression, bytes } = await layerBytes(engine, input);
  const mediaType = LAYER_TYPES[compression];
  const blob = await imageStore(engine).blobs.writer();
  const sink = await beginLayer(engine, { mediaType });
  try {
    for await (const chunk of bytes) await Promise.all([blob.write(chunk), sink.write(chunk)]);
    const record = await sink.end();
    return { layer: { mediaType, ...(await blob.commit()) }, record };
  } finally {
    await Promise.all([blob.abort(), sink.abort()]);
  }
}

/** What is known of the image before its layer is: a bad change or platform is found first. */
function baseConfig({ message = 'Imported from -', changes = [], platform }: ImportOptions): BaseConfig {
  const { os, architecture, variant } = platform === undefined ? hostPlatform() : parsePlatform(platform);
  const config = applyChanges({}, changes);
  return { architecture, ...(variant !== undefined && { variant }), os, config, comment: message };
}

async function addImage(
  engine: Engine,
  layer: Descriptor,
  { diffId, size, created }: LayerRecord,
  reference: string | undefined,
  { comment, ...base }: BaseConfig,
): Promise<string> {
  const config: ImageConfig = {
    created,
    ...base,
    rootfs: { type: 'layers', diff_ids: [diffId] },
    history: [{ created, comment }],
  };
  const store = imageStore(engine);
  const blob = await store.blobs.put(Buffer.from(JSON.stringify(config)));
  const mediaType = OCI_MANIFEST;
  const manifest = await store.blobs.put(
    encodeManifest({ mediaType, config: { mediaType: OCI_CONFIG, ...blob }, layers: [layer] }),
  );
  const id = await store.add(reference, { mediaType, ...manifest }, { size });
  imageEvent(engine, 'import', id, reference);
  if (!engine.config.images.keepBlobs) await store.blobs.remove(layer.digest);
  return id;
}
