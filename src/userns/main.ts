import { writeSync } from 'node:fs';
import { messageOf, TsboxError } from '../errors.ts';
import type { BuildTask } from '../layer/build-tasks.ts';
import type { CopyTask } from '../layer/copy-tasks.ts';
import type { FlattenTask, Task, TaskReply } from '../layer/tasks.ts';
import { refuseDebugger } from '../util/debugger.ts';

/**
 * The second entry point: Node inside a user + mount namespace with the ids of a container, started by the helper's `enter`. One
 * process does one task, then ends. Descriptors: 0 the directory to work in, 1 the reply (one line of JSON), 4 the data; for `commit`,
 * whose data go to a file, the other way round.
 */
let replyTo = 1;
const WRITES_ARCHIVE: readonly string[] = ['commit', 'build-keep', 'build-add', 'build-squash'];

async function main(argument: string | undefined): Promise<void> {
  try {
    const task = JSON.parse(argument ?? '') as Task | CopyTask | BuildTask;
    if (WRITES_ARCHIVE.includes(task.task)) replyTo = 4;
    if (task.task === 'flatten') await flattenLayers(task);
    else if (task.task === 'copy-in' || task.task === 'copy-out' || task.task === 'export')
      (await import('./copy.ts')).copy(task);
    else if (isBuildTask(task)) await (await import('./build.ts')).build(task, reply);
    else reply({ ok: await perform(task) });
  } catch (error) {
    const { code, hint, check } =
      error instanceof TsboxError ? error : { code: 'INTERNAL' as const, hint: undefined, check: undefined };
    reply({
      error: {
        code,
        message: messageOf(error),
        ...(hint !== undefined && { hint }),
        ...(check && { check }),
      },
    });
    process.exitCode = 1;
  }
}

const isBuildTask = (task: Task | BuildTask): task is BuildTask => task.task.startsWith('build-');

async function perform(task: Exclude<Task, FlattenTask>): Promise<unknown> {
  process.umask(0);
  if (task.task === 'verify') return (await import('./verify.ts')).verify(task);
  if (task.task === 'usage') return task.paths.map((await import('../layer/usage.ts')).treeSize);
  if (task.task === 'give') return (await import('./give.ts')).give(task);
  if (task.task === 'translate') return (await import('./give.ts')).translate(task);
  if (task.task === 'apply') return (await import('./apply.ts')).apply(task);
  if (task.task === 'pack') return (await import('./pack.ts')).pack(task);
  const { commit, listChanges } = await import('./commit.ts');
  return task.task === 'commit' ? commit(task) : listChanges(task);
}

async function flattenLayers({ layers, target }: FlattenTask): Promise<void> {
  process.umask(0);
  try {
    (await import('../layer/flatten.ts')).flatten(layers, target);
  } catch (error) {
    writeSync(2, `${messageOf(error)}\n`);
    throw error;
  }
}

function reply(message: TaskReply): void {
  writeSync(replyTo, `${JSON.stringify(message)}\n`);
}

refuseDebugger();
// Not `await`: the bundle is CommonJS, which has none at its top.
void main(process.argv[2]);
