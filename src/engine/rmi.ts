import { TsboxError } from '../errors.ts';
import { familiarReference, parseReference, repositoryOf } from '../oci/reference.ts';
import type { ContainerRecord } from '../store/container-record.ts';
import { containerState, listContainerRecords, shortId } from '../store/containers.ts';
import type { ImageRecord } from '../store/images.ts';
import { collect } from './collect.ts';
import type { Engine } from './context.ts';
import { findImage, imageStore } from './find-image.ts';
import type { RemovedImage } from './types.ts';

interface User {
  readonly id: string;
  readonly running: boolean;
}

/**
 * docker rmi. A name among others is only taken away; the last one, or an id, removes the image, and with it the layers and
 * blobs that nobody else refers to. CONFLICT when containers use it (a stopped one gives way to `force`, a running one never does),
 * or when an id has names in several repositories. Throws NOT_FOUND, BAD_REFERENCE.
 */
export async function rmi(
  engine: Engine,
  reference: string,
  { force = false }: { force?: boolean } = {},
): Promise<RemovedImage> {
  const image = await findImage(engine, reference);
  const users = await usersOf(engine, image);
  const name = nameMeant(image, reference);
  return name === undefined
    ? removeById(engine, image, users, force)
    : removeByName(engine, image, name, users, force);
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
  name: string,
  users: readonly User[],
  force: boolean,
): Promise<RemovedImage> {
  const others = image.names.filter(other => other !== name);
  if (others.length > 0) {
    await imageStore(engine).untag(name);
    return { untagged: [familiar(name)], deleted: [] };
  }
  const user = users[0];
  if (user && !force) {
    throw conflict(
      `cannot remove the name ${familiar(name)}: container ${shortId(user.id)} uses its image ${short(image)}`,
      user.running
        ? `tsbox rm -f ${shortId(user.id)} first`
        : `tsbox rm ${shortId(user.id)} first, or use --force`,
    );
  }
  // Under a running container the image stays, without a name.
  if (!users.some(u => u.running)) return removeAll(engine, image);
  await imageStore(engine).untag(name);
  return { untagged: [familiar(name)], deleted: [] };
}

async function removeById(
  engine: Engine,
  image: ImageRecord,
  users: readonly User[],
  force: boolean,
): Promise<RemovedImage> {
  const running = users.find(u => u.running);
  const what = `cannot delete image ${short(image)}`;
  if (running) {
    throw conflict(
      `${what}: running container ${shortId(running.id)} uses it`,
      `tsbox rm -f ${shortId(running.id)} first`,
    );
  }
  if (users[0] && !force) {
    const id = shortId(users[0].id);
    throw conflict(`${what}: stopped container ${id} uses it`, `tsbox rm ${id} first, or use --force`);
  }
  const repositories = new Set(image.names.map(name => repositoryOf(parseReference(name))));
  if (repositories.size > 1 && !force) {
    throw conflict(
      `${what}: it has names in ${repositories.size} repositories`,
      'remove them by name, or use --force',
    );
  }
  return removeAll(engine, image);
}

async function removeAll(engine: Engine, image: ImageRecord): Promise<RemovedImage> {
  await imageStore(engine).remove(image.id);
  const layers = await collect(engine);
  return { untagged: [...image.names, ...image.digests].map(familiar), deleted: [image.id, ...layers] };
}

async function usersOf({ paths }: Engine, image: ImageRecord): Promise<User[]> {
  const records = (await listContainerRecords(paths)).filter(record => record.image.id === image.id);
  const users = await Promise.all(
    records.map(async (record: ContainerRecord) => ({
      id: record.id,
      running: (await containerState(paths, record)).status === 'running',
    })),
  );
  // The one that nothing can be done about comes first.
  return users.sort((a, b) => Number(b.running) - Number(a.running));
}

const short = (image: ImageRecord): string => image.id.slice('sha256:'.length, 'sha256:'.length + 12);
const familiar = (name: string): string => familiarReference(parseReference(name));

function conflict(message: string, hint: string): TsboxError {
  return new TsboxError('CONFLICT', message, { hint, exitCode: 1 });
}
