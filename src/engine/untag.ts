import { TsboxError } from '../errors.ts';
import { familiarReference, formatReference, parseReference } from '../oci/reference.ts';
import type { Engine } from './context.ts';
import { findImage, imageStore } from './find-image.ts';
import { imageEvent } from './record-event.ts';

/** podman untag: takes away the given names of an image, or all of them; the image stays. Throws NOT_FOUND, BAD_REFERENCE. */
export async function untag(engine: Engine, image: string, names: readonly string[] = []): Promise<void> {
  const record = await findImage(engine, image);
  const wanted = names.map(name => formatReference({ ...parseReference(name), digest: undefined }));
  const missing = wanted.find(name => !record.names.includes(name));
  if (missing !== undefined) {
    const name = familiarReference(parseReference(missing));
    throw new TsboxError('NOT_FOUND', `the image ${image} has no name ${name}`, {
      hint: 'tsbox images lists the names',
      exitCode: 1,
    });
  }
  if (wanted.length === 0) await imageStore(engine).untagAll(record.id);
  for (const name of wanted) await imageStore(engine).untag(name);
  imageEvent(engine, 'untag', record.id);
}
