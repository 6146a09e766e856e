import { familiarReference, parseReference } from '../oci/reference.ts';
import { listContainerRecords } from '../store/containers.ts';
import type { ImageRecord } from '../store/images.ts';
import { collect, whileRemoving } from './collect.ts';
import type { Engine } from './context.ts';
import type { Pruned, PruneOptions } from './disk-types.ts';
import { imageStore } from './find-image.ts';
import { booleanFilter, checkFilterKeys } from './object-filters.ts';
import { pruneTest } from './prune-test.ts';
import { imageEvent } from './record-event.ts';

/**
 * docker image prune: removes images without a name, or with `all` every image, that no container was made from; then what nobody
 * needs of layers and blobs, also what interrupted pulls have left. Throws USAGE, STORE_CORRUPT, IO.
 */
export async function pruneImages(
  engine: Engine,
  { all = false, filters = {} }: PruneOptions = {},
): Promise<Pruned> {
  checkFilterKeys('image prune', filters, ['dangling', 'label', 'label!', 'until']);
  const danglingOnly = (filters.dangling ?? []).map(value => booleanFilter('dangling', value)).at(-1) ?? !all;
  const matches = pruneTest(filters);
  const used = new Set((await listContainerRecords(engine.paths)).map(({ image }) => image.id));
  const isWanted = (image: ImageRecord): boolean =>
    !used.has(image.id) &&
    (image.names.length === 0 || !danglingOnly) &&
    matches({ created: image.created, labels: image.config.config.Labels ?? {} });
  const wanted = (await imageStore(engine).list()).filter(isWanted);
  const { layers, bytes } = await whileRemoving(engine, async () => {
    for (const { id } of wanted) {
      await imageStore(engine).remove(id);
      imageEvent(engine, 'delete', id);
    }
    return collect(engine);
  });
  return {
    untagged: wanted.flatMap(({ names, digests }) => [...names, ...digests].map(familiar)),
    deleted: [...wanted.map(({ id }) => id), ...layers],
    reclaimed: bytes,
  };
}

const familiar = (name: string): string => familiarReference(parseReference(name));
