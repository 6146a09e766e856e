import type { ChildProcess } from 'node:child_process';
import { TsboxError } from '../errors.ts';
import { spawnHelper } from '../host/spawn.ts';
import { GONE, tender } from './tender.ts';

/** A process for ever: a reused pid has another start time (clock ticks after boot). */
export interface ProcessIdentity {
  readonly pid: number;
  readonly start: number;
}

/** Exit statuses of the roles `kill` and `wait` (docs/helper-protocol.md). */
const NO_SUCH_PROCESS = 3;
const TIME_IS_UP = 4;

/** Sends a signal through a pidfd. False when that process is gone; a stranger with its pid is never signalled. */
export async function signalProcess(
  helper: string,
  target: ProcessIdentity,
  signal: number,
): Promise<boolean> {
  const status = await play(helper, ['kill', String(target.pid), String(target.start), String(signal)]);
  if (status === 0) return true;
  if (status === NO_SUCH_PROCESS) return false;
  throw new TsboxError(
    'INTERNAL',
    `signal ${signal} cannot be sent to process ${target.pid} (status ${status})`,
  );
}

/**
 * Resolves with true when the process is gone (at once if it is), with false after `milliseconds` or when `stop` aborts.
 * Without either it waits for ever, on a pidfd.
 */
export async function waitProcess(
  helper: string,
  target: ProcessIdentity,
  milliseconds?: number,
  stop?: AbortSignal,
): Promise<boolean> {
  if (stop?.aborted) return false;
  const limit = milliseconds === undefined ? [] : [String(clamp(milliseconds))];
  const status = await play(helper, ['wait', String(target.pid), String(target.start), ...limit], stop);
  if (status === 0) return true;
  if (status === TIME_IS_UP || stop?.aborted) return false;
  throw new TsboxError('INTERNAL', `process ${target.pid} cannot be waited for (status ${status})`);
}

/** poll(2) takes an int. */
const clamp = (milliseconds: number): number => Math.min(Math.max(0, Math.ceil(milliseconds)), 2 ** 31 - 1);

/** The exit status of a role: of the helper that waits for such questions, or of one of its own. */
async function play(helper: string, words: readonly string[], stop?: AbortSignal): Promise<number> {
  const status = await tender()?.ask(words, stop);
  if (status !== undefined && status !== GONE) return status;
  const child = spawnHelper(helper, words, { argv0: 'tsbox:', stdio: 'ignore' });
  const end = () => child.kill('SIGKILL');
  stop?.addEventListener('abort', end, { once: true });
  return statusOf(child).finally(() => stop?.removeEventListener('abort', end));
}

function statusOf(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once('error', cause =>
      reject(
        new TsboxError('HOST', `the helper cannot be started: ${cause.message}`, {
          cause,
          check: 'helper-broken',
        }),
      ),
    );
    child.once('exit', (status, signal) => resolve(status ?? (signal === null ? 255 : 128)));
  });
}
