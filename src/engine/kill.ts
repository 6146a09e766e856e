import { TsboxError } from '../errors.ts';
import { markStopped } from '../store/containers-restart.ts';
import type { Engine } from './context.ts';
import { find, signal } from './find.ts';
import { containerEvent } from './record-event.ts';
import { signalNumber } from './signals.ts';
import { killAndWait } from './stop.ts';

/**
 * Docker's kill: a signal for pid 1, not waiting for what it does. SIGKILL (the default) waits until the container has
 * ended, so that the next command finds it so. SIGKILL and the container's stop signal also hold its restart policy back.
 * Throws USAGE for an unknown signal, BAD_STATE when it is not running.
 */
export async function kill(engine: Engine, nameOrId: string, name = 'SIGKILL'): Promise<void> {
  const number = signalNumber(name);
  const { record, state } = await find(engine, nameOrId);
  const alive = state.status === 'running' || state.status === 'dead';
  const fatal = number === signalNumber('SIGKILL');
  const stops = fatal || number === signalNumber(record.process.stopSignal);
  if (alive && stops) await markStopped(engine.paths, record.id);
  if (alive) containerEvent(engine, record, 'kill', { signal: String(number) });
  if (alive && fatal) return killAndWait(engine, record.id, state);
  if (alive && (await signal(state, number))) {
    if (state.paused && stops) await (await import('./pause.ts')).resumeRunning(engine, { record, state });
    return;
  }
  throw new TsboxError(
    'BAD_STATE',
    `cannot kill container ${record.name}: it is not running (${state.status})`,
    {
      hint: 'list what runs: tsbox ps',
      exitCode: 1,
    },
  );
}
