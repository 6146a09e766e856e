import { TsboxError } from '../errors.ts';
import { changeRecord } from '../store/containers-change.ts';
import { hasPolicy, isMarkedStopped, resetRestart } from '../store/containers-restart.ts';
import type { Engine } from './context.ts';
import { parseRestart } from './create-life.ts';
import { find } from './find.ts';
import { containerEvent } from './record-event.ts';
import type { UpdateOptions } from './types.ts';

/** Docker's update, of its restart policy: holds from the next end on, also for a container that runs. USAGE, CONFLICT with --rm. */
export async function update(engine: Engine, nameOrId: string, options: UpdateOptions): Promise<void> {
  if (options.restart === undefined) {
    throw new TsboxError('USAGE', 'nothing to update', { hint: 'tsbox update --restart always NAME' });
  }
  const { record } = await find(engine, nameOrId);
  const asked = { image: '', restart: options.restart, autoRemove: record.autoRemove };
  const policy = parseRestart(asked) ?? { name: 'no' as const, maximumRetryCount: 0 };
  const changed = await changeRecord(engine.paths, record.id, now => ({ ...now, restart: policy }));
  const stopped = isMarkedStopped(engine.paths, record.id);
  if (!stopped || !hasPolicy(changed)) await resetRestart(engine.paths, changed);
  containerEvent(engine, changed, 'update');
}
