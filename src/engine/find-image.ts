import { TsboxError } from '../errors.ts';
import { type ImageRecord, ImageStore } from '../store/images.ts';
import type { Engine } from './context.ts';

export function imageStore({ paths }: Engine): ImageStore {
  return new ImageStore(paths.images, paths.tmp);
}

/** An image that must be here, by name or id. Throws NOT_FOUND, BAD_REFERENCE. */
export async function findImage(engine: Engine, reference: string): Promise<ImageRecord> {
  const images = imageStore(engine);
  const record = await images.resolve(reference);
  if (record) return record;
  const name = await (await import('./short-names.ts')).expandAlias(engine, reference);
  const meant = name === reference ? undefined : await images.resolve(name);
  if (meant) return meant;
  throw new TsboxError('NOT_FOUND', `no such image: ${reference}`, {
    hint: 'tsbox images lists what is here; tsbox pull gets one',
    exitCode: 1,
  });
}
