import { join } from 'node:path';
import { hasErrno } from '../errors.ts';
import { treeSize } from '../layer/usage.ts';
import type { Engine } from './context.ts';

/** Bytes of the files below each path (relative to the store), as layer/usage.ts counts. Throws USERNS, HOST, IO. */
export async function treeSizes(engine: Engine, relatives: readonly string[]): Promise<number[]> {
  const own = relatives.map(relative => sizeAsOurselves(join(engine.paths.root, relative)));
  const closed = relatives.filter((_, i) => own[i] === undefined);
  const asked = closed.length === 0 ? [] : await askInside(engine, closed);
  let next = 0;
  return own.map(size => size ?? asked[next++] ?? 0);
}

/** Undefined when a directory of a mapped id is closed to us. */
function sizeAsOurselves(path: string): number | undefined {
  try {
    return treeSize(path);
  } catch (error) {
    if (hasErrno(error, 'EACCES', 'EPERM')) return undefined;
    throw error;
  }
}

async function askInside(engine: Engine, paths: readonly string[]): Promise<number[]> {
  const [{ enterHost }, { startTask }] = await Promise.all([
    import('./machine.ts'),
    import('./userns-process.ts'),
  ]);
  const what = 'the process that counts files';
  const options = { name: 'usage', directory: engine.paths.root, what };
  const task = await startTask<number[]>(await enterHost(engine), { task: 'usage', paths }, options);
  return task.result;
}
