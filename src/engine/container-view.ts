import { closeSync, constants, openSync } from 'node:fs';
import { TsboxError } from '../errors.ts';
import { helperPath } from '../host/binaries.ts';
import type { UsernsMaps } from '../host/idmap.ts';
import { isAlive } from '../host/probe.ts';
import { selfCommand } from '../host/self.ts';
import type { CopyTask } from '../layer/copy-tasks.ts';
import { CLONE } from '../plan/flags.ts';
import { type Op, ops, optional } from '../plan/ops.ts';
import { type EnterOptions, type EnterProcess, enter } from '../runtime/enter.ts';
import { mountOp } from '../runtime/mounts.ts';
import { storageDriver } from '../storage/select.ts';
import type { ContainerRecord } from '../store/container-record.ts';
import { containerState } from '../store/containers.ts';
import { containerMaps } from './container-maps.ts';
import { containerFiles } from './container-paths.ts';
import { containerSpec } from './container-spec.ts';
import { type ContainerView, ViewProcess } from './container-view-process.ts';
import type { Engine } from './context.ts';
import { type Found, firstProcess } from './find.ts';
import { helperTrace } from './machine.ts';
import { prepareStorage, rootfsRequest } from './rootfs.ts';
import { untilStarted } from './start-elsewhere.ts';

type WithoutPlace<T> = T extends CopyTask ? Omit<T, 'root' | 'mode'> : never;
export type ViewTask = WithoutPlace<CopyTask>;

export interface ViewOptions {
  /** Mount the volumes and binds of a container that does not run; those of one that runs are always there. Default true. */
  readonly mounts?: boolean;
}

const O_PATH = 0o10000000;

/**
 * Does a task in a container's root file system, in a process of its own in the container's user namespace whose root that
 * file system becomes: no path, and no link that the container exchanges meanwhile, leads out of it, and no file of it is executed
 * or loaded. A container that does not run gets its file system mounted for it, in a namespace that ends with the task; so long it
 * cannot be started (`start` waits). Throws BAD_STATE, STORAGE, USERNS.
 */
export async function openView(
  engine: Engine,
  { record }: Pick<Found, 'record'>,
  task: ViewTask,
  options: ViewOptions = {},
): Promise<ContainerView> {
  const maps = await containerMaps(engine, record);
  for (;;) {
    const state = await containerState(engine.paths, record);
    if (state.pid > 0) return runningView(engine, { record, state }, maps, task);
    const view = await stoppedView(engine, record, maps, task, options);
    if (await view.isBegun) return view;
    // Somebody else starts it just now, or looks into it: after that.
    await untilStarted(engine, record);
    engine.signal?.throwIfAborted();
  }
}

/** The container's own root, as its first process has it, with everything that is mounted there. */
function runningView(
  engine: Engine,
  { record, state }: Found,
  maps: UsernsMaps,
  task: ViewTask,
): ContainerView {
  const target = firstProcess(state);
  const plan = [
    ops.join(CLONE.NEWUSER, 'the ids of the container; the programs stay those of the host'),
    ...taskOps({ ...task, mode: maps.mode } as CopyTask),
  ];
  const root = openRoot(target.pid, target.start, record.name);
  try {
    return started(engine, maps, plan, { target, stdio: [root, 'pipe', 'pipe'] });
  } finally {
    closeSync(root);
  }
}

/** Whoever was pid 1 before and after we opened its root has been it all the time. */
function openRoot(pid: number, start: number, name: string): number {
  try {
    const root = openSync(`/proc/${pid}/root`, O_PATH | constants.O_DIRECTORY);
    if (isAlive(pid, start)) return root;
    closeSync(root);
  } catch (error) {
    if (isAlive(pid, start))
      throw new TsboxError('IO', `cannot open the root of container ${name}`, { cause: error });
  }
  throw new TsboxError('BAD_STATE', `container ${name} has just ended`, { hint: 'try again', exitCode: 1 });
}

/** Its root file system, mounted as a start would, without what the kernel provides (/proc, /dev, /sys). */
async function stoppedView(
  engine: Engine,
  record: ContainerRecord,
  maps: UsernsMaps,
  task: ViewTask,
  { mounts = true }: ViewOptions,
): Promise<ContainerView> {
  await prepareStorage(engine, record);
  const rootfs = storageDriver(record.storage.driver).rootfs(await rootfsRequest(engine, record));
  const plan = [
    ops.private('the mounts below stay in this namespace'),
    ...rootfs.ops,
    ...(mounts ? bindOps(record, maps, rootfs.path) : []),
    ...(record.readOnly && mounts ? [ops.rootreadonly('--read-only')] : []),
    ...taskOps({ ...task, mode: maps.mode, root: rootfs.path } as CopyTask),
  ];
  return started(engine, maps, plan, { services: rootfs.services, lock: containerFiles(record.id).lock });
}

/** Volumes, binds, and the files that we made for it, if it has been started before. */
function bindOps(record: ContainerRecord, maps: UsernsMaps, rootPath: string): Op[] {
  const own = `containers/${record.id}/`;
  return containerSpec({ record, maps, rootPath, netns: 'new' })
    .mounts.filter(m => m.type === 'bind')
    .map(m => (m.source?.startsWith(own) ? optional(mountOp(m)) : mountOp(m)));
}

function taskOps(task: CopyTask): Op[] {
  const [program = '', ...argv] = selfCommand('userns');
  return [
    ops.env(['PATH=/usr/bin:/bin', 'LC_ALL=C'], "nothing of the caller's or the image's is needed"),
    ops.exec(
      program,
      [program, ...argv, JSON.stringify(task)],
      'tsbox itself, with the container as its root',
    ),
  ];
}

function started(
  engine: Engine,
  maps: UsernsMaps,
  plan: readonly Op[],
  options: Omit<EnterOptions, 'name' | 'pipes'>,
): ContainerView {
  const host = { helper: helperPath(), cwd: engine.paths.root, maps, trace: helperTrace(engine) };
  const process: EnterProcess = enter(host, plan, { ...options, name: 'view', pipes: 1 });
  return new ViewProcess(process, engine.signal);
}
