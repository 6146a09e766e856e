import { processStart } from '../host/probe.ts';
import { readContainerRecord } from '../store/containers.ts';
import { isMarkedStopped, readRestart, writeRestart } from '../store/containers-restart.ts';
import type { Engine } from './context.ts';
import { type End, restartDelay } from './restart-policy.ts';

const NO = { name: 'no', maximumRetryCount: 0 } as const;

/** The wait between an end and the next start, known to others meanwhile; false at once when there is to be none. */
export async function waitForRestart(engine: Engine, id: string, end: End): Promise<boolean> {
  const { restart: policy } = await readContainerRecord(engine.paths, id);
  const restart = await readRestart(engine.paths, id);
  const delay = restartDelay(policy ?? NO, end, restart);
  if (delay === undefined) return false;
  const next = { ...restart, count: restart.count + 1, delay, waiter: ownProcess() };
  await writeRestart(engine.paths, id, next);
  // Looked for when the waiter is known: `stop` marks, then looks for it, so that one of the two sees the other.
  if (isMarkedStopped(engine.paths, id)) return false;
  await new Promise(resolve => setTimeout(resolve, delay));
  return true;
}

/** The file is read again: `update` may have taken it away with the policy. */
export async function giveUp(engine: Engine, id: string): Promise<void> {
  const restart = await readRestart(engine.paths, id);
  if (restart.waiter !== '') await writeRestart(engine.paths, id, { ...restart, waiter: '' });
}

const ownProcess = (): string => `${process.pid}-${processStart(process.pid) ?? 0}`;
