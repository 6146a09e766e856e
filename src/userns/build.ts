import type { BuildTask } from '../layer/build-tasks.ts';
import type { TaskReply } from '../layer/tasks.ts';

/** The tasks of a build (src/layer/build-tasks.ts). */
export async function build(task: BuildTask, reply: (message: TaskReply) => void): Promise<void> {
  process.umask(0);
  if (task.task === 'build-keep') reply({ ok: (await import('./build-keep.ts')).keep(task) });
  else if (task.task === 'build-squash') reply({ ok: (await import('./build-squash.ts')).squash(task) });
  else if (task.task === 'build-add') (await import('./build-add.ts')).add(task, reply);
  else (await import('./build-source.ts')).source(task, reply);
}
