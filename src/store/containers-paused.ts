import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Paths } from '../host/paths.ts';
import { rm, writeFile } from '../util/files.ts';
import { containerDirectory } from './containers-read.ts';

/**
 * `containers/<id>/paused`: pid 1's identity (`pid-start`) while it is stopped by `pause`. Written before the first process
 * is stopped and removed after the last one goes on: whoever was killed in between left a container that `unpause` heals.
 * A mark of an earlier run of the container means nothing.
 */
const mark = (paths: Paths, id: string): string => join(containerDirectory(paths, id), 'paused');

const identity = (first: { pid: number; start: number }): string => `${first.pid}-${first.start}`;

export function isPaused(paths: Paths, id: string, first: { pid: number; start: number }): boolean {
  try {
    return readFileSync(mark(paths, id), 'utf8') === identity(first);
  } catch {
    return false;
  }
}

export async function markPaused(
  paths: Paths,
  id: string,
  first: { pid: number; start: number },
): Promise<void> {
  await writeFile(mark(paths, id), identity(first), { mode: 0o600 });
}

export async function unmarkPaused(paths: Paths, id: string): Promise<void> {
  await rm(mark(paths, id), { force: true });
}
