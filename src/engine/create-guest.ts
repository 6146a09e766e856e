import { TsboxError } from '../errors.ts';
import type { ContainerRecord, NamespaceRecord, OfContainer } from '../store/container-record.ts';
import { findContainer } from '../store/containers.ts';
import type { Engine } from './context.ts';

interface Network {
  readonly network: string;
  /** Whose network it is. */
  readonly networkOf: string | undefined;
}

/**
 * `--pid container:NAME`, `--ipc container:NAME` with names looked up. Namespaces belong to a user namespace, which must then be that one's, too:
 * so all that is shared is shared with one container. Throws USAGE, NOT_FOUND.
 */
export async function sharedNamespaces(
  engine: Engine,
  asked: NamespaceRecord,
  { network, networkOf }: Network,
): Promise<NamespaceRecord> {
  const pid = await resolved(engine, 'pid', asked.pid);
  const ipc = await resolved(engine, 'ipc', asked.ipc);
  const found = { ...asked, ...(pid && { pid }), ...(ipc && { ipc }) };
  const ids = new Set([networkOf, hostOf(found.pid), hostOf(found.ipc)].filter(id => id !== undefined));
  if (ids.size > 1)
    throw usage(
      '--network, --pid and --ipc name different containers: a container lives in the user namespace of one',
      'name the same one in all of them',
    );
  if (ids.size === 1 && network === 'bridge')
    throw usage(
      `--${hostOf(found.pid) ? 'pid' : 'ipc'} container: goes with no user-defined network of its own: both need the user namespace to be another's`,
      '--network container:NAME with the same name, slirp4netns or none',
    );
  return found;
}

const usage = (message: string, hint: string): TsboxError => new TsboxError('USAGE', message, { hint });

/** The id in `container:ID`. */
export const hostOf = (mode: string | undefined): string | undefined =>
  mode?.startsWith('container:') ? mode.slice('container:'.length) : undefined;

/** What that container has itself: the machine's, another one's, or its own. */
async function resolved<T extends 'pid' | 'ipc'>(
  engine: Engine,
  kind: T,
  mode: NamespaceRecord[T] | undefined,
): Promise<NamespaceRecord[T] | undefined> {
  const name = hostOf(mode);
  if (name === undefined) return mode;
  const other = await findContainer(engine.paths, name);
  const theirs = other.namespaces?.[kind];
  if (theirs === 'host' || hostOf(theirs) !== undefined) return theirs;
  if (kind === 'ipc' && theirs !== 'shareable') throw private_(other);
  return `container:${other.id}` as OfContainer as NamespaceRecord[T];
}

const private_ = (other: ContainerRecord): TsboxError =>
  new TsboxError('CONFLICT', `--ipc container:${other.name}: its ipc namespace is private`, {
    hint: `make that container with --ipc shareable`,
  });
