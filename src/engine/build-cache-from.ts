import { messageOf } from '../errors.ts';
import type { HistoryEntry } from '../oci/config.ts';
import { type CachedStep, stepNote } from './build-cached.ts';
import type { BuildSession, StageResult } from './build-session.ts';

/**
 * `--cache-from`: the layer that an image has for a step. Histories of our images tell what each depended on. In those of others, that is told only by
 * the instructions: a RUN is the same if all before it is, what a COPY has read nobody knows.
 */
export async function fromImages(
  session: BuildSession,
  place: Pick<StageResult, 'layers' | 'history'>,
  { text, key }: { readonly text: string; readonly key: string },
): Promise<CachedStep | undefined> {
  for (const reference of session.options.cacheFrom ?? []) {
    const image = await session.image(reference).catch((error: unknown) => {
      session.engine.reporter.warn(`--cache-from ${reference}: ${messageOf(error)}`);
      return undefined;
    });
    const found = image && (notedLayer(image, key) ?? nextLayer(image, place, text));
    if (found) return found;
  }
  return undefined;
}

function notedLayer(image: StageResult, key: string): CachedStep | undefined {
  let layer = 0;
  for (const entry of image.history) {
    if (entry.empty_layer) continue;
    if (entry.comment === stepNote(key)) return layerOf(image, layer, entry);
    layer++;
  }
  return undefined;
}

function layerOf(
  { layers, descriptors, created }: StageResult,
  at: number,
  entry: HistoryEntry,
): CachedStep | undefined {
  const [diffId, descriptor] = [layers[at], descriptors[at]];
  if (diffId === undefined || descriptor === undefined) return undefined;
  return {
    layer: { diffId, descriptor },
    created: entry.created ?? created ?? new Date(0).toISOString(),
  };
}

function nextLayer(
  image: StageResult,
  place: Pick<StageResult, 'layers' | 'history'>,
  text: string,
): CachedStep | undefined {
  if (!text.startsWith('RUN ')) return undefined;
  const { layers, history } = image;
  const entry = history[place.history.length];
  const isSame =
    place.layers.every((layer, i) => layer === layers[i]) &&
    place.history.every((each, i) => textOf(each) === textOf(history[i])) &&
    entry !== undefined &&
    !entry.empty_layer &&
    textOf(entry) === text;
  return isSame ? layerOf(image, place.layers.length, entry) : undefined;
}

/** BuildKit marks its own entries. */
const textOf = (entry: HistoryEntry | undefined): string =>
  (entry?.created_by ?? '').replace(/ # buildkit$/, '');
