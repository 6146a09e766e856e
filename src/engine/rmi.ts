import { TsboxError } from '../errors.ts';
import { familiarReference, parseReference, repositoryOf } from '../oci/reference.ts';
import type { ImageRecord } from '../store/images.ts';
import { type Collected, collect, whileRemoving } from './collect.ts';
import type { Engine } from './context.ts';
import { findImage, imageStore } from './find-image.ts';
import { imageEvent } from './record-event.ts';
import { activeConflict, nameConflict, runningConflict, stoppedConflict } from './rmi-conflicts.ts';
import { type ImageUser, usersOfImage } from './rmi-users.ts';
import type { RemovedImage } from './types.ts';

export interface RmiOptions {
  /** Also an image with several names (by id), or of a container that does not run. */
  readonly force?: boolean;
}

/**
 * docker rmi. A name among others is only taken away; the last one, or an id, removes the image, and with it the layers and
 * blobs that nobody else refers to. CONFLICT by docker's rules: a container uses it (a stopped one gives way to `force`, under a
 * running one only the name goes), or an id has more names than one tag and the digests of its repository. Works on a damaged image.
 * Throws NOT_FOUND, BAD_REFERENCE.
 */
export async function rmi(
  engine: Engine,
  reference: string,
  { force = false }: RmiOptions = {},
): Promise<RemovedImage> {
  const image = await findImage(engine, reference).catch((error: unknown) => {
    if (error instanceof TsboxError && ['STORE_CORRUPT', 'MANIFEST'].includes(error.code)) return undefined;
    throw error;
  });
  if (!image) return removeDamaged(engine, reference);
  const users = await usersOfImage(engine, image.id);
  const name = nameMeant(image, reference);
  return name === undefined
    ? removeById(engine, image, users, force)
    : removeByName(engine, image, { name, typed: reference }, users, force);
}

/** Which of the image's names the user wrote; undefined when it was (the beginning of) its id. */
function nameMeant({ names, digests }: ImageRecord, text: string): string | undefined {
  if (/^(?:sha256:[0-9a-f]+|[0-9a-f]{64})$/.test(text)) return undefined;
  const ref = parseReference(text);
  if (ref.digest !== undefined) return digests.find(d => d === `${repositoryOf(ref)}@${ref.digest}`);
  return names.find(name => name === `${repositoryOf(ref)}:${ref.tag}`);
}

async function removeByName(
  engine: Engine,
  image: ImageRecord,
  { name, typed }: { name: string; typed: string },
  users: readonly ImageUser[],
  force: boolean,
): Promise<RemovedImage> {
  const user = users[0];
  if (user && !force && isSingleReference(image)) throw nameConflict(typed, image, user);
  const gone = [name, ...orphanedDigests(image, name)];
  const left = [...image.names, ...image.digests].filter(other => !gone.includes(other));
  // Under a running container the image stays, without a name.
  if (left.length === 0 && !users.some(u => u.running)) return removeAll(engine, image, gone);
  for (const each of gone) await imageStore(engine).untag(each);
  imageEvent(engine, 'untag', image.id);
  return { untagged: gone.map(familiar), deleted: [] };
}

/** Docker's rule: with the last tag of a repository go its digests. */
function orphanedDigests(image: ImageRecord, name: string): string[] {
  if (!image.names.includes(name)) return [];
  const repository = repositoryOf(parseReference(name));
  const others = image.names.filter(other => other !== name);
  if (others.some(other => repositoryOf(parseReference(other)) === repository)) return [];
  return image.digests.filter(digest => repositoryOf(parseReference(digest)) === repository);
}

async function removeById(
  engine: Engine,
  image: ImageRecord,
  users: readonly ImageUser[],
  force: boolean,
): Promise<RemovedImage> {
  const [user] = users;
  if (user?.running) throw runningConflict(image, user);
  if (!force && !isSingleReference(image)) throw activeConflict(image);
  if (!force && user) throw stoppedConflict(image, user);
  return removeAll(engine, image, [...image.names, ...image.digests]);
}

/** At most one tag, and besides only digests of the same repository. */
function isSingleReference({ names, digests }: ImageRecord): boolean {
  if (names.length > 1) return false;
  return new Set([...names, ...digests].map(name => repositoryOf(parseReference(name)))).size <= 1;
}

async function removeAll(
  engine: Engine,
  image: ImageRecord,
  untagged: readonly string[],
): Promise<RemovedImage> {
  const { layers } = await whileRemoving(engine, async () => {
    await imageStore(engine).remove(image.id);
    if (untagged.length > 0) imageEvent(engine, 'untag', image.id);
    imageEvent(engine, 'delete', image.id);
    return collectUnlessDamaged(engine);
  });
  const order = [...image.layers].reverse();
  const mine = order.filter(layer => layers.includes(layer));
  const others = layers.filter(layer => !order.includes(layer));
  return { untagged: untagged.map(familiar), deleted: [image.id, ...mine, ...others] };
}

/** All that is left of it is its line in the index. */
async function removeDamaged(engine: Engine, reference: string): Promise<RemovedImage> {
  const id = await imageStore(engine).identify(reference);
  if (id === undefined) throw new TsboxError('NOT_FOUND', `no such image: ${reference}`, { exitCode: 1 });
  const { layers } = await whileRemoving(engine, async () => {
    await imageStore(engine).remove(id);
    imageEvent(engine, 'delete', id);
    return collectUnlessDamaged(engine);
  });
  return { untagged: [], deleted: [id, ...layers] };
}

/** What a damaged image needs is unknown, so nothing is collected: but the one that was to go has gone. */
async function collectUnlessDamaged(engine: Engine): Promise<Pick<Collected, 'layers'>> {
  return collect(engine).catch((error: unknown) => {
    if (!(error instanceof TsboxError) || !['STORE_CORRUPT', 'MANIFEST'].includes(error.code)) throw error;
    engine.reporter.warn(`no space is freed: ${error.message}; tsbox system check mends the store`);
    return { layers: [] };
  });
}

const familiar = (name: string): string => familiarReference(parseReference(name));
