import type { Engine } from './context.ts';
import { findImage, imageStore } from './find-image.ts';
import { imageEvent } from './record-event.ts';

/** docker tag: gives an image one more name, which moves if another image had it. Throws NOT_FOUND, BAD_REFERENCE. */
export async function tag(engine: Engine, source: string, target: string): Promise<void> {
  const { id } = await findImage(engine, source);
  await imageStore(engine).tag(id, target);
  imageEvent(engine, 'tag', id, target);
}
