import { parseReference, repositoryOf } from '../oci/reference.ts';
import type { ImageRecord } from '../store/images.ts';
import type { Engine } from './context.ts';
import { findImage, imageStore } from './find-image.ts';

/** An image that goes into an archive, and the names it goes by there. */
export interface Selected {
  readonly image: ImageRecord;
  /** Canonical, with tag; empty when it was asked for by id or digest. */
  readonly names: readonly string[];
}

/** Each image once, in the order asked for. As with docker, a name without a tag means every tag of its repository. Throws NOT_FOUND. */
export async function selectImages(engine: Engine, references: readonly string[]): Promise<Selected[]> {
  const all = await imageStore(engine).list();
  const selected = new Map<string, { image: ImageRecord; names: Set<string> }>();
  const add = (image: ImageRecord, names: readonly string[]): void => {
    const known = selected.get(image.id) ?? { image, names: new Set() };
    for (const name of names) known.names.add(name);
    selected.set(image.id, known);
  };
  for (const reference of references) {
    const tagged = hasTag(reference) ? [] : withRepository(all, reference);
    for (const { image, names } of tagged) add(image, names);
    if (tagged.length > 0) continue;
    const image = await findImage(engine, reference);
    add(
      image,
      image.names.filter(name => name === canonical(reference)),
    );
  }
  return [...selected.values()].map(({ image, names }) => ({ image, names: [...names] }));
}

const hasTag = (reference: string): boolean => reference.includes('@') || /:[^/]*$/.test(reference);

function withRepository(all: readonly ImageRecord[], reference: string): Selected[] {
  const wanted = canonicalParts(reference)?.repository;
  if (wanted === undefined) return [];
  const ofIt = (image: ImageRecord) =>
    image.names.filter(name => canonicalParts(name)?.repository === wanted);
  return all.map(image => ({ image, names: ofIt(image) })).filter(({ names }) => names.length > 0);
}

const canonical = (reference: string): string | undefined => canonicalParts(reference)?.name;

/** Undefined for what is no name: an id, or the beginning of one. */
function canonicalParts(reference: string): { repository: string; name: string } | undefined {
  try {
    const ref = parseReference(reference);
    const repository = repositoryOf(ref);
    return { repository, name: `${repository}:${ref.tag}` };
  } catch {
    return undefined;
  }
}
