import { TsboxError } from '../errors.ts';
import type { UsernsMaps } from '../host/idmap.ts';
import { CLONE } from '../plan/flags.ts';
import { ops } from '../plan/ops.ts';
import type { ContainerRecord, ContainerState } from '../store/container-record.ts';
import { containerState, readContainerRecord, shortId } from '../store/containers.ts';
import { containerMaps } from './container-maps.ts';
import type { Engine } from './context.ts';
import { hostOf } from './create-guest.ts';
import { mapsFor } from './machine.ts';
import { nested, type Place } from './network-place.ts';

/** A container in the user namespace of another one, and in those of its namespaces that the record names. Throws NOT_FOUND, BAD_STATE, USERNS. */
export async function guestPlace(engine: Engine, record: ContainerRecord, maps: UsernsMaps): Promise<Place> {
  const other = await hostRecord(engine, record);
  const state = await containerState(engine.paths, other);
  if (state.status !== 'running') throw notRunning(record, other);
  const theirs = await containerMaps(engine, other);
  if (JSON.stringify([theirs.uid, theirs.gid]) !== JSON.stringify([maps.uid, maps.gid]))
    throw new TsboxError(
      'USERNS',
      `${flagOf(record)} container:${other.name}: both must have one user namespace, and theirs maps other ids (${theirs.mode})`,
      { hint: `--userns ${theirs.mode === 'root' ? 'auto' : theirs.mode}` },
    );
  return {
    maps: (await isNested(engine, other)) ? nested(maps, await mapsFor(engine, 'auto')) : maps,
    header: { target: { pid: state.pid, start: state.start }, inside: lettersOf(record) },
    shared: CLONE.NEWUSER | flagsOf(record),
    ops: sharedMemory(record, state),
  };
}

const idOf = ({ network, namespaces }: ContainerRecord): string | undefined =>
  network.container ?? hostOf(namespaces?.pid) ?? hostOf(namespaces?.ipc);

const flagOf = ({ network, namespaces }: ContainerRecord): string =>
  network.container !== undefined ? '--network' : hostOf(namespaces?.pid) !== undefined ? '--pid' : '--ipc';

async function hostRecord(engine: Engine, record: ContainerRecord): Promise<ContainerRecord> {
  const id = idOf(record) ?? '';
  return readContainerRecord(engine.paths, id).catch((cause: unknown) => {
    throw new TsboxError(
      'NOT_FOUND',
      `the container whose ${flagOf(record).slice(2)} namespace this one has is gone: ${shortId(id)}`,
      { cause },
    );
  });
}

const notRunning = (record: ContainerRecord, other: ContainerRecord): TsboxError =>
  new TsboxError(
    'BAD_STATE',
    `the ${flagOf(record).slice(2)} namespace of container ${other.name} cannot be joined: it is not running`,
    { hint: `tsbox start ${other.name}` },
  );

/** Is its user namespace, or that of the one it lives with, in the holder's? */
async function isNested(engine: Engine, other: ContainerRecord): Promise<boolean> {
  if (other.network.driver === 'bridge') return true;
  const next = idOf(other);
  return next !== undefined && isNested(engine, await readContainerRecord(engine.paths, next));
}

const lettersOf = ({ network, namespaces }: ContainerRecord): string =>
  [
    network.container !== undefined && 'n',
    hostOf(namespaces?.ipc) !== undefined && 'i',
    hostOf(namespaces?.pid) !== undefined && 'p',
  ]
    .filter(Boolean)
    .join('');

const flagsOf = ({ network, namespaces }: ContainerRecord): number =>
  (network.container === undefined ? 0 : CLONE.NEWNET) |
  (hostOf(namespaces?.ipc) === undefined ? 0 : CLONE.NEWIPC) |
  (hostOf(namespaces?.pid) === undefined ? 0 : CLONE.NEWPID);

/** With an ipc namespace goes /dev/shm, as in docker. */
function sharedMemory({ namespaces }: ContainerRecord, { pid, start }: ContainerState) {
  if (hostOf(namespaces?.ipc) === undefined) return [];
  const from = { pid, start, path: '/dev/shm' };
  return [ops.share(from, '/dev/shm', 'POSIX shared memory of the other container')];
}
