import { join } from 'node:path';
import { listTemporary, takeGarbage } from '../store/workdir.ts';
import { readdir, stat, writeFile } from '../util/files.ts';

/** `tmp/adding-<random>`: a work directory held by whoever adds images; its time is when that began. */
export const ADDING_PREFIX = 'adding';

/** `tmp/removing-<random>`: the same of whoever takes names away, and then collects. */
export const REMOVING_PREFIX = 'removing';

/** Killed, both leave layers and blobs that nobody refers to. */
export const isCollectorsMark = (entry: string): boolean =>
  entry.startsWith(`${ADDING_PREFIX}-`) || entry.startsWith(`${REMOVING_PREFIX}-`);

/** When the longest-running command that adds images began (epoch milliseconds); undefined when there is none. */
export async function oldestAdding(tmp: string): Promise<number | undefined> {
  let oldest: number | undefined;
  for (const name of await listTemporary(tmp)) {
    if (!name.startsWith(`${ADDING_PREFIX}-`)) continue;
    const begun = await beginOf(join(tmp, name));
    if (begun !== undefined) oldest = Math.min(oldest ?? begun, begun);
  }
  return oldest;
}

/** Says to all that add images now that something was spared for them: the last of them collects it, if it is garbage still. */
export async function tellAdding(tmp: string): Promise<void> {
  const marks = (await listTemporary(tmp)).filter(name => name.startsWith(`${ADDING_PREFIX}-`));
  for (const mark of marks) await writeFile(join(tmp, mark, 'spared'), '').catch(() => {});
}

/** Has somebody said so to this one? */
export async function wasSparedFor(mark: string): Promise<boolean> {
  return (await readdir(mark).catch(() => [])).length > 0;
}

/** Undefined when whoever made the mark is dead. */
export async function beginOf(path: string): Promise<number | undefined> {
  const info = await stat(path).catch(() => undefined);
  const dead = await takeGarbage(path);
  await dead?.release();
  return dead ? undefined : info?.mtimeMs;
}
