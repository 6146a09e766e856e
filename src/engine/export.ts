import { readFileSync } from 'node:fs';
import { hasErrno } from '../errors.ts';
import { recordContainerEvent } from '../store/containers-events.ts';
import { openView } from './container-view.ts';
import type { ContainerView } from './container-view-process.ts';
import type { Engine } from './context.ts';
import { find } from './find.ts';
import { writeToFile, writeToStream } from './save-output.ts';

/**
 * docker's export: the container's root file system as a tar archive, running or not. What is mounted in it (volumes, /proc, the
 * files that we make) is not part of it. A file gets its name when it is whole; a stream is left open. Throws what `find`
 * and `openView` throw, IO.
 */
export async function exportContainer(
  engine: Engine,
  nameOrId: string,
  output: string | NodeJS.WritableStream,
): Promise<void> {
  const found = await find(engine, nameOrId);
  const mounts = found.state.pid > 0 ? mountPoints(found.state.pid) : [];
  const view = await openView(engine, found, { task: 'export', mounts }, { mounts: false });
  view.data.end();
  try {
    if (typeof output === 'string') await writeToFile(archiveOf(view), output);
    else await writeToStream(archiveOf(view), output);
  } finally {
    await view.stop();
  }
  recordContainerEvent(engine.paths, found.record, 'export');
}

/** Not whole before the process has said so. */
async function* archiveOf(view: ContainerView): AsyncGenerator<Buffer> {
  for await (const piece of view.data) yield piece as Buffer;
  await view.done;
}

/** Byte strings, as the container's first process sees them. None when it has just ended. */
function mountPoints(pid: number): string[] {
  try {
    const text = readFileSync(`/proc/${pid}/mountinfo`, 'latin1');
    return outermost(text.split('\n').map(pointIn));
  } catch (error) {
    if (hasErrno(error, 'ENOENT', 'ESRCH', 'EINVAL')) return [];
    throw error;
  }
}

/** Without the root, and without what is mounted below another one: nobody goes there. */
function outermost(points: readonly string[]): string[] {
  const all = new Set(points.filter(point => point !== '' && point !== '/'));
  const isBelow = (point: string): boolean => {
    for (let end = point.lastIndexOf('/'); end > 0; end = point.lastIndexOf('/', end - 1))
      if (all.has(point.slice(0, end))) return true;
    return false;
  };
  return [...all].filter(point => !isBelow(point));
}

/** Field 5 of proc_pid_mountinfo(5); blanks and backslashes are written in octal. */
const pointIn = (line: string): string =>
  (line.split(' ')[4] ?? '').replace(/\\([0-7]{3})/g, (_, code: string) =>
    String.fromCharCode(Number.parseInt(code, 8)),
  );
