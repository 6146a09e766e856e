import { lstatSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { TsboxError } from '../errors.ts';
import { translate } from '../host/id-ranges.ts';
import type { GiveTask, TranslateTask } from '../layer/tasks.ts';
import type { IdMapLine } from '../plan/ops.ts';
import type { ContainerRecord, MountRecord } from '../store/container-record.ts';
import { containerMaps } from './container-maps.ts';
import type { ContainerPlan } from './container-plan.ts';
import type { Engine } from './context.ts';
import { enterHost } from './machine.ts';
import { startTask } from './userns-process.ts';

/**
 * `:U`: what is mounted with it is given to the container's user, in a namespace with the container's ids, before the command starts.
 * Throws MOUNT for a single file, IO for what belongs to somebody the container does not have.
 */
export async function giveVolumes(
  plan: ContainerPlan,
  record: ContainerRecord,
  user: { readonly uid: number; readonly gid: number },
): Promise<void> {
  const root = plan.header.cwd;
  for (const mount of record.mounts) {
    if (mount.options.includes('U')) await giveOne(plan, pathOf(root, mount), { ...user });
  }
}

const pathOf = (root: string, { type, source }: MountRecord): string =>
  type === 'volume' ? join(root, 'volumes', source, '_data') : source;

async function giveOne(
  { helper, header, maps }: ContainerPlan,
  directory: string,
  { uid, gid }: { uid: number; gid: number },
): Promise<void> {
  if (!lstatSync(directory).isDirectory()) {
    throw new TsboxError('MOUNT', `${directory} is no directory, and only directories are given away by :U`, {
      hint: `mount ${dirname(directory)} with :U, or leave :U out`,
    });
  }
  const task: GiveTask = { task: 'give', uid, gid, path: directory };
  const host = { helper, cwd: header.cwd, maps };
  const what = 'the process that gives a volume to its user';
  await (await startTask<number>(host, task, { name: 'give', directory, what })).result;
}

/**
 * keep-id: what was written with the ids of the store is given those that make it look the same under the container's map, the ids of the
 * image.
 */
export async function showAsImage(engine: Engine, record: ContainerRecord, directory: string): Promise<void> {
  const host = await enterHost(engine);
  const shown = await containerMaps(engine, record);
  const lines = (from: readonly IdMapLine[], to: readonly IdMapLine[]): IdMapLine[] =>
    translate(from, to).map(({ inside, outside, count }) => ({ inside: outside, outside: inside, count }));
  const task: TranslateTask = {
    task: 'translate',
    uid: lines(shown.uid, host.maps.uid),
    gid: lines(shown.gid, host.maps.gid),
  };
  const what = 'the process that fills a volume';
  await (await startTask<number>(host, task, { name: 'fill', directory, what })).result;
}
