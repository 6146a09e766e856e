import { TsboxError } from '../errors.ts';
import type { Launched } from '../runtime/launch.ts';
import type { ContainerRecord, ContainerState } from '../store/container-record.ts';
import { containerState, findContainer } from '../store/containers.ts';
import { resetRestart } from '../store/containers-restart.ts';
import { attachedTo } from './attached.ts';
import type { Engine } from './context.ts';
import { launchContainer } from './launch-container.ts';
import { prepareStorage } from './rootfs.ts';
import { removeIfAsked } from './run.ts';
import { withProxy } from './signal-proxy.ts';
import { untilStarted } from './start-elsewhere.ts';
import type { Attached, AttachOptions } from './types.ts';

/** `tsbox start`: no error for one that is running, as in docker, nor for one that somebody else is just starting. */
export async function start(engine: Engine, nameOrId: string): Promise<void> {
  const record = await findContainer(engine.paths, nameOrId);
  await startOnce(engine, record, undefined);
}

/** `tsbox start -a`. */
export async function startAttached(
  engine: Engine,
  nameOrId: string,
  attach: AttachOptions,
): Promise<Attached> {
  const record = await findContainer(engine.paths, nameOrId);
  const { launched, proxy } = await withProxy(attach, begin => startOnce(engine, record, attach, begin));
  if (launched) {
    const onEnd = (exited: boolean) => removeIfAsked(engine, record, exited);
    return attachedTo(engine, record.id, launched, attach, onEnd, proxy);
  }
  proxy?.stop();
  return (await import('./attach.ts')).attach(engine, record.id, attach);
}

/** Undefined: it runs already. */
async function startOnce(
  engine: Engine,
  record: ContainerRecord,
  attach: AttachOptions | undefined,
  begin?: () => void,
): Promise<Launched | undefined> {
  const state = await containerState(engine.paths, record);
  if (state.status === 'running') return undefined;
  refuseOrphan(record, state);
  const now = await (await import('./after-end.ts')).endRestarts(engine, record.id, state);
  // It takes back the mark, too, that one is to stay ended: its policy was faster than we.
  await resetRestart(engine.paths, record);
  if (now.status === 'running') return undefined;
  await prepareStorage(engine, record);
  try {
    return await launchContainer(engine, record, attach, { begin });
  } catch (error) {
    if (!isBusy(error)) throw error;
    return (await untilStarted(engine, record)) ? undefined : startOnce(engine, record, attach, begin);
  }
}

/** The supervisor's lock is taken: another start was faster. */
const isBusy = (error: unknown): boolean =>
  error instanceof TsboxError && error.code === 'BAD_STATE' && error.message.includes('just starting it');

/**
 * Its supervisor is gone and its processes are not: a second set must not write to the same file system. No pid: state.json is damaged, as a
 * power failure leaves it; should a supervisor live, its lock refuses us.
 */
function refuseOrphan(record: ContainerRecord, { status, pid }: ContainerState): void {
  if (status !== 'dead' || pid === 0) return;
  throw new TsboxError(
    'BAD_STATE',
    `container ${record.name} lost its supervisor but its processes still run`,
    {
      hint: `tsbox kill ${record.name}, then start it again`,
      exitCode: 1,
    },
  );
}
