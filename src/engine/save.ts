import { TsboxError } from '../errors.ts';
import { formatPlatform, type Platform, parsePlatform, platformRank } from '../oci/platform.ts';
import { whileAdding } from './collect.ts';
import type { Engine } from './context.ts';
import { imageStore } from './find-image.ts';
import { imageEvent } from './record-event.ts';
import { documents } from './save-documents.ts';
import { blobName, closeMembers, type Member, openBlobs } from './save-members.ts';
import { tarOf, writeToDirectory, writeToFile, writeToStream } from './save-output.ts';
import { type PreparedImage, prepareImage } from './save-packed.ts';
import { type Selected, selectImages } from './save-select.ts';
import type { SaveOptions } from './types.ts';

/**
 * docker save: writes images with all their layers, as they are in the store, to a stream, a file or (oci-dir) a directory. Throws
 * NOT_FOUND, CONFLICT, USAGE, STORE_CORRUPT, IO, NO_SPACE; then no half-made file or directory stays.
 */
export async function save(
  engine: Engine,
  references: readonly string[],
  target: string | NodeJS.WritableStream,
  { format = 'docker-archive', platform }: SaveOptions = {},
): Promise<void> {
  if (format === 'oci-dir' && typeof target !== 'string') throw noDirectory();
  const wanted = platform === undefined ? undefined : parsePlatform(platform);
  // What is packed for this archive must not be collected before it is open.
  const { images, blobs } = await whileAdding(engine, async () => {
    const selected = await selectImages(engine, references);
    if (wanted) for (const each of selected) checkPlatform(each, wanted);
    return open(engine, selected);
  });
  try {
    await write(engine, [...documents(images, format === 'docker-archive'), ...blobs], target, format);
    for (const reference of references) imageEvent(engine, 'save', reference);
  } finally {
    await closeMembers(blobs);
  }
}

async function open(
  engine: Engine,
  selected: readonly Selected[],
): Promise<{ images: PreparedImage[]; blobs: Member[] }> {
  const store = imageStore(engine).blobs;
  const images = [];
  for (const each of selected) images.push(await prepareImage(engine, each));
  const made = new Map(images.flatMap(image => image.made).map(member => [member.name, member]));
  const all = images.flatMap(({ manifest, config, layers }) => [manifest, config, ...layers]);
  const blobs = await openBlobs(
    store,
    all.filter(({ digest }) => !made.has(blobName(digest))),
  );
  for (const digest of images.flatMap(image => image.packed)) await store.remove(digest);
  return { images, blobs: [...made.values(), ...blobs] };
}

/** An image here has one variant. */
function checkPlatform({ image }: Selected, wanted: Platform): void {
  const { os, architecture, variant } = image.config;
  const have: Platform = { os, architecture, variant: variant || undefined };
  if (platformRank(wanted, have) !== undefined) return;
  const what = `${image.names[0] ?? image.id} is here for ${formatPlatform(have)}, not for ${formatPlatform(wanted)}`;
  throw new TsboxError('PLATFORM', what, { hint: 'pull it with --platform first' });
}

async function write(
  engine: Engine,
  members: readonly Member[],
  target: string | NodeJS.WritableStream,
  format: SaveOptions['format'],
): Promise<void> {
  if (typeof target !== 'string') return writeToStream(tarOf(engine, members), target);
  if (format === 'oci-dir') return writeToDirectory(engine, members, target);
  return writeToFile(tarOf(engine, members), target);
}

function noDirectory(): TsboxError {
  return new TsboxError('USAGE', 'an oci-dir is a directory and cannot go to a stream', {
    hint: 'name it with -o, or use --format oci-archive',
  });
}
