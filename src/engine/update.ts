import { TsboxError } from '../errors.ts';
import type { ContainerRecord, RestartPolicy } from '../store/container-record.ts';
import { changeRecord } from '../store/containers-change.ts';
import { hasPolicy, isMarkedStopped, resetRestart } from '../store/containers-restart.ts';
import type { Engine } from './context.ts';
import { parseRestart } from './create-life.ts';
import { find } from './find.ts';
import { containerEvent } from './record-event.ts';
import type { UpdateOptions } from './types.ts';

/**
 * Docker's update. Limits hold at once, also for a container that runs; a restart policy from the next end on. USAGE, LIMIT, CONFLICT with --rm.
 */
export async function update(engine: Engine, nameOrId: string, options: UpdateOptions): Promise<void> {
  const { restart, resources } = options;
  if (restart === undefined && resources === undefined)
    throw new TsboxError('USAGE', 'nothing to update', { hint: 'tsbox update --memory 1g NAME' });
  const found = await find(engine, nameOrId);
  const policy = restart === undefined ? undefined : policyOf(found.record, restart);
  const limits = resources && (await import('./update-limits.ts')).updateLimits(engine, found, resources);
  const changed = await changeRecord(engine.paths, found.record.id, now => ({
    ...now,
    ...(policy && { restart: policy }),
    ...(limits && { limits }),
  }));
  if (policy) {
    const stopped = isMarkedStopped(engine.paths, changed.id);
    if (!stopped || !hasPolicy(changed)) await resetRestart(engine.paths, changed);
  }
  containerEvent(engine, changed, 'update');
}

const policyOf = ({ autoRemove }: ContainerRecord, restart: string): RestartPolicy =>
  parseRestart({ image: '', restart, autoRemove }) ?? { name: 'no', maximumRetryCount: 0 };
