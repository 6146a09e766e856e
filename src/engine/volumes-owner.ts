import { lstatSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { TsboxError } from '../errors.ts';
import type { GiveTask } from '../layer/tasks.ts';
import type { ContainerRecord, MountRecord } from '../store/container-record.ts';
import type { ContainerPlan } from './container-plan.ts';
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
  const task: GiveTask = { task: 'give', uid, gid };
  const host = { helper, cwd: header.cwd, maps };
  const what = 'the process that gives a volume to its user';
  await (await startTask<number>(host, task, { name: 'give', directory, what })).result;
}
