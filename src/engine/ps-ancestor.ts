import type { Engine } from './context.ts';
import type { Found } from './find.ts';

/**
 * Docker's `ancestor` filter: containers of an image (name, id, beginning of an id, digest) or of one built on top of it,
 * which shows in the layers it begins with. A name that no image has now still finds what was made from it.
 */
export async function compileAncestor(engine: Engine, text: string): Promise<(found: Found) => boolean> {
  const { ImageStore } = await import('../store/images.ts');
  const images = new ImageStore(engine.paths.images, engine.paths.tmp);
  const image = text === 'host' ? undefined : await images.resolve(text).catch(() => undefined);
  if (!image) return ({ record }) => record.image.reference === text || record.image.id === text;
  const base = image.layers;
  return ({ record }) =>
    record.image.id === image.id ||
    (base.length > 0 && base.every((layer, index) => record.image.layers[index] === layer));
}
