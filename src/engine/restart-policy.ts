import type { RestartPolicy } from '../store/container-record.ts';

/** What a container ended with. */
export interface End {
  readonly exitCode: number;
  /** It was ended by `stop` or `kill`. */
  readonly stopped: boolean;
  /** Milliseconds that it ran. */
  readonly ran: number;
}

const FIRST = 100;
const LONGEST = 60_000;
/** One that ran so long was no failed start: the delay begins anew. */
const STEADY = 10_000;

/**
 * docker's back-off: the milliseconds to wait before the next start, or undefined when the policy wants none. `count` restarts were
 * made so far, `delay` was the last wait.
 */
export function restartDelay(
  policy: RestartPolicy,
  end: End,
  { count, delay }: { count: number; delay: number },
): number | undefined {
  if (end.stopped || policy.name === 'no') return undefined;
  if (policy.name === 'on-failure') {
    const tries = policy.maximumRetryCount;
    if (end.exitCode === 0 || (tries > 0 && count >= tries)) return undefined;
  }
  if (delay === 0 || end.ran >= STEADY) return FIRST;
  return Math.min(delay * 2, LONGEST);
}
