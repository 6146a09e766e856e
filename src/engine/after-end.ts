import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { messageOf } from '../errors.ts';
import { helperPath } from '../host/binaries.ts';
import { isAlive, processStart } from '../host/probe.ts';
import { signalProcess, waitProcess } from '../runtime/process.ts';
import type { ContainerRecord, ContainerState } from '../store/container-record.ts';
import {
  containerDirectory,
  containerExists,
  containerState,
  readContainerRecord,
} from '../store/containers.ts';
import { lockHolder } from '../store/containers-lock.ts';
import { hasPolicy, hasRestartFile, isMarkedStopped, markStopped } from '../store/containers-restart.ts';
import type { Engine } from './context.ts';
import { firstProcess, supervisorOf } from './find.ts';
import { launchContainer } from './launch-container.ts';
import { containerEvent } from './record-event.ts';
import type { End } from './restart-policy.ts';
import { giveUp, waitForRestart } from './restart-wait.ts';
import { prepareStorage } from './rootfs.ts';

const SIGKILL = 9;
const TICKS = 100;
/** A container that cannot be started fails as docker's own errors do. */
const CANNOT_START = 125;

/**
 * What a supervisor becomes (execve keeps its pid and start time) when a container with a restart policy has ended: waits as long as docker would and starts
 * it again. A start that fails counts as an end. `stop` and `rm -f` kill this process.
 */
export async function afterEnd(engine: Engine, id: string): Promise<void> {
  await restartAsWanted(engine, id).catch((error: unknown) => {
    // Removed meanwhile: there is nothing to start, and no failure.
    if (containerExists(engine.paths, id)) throw error;
  });
}

async function restartAsWanted(engine: Engine, id: string): Promise<void> {
  for (let end = await lastEnd(engine, id); ; end = { exitCode: CANNOT_START, stopped: false, ran: 0 }) {
    if (!(await waitForRestart(engine, id, end))) return giveUp(engine, id);
    // Read only now: `update` and `rename` during the wait are for this start, too.
    const record = await readContainerRecord(engine.paths, id);
    if (!hasPolicy(record) || isMarkedStopped(engine.paths, id)) return giveUp(engine, id);
    const failure = await startAgain(engine, record);
    if (failure === undefined) return;
    engine.reporter.warn(`restart of ${record.name}: ${failure}`);
  }
}

async function lastEnd(engine: Engine, id: string): Promise<End> {
  const { exitCode } = await containerState(engine.paths, id);
  return { exitCode, stopped: isMarkedStopped(engine.paths, id), ran: age(process.pid) };
}

/** Undefined, or why it could not be started. */
async function startAgain(engine: Engine, record: ContainerRecord): Promise<string | undefined> {
  try {
    await prepareStorage(engine, record);
    await launchContainer(engine, record, undefined);
    return undefined;
  } catch (error) {
    containerEvent(engine, record, 'restart-failed', { error: messageOf(error) });
    return messageOf(error);
  }
}

/** Milliseconds since a process began, by the clock that does not jump: of a supervisor, how long its container ran. */
function age(pid: number): number {
  const uptime = Number(readFileSync('/proc/uptime', 'latin1').split(' ')[0]);
  return (uptime - (processStart(pid) ?? 0) / TICKS) * 1000;
}

/**
 * No restart comes any more: of a container that has ended, marks the end as wanted and ends who waits to start it again,
 * and a start that it may have begun. Returns the state after: `running` when it was too late.
 */
export async function endRestarts(
  engine: Engine,
  id: string,
  state: ContainerState,
): Promise<ContainerState> {
  if (!hasRestartFile(engine.paths, id)) return state;
  await markStopped(engine.paths, id);
  const marked = await containerState(engine.paths, id);
  const last = supervisorOf(marked);
  if (marked.status !== 'exited' || !isAlive(last.pid, last.start)) return marked;
  // A supervisor that is still at its last words will see the mark.
  if (marked.restarting) await end(last);
  else await waitProcess(helperPath(), last, PATIENCE);
  const starter = lockHolder(join(containerDirectory(engine.paths, id), 'lock'));
  const now = await containerState(engine.paths, id);
  if (!starter || now.status === 'running') return now;
  await end(starter);
  const after = await containerState(engine.paths, id);
  // Its first process goes with it, a moment later.
  if (after.status !== 'dead') return after;
  await end(firstProcess(after));
  return containerState(engine.paths, id);
}

/** Milliseconds. */
const PATIENCE = 10_000;

async function end(target: { pid: number; start: number }): Promise<void> {
  if (await signalProcess(helperPath(), target, SIGKILL)) await waitProcess(helperPath(), target, PATIENCE);
}
