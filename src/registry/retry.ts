import { setTimeout as sleep } from 'node:timers/promises';
import { TsboxError } from '../errors.ts';
import { Transient } from './failure.ts';
import type { NetworkLimits } from './limits.ts';

/** What is told before a wait. */
export interface Wait {
  readonly ms: number;
  readonly reason: string;
  /** The registry asked for it. */
  readonly asked: boolean;
}

export interface RetryOptions {
  readonly limits: NetworkLimits;
  readonly signal?: AbortSignal | undefined;
  onWait?(wait: Wait): void;
}

/**
 * Repeats `attempt` while it throws Transient, waiting longer each time. An attempt that got somewhere calls `progress`,
 * and the count starts again. Throws the error inside the last Transient, or ABORTED.
 */
export async function withRetry<T>(
  options: RetryOptions,
  attempt: (progress: () => void) => Promise<T>,
): Promise<T> {
  let failures = 0;
  const progress = (): void => {
    failures = 0;
  };
  for (;;) {
    try {
      return await attempt(progress);
    } catch (error) {
      if (options.signal?.aborted) throw aborted(options.signal);
      if (!(error instanceof Transient)) throw error;
      failures += 1;
      await waitOrGiveUp(error, failures, options);
    }
  }
}

async function waitOrGiveUp(failure: Transient, failures: number, options: RetryOptions): Promise<void> {
  const { limits, signal } = options;
  const asked = failure.wait !== undefined;
  const ms = failure.wait ?? backoff(limits, failures);
  if (failures >= limits.attempts || ms > limits.maxWait) throw failure.error;
  options.onWait?.({ ms, reason: failure.message, asked });
  try {
    await sleep(ms, undefined, signal ? { signal } : {});
  } catch {
    throw aborted(signal);
  }
}

/** Doubles; the random part keeps parallel layers from coming back at the same moment. */
function backoff(limits: NetworkLimits, failures: number): number {
  return Math.round(limits.backoff * 2 ** (failures - 1) * (0.75 + Math.random() / 2));
}

export function aborted(signal: AbortSignal | undefined): TsboxError {
  return new TsboxError('ABORTED', 'cancelled', { cause: signal?.reason });
}

/** `Retry-After` in milliseconds from now: seconds or an HTTP date (RFC 9110, 10.2.3). Undefined when it is neither. */
export function parseRetryAfter(value: string | undefined, now: number = Date.now()): number | undefined {
  if (value === undefined) return undefined;
  if (/^\s*[0-9]{1,9}\s*$/.test(value)) return Number(value) * 1000;
  const date = Date.parse(value);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}
