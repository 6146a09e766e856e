import { TsboxError } from '../errors.ts';
import type { Launched } from '../runtime/launch.ts';
import type { ContainerRecord } from '../store/container-record.ts';
import { containerState, findContainer } from '../store/containers.ts';
import { attachedTo } from './attached.ts';
import type { Engine } from './context.ts';
import { launchContainer } from './launch-container.ts';
import { prepareStorage } from './rootfs.ts';
import { removeIfAsked } from './run.ts';
import type { Attached, AttachOptions } from './types.ts';

/** `tsbox start`: no error for one that is running, as in docker. */
export async function start(engine: Engine, nameOrId: string): Promise<void> {
  const record = await findContainer(engine.paths, nameOrId);
  const state = await containerState(engine.paths, record);
  if (state.status === 'running') return;
  refuseOrphan(record, state.status);
  await prepareStorage(engine, record);
  await launchContainer(engine, record, undefined);
}

/** `tsbox start -a`. */
export async function startAttached(
  engine: Engine,
  nameOrId: string,
  attach: AttachOptions,
): Promise<Attached> {
  const record = await findContainer(engine.paths, nameOrId);
  const state = await containerState(engine.paths, record);
  if (state.status === 'running') return (await import('./attach.ts')).attach(engine, record.id, attach);
  refuseOrphan(record, state.status);
  await prepareStorage(engine, record);
  const launched: Launched = await launchContainer(engine, record, attach);
  return attachedTo(engine, record.id, launched, attach, exited => removeIfAsked(engine, record, exited));
}

/** Its supervisor is gone and its processes are not: a second set must not write to the same file system. */
function refuseOrphan(record: ContainerRecord, status: string): void {
  if (status !== 'dead') return;
  throw new TsboxError(
    'BAD_STATE',
    `container ${record.name} lost its supervisor but its processes still run`,
    {
      hint: `tsbox kill ${record.name}, then start it again`,
    },
  );
}
