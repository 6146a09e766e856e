import { helperPath } from '../host/binaries.ts';
import { isAlive } from '../host/probe.ts';
import { type ProcessIdentity, signalProcess, waitProcess } from '../runtime/process.ts';
import type { ContainerRecord, ContainerState } from '../store/container-record.ts';
import { containerState, findContainer } from '../store/containers.ts';
import type { Engine } from './context.ts';

/** A container with its state now: what most use-cases begin with. */
export interface Found {
  readonly record: ContainerRecord;
  readonly state: ContainerState;
}

/** Throws NOT_FOUND, USAGE (ambiguous), STORE_CORRUPT, STORE_VERSION or IO. */
export async function find(engine: Engine, nameOrId: string): Promise<Found> {
  const record = await findContainer(engine.paths, nameOrId);
  return { record, state: await containerState(engine.paths, record) };
}

/** Pid 1, as processes see it outside. */
export const firstProcess = (state: ContainerState): ProcessIdentity => ({
  pid: state.pid,
  start: state.start,
});

export const supervisorOf = (state: ContainerState): ProcessIdentity => ({
  pid: state.supervisor,
  start: state.supervisorStart,
});

/** The container's last process: when it is gone, everything has been recorded and nothing of it runs. */
const lastProcess = (state: ContainerState): ProcessIdentity =>
  state.supervisor > 0 && state.status !== 'dead' ? supervisorOf(state) : firstProcess(state);

/** False when pid 1 is gone already. */
export function signal(state: ContainerState, number: number): Promise<boolean> {
  return signalProcess(helperPath(), firstProcess(state), number);
}

/** Until the container has ended and its supervisor has left; false when the time is up or `engine.signal` aborts. */
export async function untilGone(engine: Engine, state: ContainerState, seconds?: number): Promise<boolean> {
  const target = lastProcess(state);
  if (!isAlive(target.pid, target.start)) return true;
  const milliseconds = seconds === undefined ? undefined : seconds * 1000;
  return waitProcess(helperPath(), target, milliseconds, engine.signal);
}
