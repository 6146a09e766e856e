import type { ProgressEvent } from '../log.ts';
import { layerCompression } from '../oci/media-types.ts';
import type { Reference } from '../oci/reference.ts';
import type { ImageRecord } from '../store/images.ts';
import { LayerProgress } from './pull-progress.ts';
import type { PushJob } from './push-layer.ts';
import type { PushedLayer } from './push-memory.ts';

const MAX_MOUNTS = 3;

/** Each layer of the image once, by digest. */
export function planPush(
  image: ImageRecord,
  ref: Reference,
  all: readonly ImageRecord[],
  memory: ReadonlyMap<string, PushedLayer>,
  emit: (event: ProgressEvent) => void,
): ReadonlyMap<string, PushJob> {
  const jobs = image.layerDescriptors.map((descriptor, i): [string, PushJob] => {
    const diffId = image.layers[i] ?? '';
    const before = memory.get(diffId);
    const asIs = layerCompression(descriptor.mediaType) !== 'none' || cameAsItIs(image, before);
    const holders = asIs ? holdersOf(descriptor.digest, all) : (before?.repositories ?? []);
    const progress = new LayerProgress(descriptor.digest, emit);
    const where = { mountFrom: neighbours(holders, ref), expected: isExpected(descriptor.digest, ref, all) };
    return [descriptor.digest, { descriptor, diffId, asIs, before, ...where, progress }];
  });
  return new Map(jobs);
}

/**
 * A registry knows images with uncompressed layers by digest, and that digest has to stay. An image that was made here
 * has none, or only those of pushes in which its layers were compressed.
 */
function cameAsItIs(image: ImageRecord, before: PushedLayer | undefined): boolean {
  return image.digests.length > 0 && before === undefined;
}

/** Where the config of the image may be mounted from. */
export function configHolders(
  { configDescriptor }: ImageRecord,
  ref: Reference,
  all: readonly ImageRecord[],
): readonly string[] {
  const holders = all.filter(image => image.configDescriptor.digest === configDescriptor.digest);
  return neighbours(repositoriesOf(holders), ref);
}

/** True when an image with that blob was pulled from, or pushed to, this very repository. */
function isExpected(digest: string, { domain, path }: Reference, all: readonly ImageRecord[]): boolean {
  const own = `${domain}/${path}@`;
  const isOurs = (image: ImageRecord) => image.digests.some(name => name.startsWith(own));
  return all.some(image => isOurs(image) && image.layerDescriptors.some(layer => layer.digest === digest));
}

/** Repositories (`host/path`) that images here with that blob are named after. */
function holdersOf(digest: string, all: readonly ImageRecord[]): string[] {
  return repositoriesOf(all.filter(image => image.layerDescriptors.some(layer => layer.digest === digest)));
}

function repositoriesOf(images: readonly ImageRecord[]): string[] {
  return images.flatMap(image => [
    ...image.digests.map(name => name.split('@', 1)[0] ?? ''),
    ...image.names.map(name => name.replace(/:[^:/]*$/, '')),
  ]);
}

/** Those of the same registry, as it calls them; not the repository itself. */
function neighbours(repositories: readonly string[], { domain, path }: Reference): readonly string[] {
  const prefix = `${domain}/`;
  const paths = repositories
    .filter(name => name.startsWith(prefix))
    .map(name => name.slice(prefix.length))
    .filter(name => name !== path);
  return [...new Set(paths)].slice(0, MAX_MOUNTS);
}
