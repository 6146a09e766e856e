import { messageOf } from '../errors.ts';
import type { HistoryEntry } from '../oci/config.ts';
import type { CachedStep } from './build-cached.ts';
import type { BuildSession, StageResult } from './build-session.ts';

/**
 * `--cache-from`: the layer that an image has for a RUN, if all before it is the same: the layers, and every instruction as histories tell it. What a COPY has
 * read no image tells, so COPY and ADD are done; with equal files they make equal layers.
 */
export async function fromImages(
  session: BuildSession,
  place: Pick<StageResult, 'layers' | 'history'>,
  text: string,
): Promise<CachedStep | undefined> {
  if (!text.startsWith('RUN ')) return undefined;
  for (const reference of session.options.cacheFrom ?? []) {
    const image = await session.image(reference).catch((error: unknown) => {
      session.engine.reporter.warn(`--cache-from ${reference}: ${messageOf(error)}`);
      return undefined;
    });
    const found = image && nextLayer(image, place, text);
    if (found) return found;
  }
  return undefined;
}

function nextLayer(
  { layers, descriptors, history, created }: StageResult,
  place: Pick<StageResult, 'layers' | 'history'>,
  text: string,
): CachedStep | undefined {
  const at = place.layers.length;
  const entry = history[place.history.length];
  const [diffId, descriptor] = [layers[at], descriptors[at]];
  const isSame =
    place.layers.every((layer, i) => layer === layers[i]) &&
    place.history.every((each, i) => textOf(each) === textOf(history[i])) &&
    entry !== undefined &&
    !entry.empty_layer &&
    textOf(entry) === text;
  if (!isSame || diffId === undefined || descriptor === undefined) return undefined;
  return {
    layer: { diffId, descriptor },
    created: entry.created ?? created ?? new Date(0).toISOString(),
  };
}

/** BuildKit marks its own entries. */
const textOf = (entry: HistoryEntry | undefined): string =>
  (entry?.created_by ?? '').replace(/ # buildkit$/, '');
