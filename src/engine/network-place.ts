import { join } from 'node:path';
import { TsboxError } from '../errors.ts';
import { translate } from '../host/id-ranges.ts';
import type { UsernsMaps } from '../host/idmap.ts';
import { selfCommand } from '../host/self.ts';
import { endpointRecords, networkRecords } from '../network/bridge-records.ts';
import type { Endpoint, HolderRecord } from '../network/networks.ts';
import { networkPrograms } from '../network/uplink.ts';
import { CLONE } from '../plan/flags.ts';
import type { Header, HolderHeader } from '../runtime/header.ts';
import type { ContainerRecord } from '../store/container-record.ts';
import { containerState, readContainerRecord, shortId } from '../store/containers.ts';
import { containerMaps } from './container-maps.ts';
import type { Engine } from './context.ts';
import { mapsFor } from './machine.ts';

/** The hidden verb that answers questions for names. */
export const NAMES = '_names';

export interface Place {
  /** As the files of the user namespace itself show them: in numbers of the one above it. */
  readonly maps: UsernsMaps;
  readonly header: Pick<Header, 'maps' | 'holder' | 'inside' | 'target'>;
  /** CLONE_NEW* bits of namespaces that it does not get for itself. */
  readonly shared: number;
}

/**
 * Where the user namespace of a container is made, if not in the machine's: in the holder's, for user-defined networks (only who
 * is capable over both ends of a pair of interfaces can move one there), or it is another container's.
 */
export async function placeOf(
  engine: Engine,
  record: ContainerRecord,
  maps: UsernsMaps,
  endpoints: readonly Endpoint[],
): Promise<Place> {
  if (record.network.driver === 'container') return besides(engine, record, maps);
  const outer = await mapsFor(engine, 'auto');
  const inner = nested(maps, outer);
  const request = startRequest(record, endpoints);
  return {
    maps: inner,
    header: { maps: inner, holder: { ...holderPaths(engine), maps: outer, request } },
    shared: 0,
  };
}

export const holderPaths = (engine: Engine): Pick<HolderHeader, 'lock' | 'socket'> => ({
  lock: join(engine.paths.runtime, 'network.lock'),
  socket: join(engine.paths.runtime, 'network.sock'),
});

/** The same ids of the machine, in numbers of the holder's user namespace. Written directly: who makes it is root there. */
function nested(maps: UsernsMaps, outer: UsernsMaps): UsernsMaps {
  return {
    mode: maps.mode,
    uid: translate(outer.uid, maps.uid),
    gid: translate(outer.gid, maps.gid),
    denySetgroups: maps.denySetgroups,
  };
}

function startRequest(record: ContainerRecord, endpoints: readonly Endpoint[]): HolderRecord[] {
  return [
    ['container', record.id],
    ['resolver', ...selfCommand('cli'), NAMES],
    ...endpoints.flatMap((endpoint, i) => joinRecords(record.id, endpoint, i)),
  ];
}

/** Makes the network if the holder does not have it, and joins the container to it. */
export const joinRecords = (id: string, endpoint: Endpoint, index: number): HolderRecord[] => [
  ...networkRecords(endpoint.network, networkPrograms(endpoint.network)),
  ...endpointRecords(id, endpoint, index),
];

async function besides(engine: Engine, record: ContainerRecord, maps: UsernsMaps): Promise<Place> {
  const other = await readContainerRecord(engine.paths, record.network.container ?? '').catch(
    (cause: unknown) => {
      throw new TsboxError(
        'NOT_FOUND',
        `the container whose network this one has is gone: ${shortId(record.network.container ?? '')}`,
        { cause },
      );
    },
  );
  const state = await containerState(engine.paths, other);
  if (state.status !== 'running')
    throw new TsboxError(
      'BAD_STATE',
      `the network of container ${other.name} cannot be joined: it is not running`,
      {
        hint: `tsbox start ${other.name}`,
      },
    );
  const theirs = await containerMaps(engine, other);
  if (JSON.stringify([theirs.uid, theirs.gid]) !== JSON.stringify([maps.uid, maps.gid]))
    throw new TsboxError(
      'USERNS',
      `--network container:${other.name}: both must have one user namespace, and theirs maps other ids (${theirs.mode})`,
      {
        hint: `--userns ${theirs.mode === 'root' ? 'auto' : theirs.mode}`,
      },
    );
  return {
    maps: other.network.driver === 'bridge' ? nested(maps, await mapsFor(engine, 'auto')) : maps,
    header: { target: { pid: state.pid, start: state.start }, inside: true },
    shared: CLONE.NEWUSER | CLONE.NEWNET,
  };
}
