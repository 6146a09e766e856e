import { TsboxError } from '../errors.ts';
import { isAlive } from '../host/probe.ts';
import { processesOf } from '../host/processes.ts';
import type { ContainerState } from '../store/container-record.ts';
import { markPaused, unmarkPaused } from '../store/containers-paused.ts';
import type { Engine } from './context.ts';
import { type Found, find } from './find.ts';
import { readGroupFile } from './group-file.ts';
import { containerEvent } from './record-event.ts';

const SIGCONT = 18;
const SIGSTOP = 19;
/** A container that forks faster than we can stop it would keep us here for ever. */
const ROUNDS = 100;

/**
 * Docker's pause: no process of the container goes on until `unpause`. Its control group is frozen; where it has none,
 * every process of its pid namespace gets SIGSTOP, again until no new one appears. BAD_STATE when it does not run or is paused already.
 */
export async function pauseContainer(engine: Engine, nameOrId: string): Promise<void> {
  const found = await find(engine, nameOrId);
  requireRunning(found, 'pause');
  if (found.state.paused)
    throw new TsboxError('BAD_STATE', `container ${found.record.name} is paused already`, { exitCode: 1 });
  await pauseRunning(engine, found);
  containerEvent(engine, found.record, 'pause');
}

/** Docker's unpause. BAD_STATE when it is not paused. */
export async function resumeContainer(engine: Engine, nameOrId: string): Promise<void> {
  const found = await find(engine, nameOrId);
  requireRunning(found, 'unpause');
  if (!found.state.paused)
    throw new TsboxError('BAD_STATE', `container ${found.record.name} is not paused`, { exitCode: 1 });
  await resumeRunning(engine, found);
  containerEvent(engine, found.record, 'unpause');
}

/**
 * Runs `work` while nothing in the container moves; one that does not run, or that its user has paused, is left as it is.
 * Afterwards it goes on, also when `work` fails.
 */
export async function whilePaused<T>(engine: Engine, nameOrId: string, work: () => Promise<T>): Promise<T> {
  const found = await find(engine, nameOrId);
  if (found.state.status !== 'running' || found.state.paused) return work();
  try {
    await pauseRunning(engine, found);
    return await work();
  } finally {
    await resumeRunning(engine, found);
  }
}

async function pauseRunning(engine: Engine, { record, state }: Found): Promise<void> {
  await markPaused(engine.paths, record.id, state);
  const group = readGroupFile(engine, record.id)?.path;
  if (group !== undefined) return freezeGroup(engine, { record, state }, group);
  const { pidfdSignal } = await import('../sys/pidfd.ts');
  for (let round = 0; round < ROUNDS; round++) {
    // Parents first: a shell must not see that its child was stopped.
    const moving = processesOf(state.pid).filter(p => !'TtZX'.includes(p.state));
    if (moving.length === 0) return;
    for (const { pid, start } of moving) pidfdSignal(pid, SIGSTOP, () => isAlive(pid, start));
    // A stop is not at once: the process finishes its system call first.
    await new Promise(resolve => setTimeout(resolve, Math.min(round, 20)));
  }
  await resumeRunning(engine, { record, state });
  throw restless(record.name);
}

/** At once, and nothing inside can tell. */
async function freezeGroup(engine: Engine, found: Found, path: string): Promise<void> {
  if (await (await import('../cgroup/control.ts')).freeze(path, true)) return;
  await resumeRunning(engine, found);
  throw restless(found.record.name);
}

const restless = (name: string): TsboxError =>
  new TsboxError('BAD_STATE', `container ${name} cannot be paused: it does not stand still`, {
    hint: 'a process that waits in the kernel cannot be stopped; try again',
    exitCode: 1,
  });

/** The children first, then their parents, who find nothing changed. */
export async function resumeRunning(
  engine: Engine,
  { record, state }: { record: { id: string }; state: ContainerState },
): Promise<void> {
  const group = readGroupFile(engine, record.id)?.path;
  if (group !== undefined && isAlive(state.pid, state.start)) {
    await (await import('../cgroup/control.ts')).freeze(group, false);
    return unmarkPaused(engine.paths, record.id);
  }
  const { pidfdSignal } = await import('../sys/pidfd.ts');
  if (isAlive(state.pid, state.start)) {
    for (const { pid, start } of processesOf(state.pid).reverse())
      pidfdSignal(pid, SIGCONT, () => isAlive(pid, start));
  }
  await unmarkPaused(engine.paths, record.id);
}

function requireRunning({ record, state }: Found, doing: string): void {
  if (state.status === 'running') return;
  throw new TsboxError(
    'BAD_STATE',
    `cannot ${doing} container ${record.name}: it is not running (${state.status})`,
    { hint: `start it: tsbox start ${record.name}`, exitCode: 1 },
  );
}
