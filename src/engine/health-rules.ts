import type { HealthCheck } from '../store/container-record.ts';
import type { HealthFile, HealthResult } from '../store/containers-health.ts';

/** docker keeps that many results. */
const KEPT = 5;

/**
 * docker's rules: one success makes healthy; so many failures in a row as `retries` says make unhealthy, those in the start period not counting until
 * the first success. `age`: milliseconds since the container began.
 */
export function nextHealth(
  check: HealthCheck,
  before: HealthFile,
  result: HealthResult,
  age: number,
): HealthFile {
  const log = [...before.log, result].slice(-KEPT);
  if (result.ExitCode === 0) return { ...before, status: 'healthy', failingStreak: 0, log };
  const excused = before.status === 'starting' && age < check.startPeriod;
  const failingStreak = before.failingStreak + (excused ? 0 : 1);
  const status = failingStreak >= check.retries ? 'unhealthy' : before.status;
  return { ...before, status, failingStreak, log };
}

/** Milliseconds until the next check. */
export function healthDelay(check: HealthCheck, status: HealthFile['status'], age: number): number {
  return status === 'starting' && age < check.startPeriod ? check.startInterval : check.interval;
}

/** What is executed for `CMD` and `CMD-SHELL`. */
export function healthCommand({ test }: HealthCheck): string[] {
  const [kind, ...rest] = test;
  return kind === 'CMD-SHELL' ? ['/bin/sh', '-c', rest.join(' ')] : rest;
}
