import { helperPath } from '../host/binaries.ts';
import { ops, type Service } from '../plan/ops.ts';
import type { ContainerRecord } from '../store/container-record.ts';
import type { Engine } from './context.ts';
import { healthDelay } from './health-rules.ts';
import { selfWith } from './self-with.ts';

/** The hidden verb that does one check. */
export const CHECK_HEALTH = '_check-health';

/**
 * Who checks: a service of the container, so it ends with it. A shell of 0.2 MB that waits with the helper's `wait` (status 4:
 * time is up) and runs `tsbox` for each check, which prints the milliseconds until the next one, or ends with 33 when the
 * container does not run any more. Nothing else ends it: a disk is full or memory short for a moment, and nobody would ask again.
 */
const LOOP =
  'h=$1 p=$2 d=$3; shift 3; while "$h" wait "$p" 0 "$d"; [ $? = 4 ]; do n=$("$@"); case $? in 0) d=$n ;; 33) exit 0 ;; esac; done';

export function healthServices(engine: Engine, record: ContainerRecord): Service[] {
  const check = record.healthcheck;
  if (!check) return [];
  const first = String(healthDelay(check, 'starting', 0));
  const tsbox = selfWith(engine, CHECK_HEALTH, record.id);
  const argv = ['sh', '-c', LOOP, 'sh', helperPath(), '{pid}', first, ...tsbox];
  const exec = ops.exec('/bin/sh', argv, 'checks the health of the container again and again');
  return [{ name: 'health', ready: false, fuse: false, ops: [exec] }];
}
