import type { HistoryEntry } from '../oci/config.ts';
import { familiarReference, parseReference } from '../oci/reference.ts';
import { LayerStore } from '../store/layers.ts';
import type { Engine } from './context.ts';
import { findImage } from './find-image.ts';
import type { ImageHistoryEntry } from './types.ts';

/** How an image was made, as its config tells, the newest step first; an image that does not tell has one step for each layer. */
export async function history(engine: Engine, reference: string): Promise<ImageHistoryEntry[]> {
  const image = await findImage(engine, reference);
  const steps = aligned(image.config.history, image.layers.length);
  const records = await Promise.all(image.layers.map(id => new LayerStore(engine.paths.layers).record(id)));
  const tags = image.names.map(name => familiarReference(parseReference(name)));
  let layer = 0;
  const entries = steps.map((step, i) => {
    const size = step.empty_layer ? 0 : (records[layer++]?.size ?? 0);
    const isNewest = i === steps.length - 1;
    return {
      id: isNewest ? image.id : '<missing>',
      created: step.created,
      createdBy: step.created_by ?? '',
      size,
      comment: step.comment ?? '',
      tags: isNewest ? tags : [],
    };
  });
  return entries.reverse();
}

/** Layers that the history does not account for come first: tools that forget it write too little, never too much. */
function aligned(steps: readonly HistoryEntry[], layers: number): readonly HistoryEntry[] {
  const told = steps.filter(step => !step.empty_layer).length;
  const untold: HistoryEntry[] = Array.from({ length: Math.max(0, layers - told) }, () => ({}));
  return [...untold, ...steps];
}
