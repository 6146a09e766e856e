import { join } from 'node:path';
import { translate } from '../host/id-ranges.ts';
import type { UsernsMaps } from '../host/idmap.ts';
import { selfCommand } from '../host/self.ts';
import { endpointRecords, networkRecords } from '../network/bridge-records.ts';
import type { Endpoint, HolderRecord } from '../network/networks.ts';
import { networkPrograms } from '../network/uplink.ts';
import type { Op } from '../plan/ops.ts';
import type { Header, HolderHeader } from '../runtime/header.ts';
import type { ContainerRecord } from '../store/container-record.ts';
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
  /** Before the pivot: what comes of another container. */
  readonly ops: readonly Op[];
}

/**
 * The user namespace of a container with user-defined networks is made in the holder's: only who is capable over both ends of a pair of
 * interfaces can move one there.
 */
export async function placeOf(
  engine: Engine,
  record: ContainerRecord,
  maps: UsernsMaps,
  endpoints: readonly Endpoint[],
): Promise<Place> {
  const outer = await mapsFor(engine, 'auto');
  const inner = nested(maps, outer);
  const request = await startRequest(engine, record, endpoints);
  return {
    maps: inner,
    header: { maps: inner, holder: { ...holderPaths(engine), maps: outer, request } },
    shared: 0,
    ops: [],
  };
}

export const holderPaths = (engine: Engine): Pick<HolderHeader, 'lock' | 'socket'> => ({
  lock: join(engine.paths.runtime, 'network.lock'),
  socket: join(engine.paths.runtime, 'network.sock'),
});

/** The same ids of the machine, in numbers of the holder's user namespace. Written directly: who makes it is root there. */
export function nested(maps: UsernsMaps, outer: UsernsMaps): UsernsMaps {
  return {
    mode: maps.mode,
    uid: translate(outer.uid, maps.uid),
    gid: translate(outer.gid, maps.gid),
    denySetgroups: maps.denySetgroups,
  };
}

async function startRequest(
  engine: Engine,
  record: ContainerRecord,
  endpoints: readonly Endpoint[],
): Promise<HolderRecord[]> {
  const joins = await Promise.all(endpoints.map((e, i) => joinRecords(engine, record.id, e, i)));
  return [['container', record.id], ['resolver', ...selfCommand('cli'), NAMES], ...joins.flat()];
}

/** Makes the network if the holder does not have it, and joins the container to it. */
export const joinRecords = async (
  { paths }: Engine,
  id: string,
  endpoint: Endpoint,
  index: number,
): Promise<HolderRecord[]> => [
  ...networkRecords(endpoint.network, await networkPrograms(endpoint.network, paths.runtime)),
  ...endpointRecords(id, endpoint, index),
];
