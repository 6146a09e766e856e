import { TsboxError } from '../errors.ts';
import { helperPath } from '../host/binaries.ts';
import { signalProcess } from '../runtime/process.ts';
import type { ContainerState } from '../store/container-record.ts';
import type { Engine } from './context.ts';
import { find, firstProcess, signal, supervisorOf, untilGone } from './find.ts';
import { readGroupFile } from './group-file.ts';
import { containerEvent } from './record-event.ts';
import { signalNumber } from './signals.ts';
import type { StopOptions } from './types.ts';

const SIGKILL = 9;
/** Seconds that a supervisor has after its container's death to record it and to end the services. */
const LAST_WORDS = 10;

/**
 * Docker's stop: the stop signal, `timeout` seconds of grace (both by default the container's; negative: for ever), SIGKILL.
 * Resolves when nothing of it runs any more; no error for one that does not run. Its restart policy does not start it again, and
 * one that waits for its restart does not get it. Throws USAGE for an unknown signal, ABORTED.
 */
export async function stop(engine: Engine, nameOrId: string, options: StopOptions = {}): Promise<void> {
  const { record, state } = await find(engine, nameOrId);
  const number = signalNumber(options.signal ?? record.process.stopSignal);
  if (state.status === 'dead') return killAndWait(engine, record.id, state);
  const now = await (await import('./after-end.ts')).endRestarts(engine, record.id, state);
  if (now.status !== 'running') return;
  await signal(now, number);
  if (now.paused) await (await import('./pause.ts')).resumeRunning(engine, { record, state: now });
  const grace = options.timeout ?? record.process.stopTimeout;
  const gone = await untilGone(engine, now, grace < 0 ? undefined : grace);
  if (!gone && engine.signal?.aborted)
    throw new TsboxError('ABORTED', `stopping ${record.name} was cancelled`);
  if (!gone) await killAndWait(engine, record.id, now);
  containerEvent(engine, record, 'stop');
}

/**
 * SIGKILL to all of its control group, and to pid 1, which takes every process of its pid namespace along; then to a supervisor that does not leave. With
 * both gone the container has ended, whatever is recorded. Throws BAD_STATE if the kernel does not let one of them go.
 */
export async function killAndWait(engine: Engine, id: string, state: ContainerState): Promise<void> {
  const group = readGroupFile(engine, id)?.path;
  if (group !== undefined) (await import('../cgroup/control.ts')).killGroup(group);
  if (state.pid > 0) await signal(state, SIGKILL);
  if (await untilGone(engine, state, LAST_WORDS)) return;
  await signalProcess(helperPath(), supervisorOf(state), SIGKILL);
  const both = [supervisorOf(state), firstProcess(state)].map(({ pid, start }) =>
    untilGone(engine, { ...state, status: 'dead', pid, start }, LAST_WORDS),
  );
  if ((await Promise.all(both)).every(Boolean)) return;
  throw new TsboxError('BAD_STATE', `process ${state.pid} does not end although it was killed`, {
    hint: 'it waits in the kernel, as a rule for a disk or a network file system; try again when that answers',
  });
}
