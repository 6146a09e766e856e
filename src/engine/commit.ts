import { TsboxError } from '../errors.ts';
import { applyChanges } from '../oci/changes-config.ts';
import { type ImageConfig, MAX_CONFIG_SIZE } from '../oci/config.ts';
import { type Descriptor, encodeManifest } from '../oci/manifest.ts';
import { layerCompression, OCI_CONFIG, OCI_MANIFEST } from '../oci/media-types.ts';
import { hostPlatform } from '../oci/platform.ts';
import { parseReference } from '../oci/reference.ts';
import type { ContainerRecord } from '../store/container-record.ts';
import type { ImageRecord } from '../store/images.ts';
import { LayerStore } from '../store/layers.ts';
import { whileAdding } from './collect.ts';
import { committedConfig } from './commit-config.ts';
import { type CommittedLayer, commitLayer } from './commit-layer.ts';
import type { Engine } from './context.ts';
import { find } from './find.ts';
import { imageStore } from './find-image.ts';
import { LAYER_TYPES } from './load-eager.ts';
import { whilePaused } from './pause.ts';
import { containerEvent } from './record-event.ts';
import type { CommitOptions } from './types.ts';

/**
 * docker commit: an image of a container's root file system as it is now, one layer on top of its own image; mounts are not
 * part of it. A running container stands still meanwhile unless `pause` is false. Returns the image's id. Throws NOT_FOUND,
 * BAD_REFERENCE, USAGE (a change), LAYER (a file that no layer can hold), NO_SPACE, IO.
 */
export async function commit(
  engine: Engine,
  container: string,
  options: CommitOptions = {},
): Promise<string> {
  if (options.reference !== undefined) parseReference(options.reference);
  const { record } = await find(engine, container);
  return whileAdding(engine, async () => {
    const base = await baseOf(engine, record);
    const own = committedConfig(record, base?.image.config.config ?? {});
    const config = base ? own : (await import('./host-changes.ts')).markHostChanges(own);
    const changed = applyChanges(config, options.changes ?? []);
    const work = () => commitLayer(engine, record);
    const layer = await (options.pause === false ? work() : whilePaused(engine, record.id, work));
    if (!base) engine.reporter.info(`the image has what ${record.name} changed, and nothing of this machine`);
    return addImage(engine, { record, base, layer, config: changed, options });
  });
}

/** The image of the container; its config as it stands, since fields that we do not know are kept. */
interface Base {
  readonly image: ImageRecord;
  readonly document: object;
}

async function baseOf(engine: Engine, { image, name }: ContainerRecord): Promise<Base | undefined> {
  if (image.id === 'host') return undefined;
  const store = imageStore(engine);
  const found = await store.resolve(image.id);
  if (!found) {
    throw new TsboxError('CONFLICT', `the image of container ${name} (${image.reference}) has been removed`, {
      hint: `get it again (tsbox pull ${image.reference}), or keep the files with tsbox export`,
    });
  }
  const bytes = await store.blobs.read(found.configDescriptor.digest, MAX_CONFIG_SIZE);
  return { image: found, document: JSON.parse(bytes.toString()) as object };
}

interface NewImage {
  readonly record: ContainerRecord;
  readonly base: Base | undefined;
  readonly layer: CommittedLayer;
  readonly config: ImageConfig['config'];
  readonly options: CommitOptions;
}

async function addImage(engine: Engine, image: NewImage): Promise<string> {
  const { base, layer, options } = image;
  const store = imageStore(engine);
  const diffIds = [...(base?.image.layers ?? []), layer.record.diffId];
  const config = await store.blobs.put(Buffer.from(JSON.stringify(configDocument(image, diffIds))));
  const manifest = await store.blobs.put(
    encodeManifest({
      mediaType: OCI_MANIFEST,
      config: { mediaType: OCI_CONFIG, ...config },
      layers: [...(base?.image.layerDescriptors ?? []).map(inOci), layer.descriptor],
    }),
  );
  const size = await new LayerStore(engine.paths.layers).size(diffIds);
  const id = await store.add(options.reference, { mediaType: OCI_MANIFEST, ...manifest }, { size });
  containerEvent(engine, image.record, 'commit', { imageID: id, imageRef: options.reference ?? '' });
  if (!engine.config.images.keepBlobs) await store.blobs.remove(layer.descriptor.digest);
  return id;
}

function configDocument({ record, base, layer, config, options }: NewImage, diffIds: string[]): object {
  const { created } = layer.record;
  const { author, message: comment } = options;
  const history = {
    created,
    created_by: [...record.entrypoint, ...record.cmd].join(' '),
    ...(author !== undefined && { author }),
    ...(comment !== undefined && { comment }),
  };
  // docker's own notes about the container that a layer was made in.
  const { container: _, container_config: __, ...kept } = (base?.document ?? platform()) as Notes;
  return {
    ...kept,
    created,
    ...(author !== undefined && { author }),
    config,
    rootfs: { type: 'layers', diff_ids: diffIds },
    history: [...(base?.image.config.history ?? []), history],
  };
}

interface Notes {
  readonly container?: unknown;
  readonly container_config?: unknown;
}

function platform(): object {
  const { os, architecture, variant } = hostPlatform();
  return { architecture, ...(variant !== undefined && { variant }), os };
}

/** A manifest holds layers of one family: docker's types become the OCI's, the bytes are the same. */
function inOci({ digest, size, mediaType }: Descriptor): Descriptor {
  return { mediaType: LAYER_TYPES[layerCompression(mediaType) ?? 'none'], digest, size };
}
