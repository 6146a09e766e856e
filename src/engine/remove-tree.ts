import { join } from 'node:path';
import { hasErrno } from '../errors.ts';
import { ops } from '../plan/ops.ts';
import { enter } from '../runtime/enter.ts';
import { ioError, newId } from '../store/atomic.ts';
import { takeGarbage, type WorkDir } from '../store/workdir.ts';
import { rename, rm } from '../util/files.ts';
import type { Engine } from './context.ts';
import { enterHost } from './machine.ts';

export interface RemoveTreeOptions {
  /** The tree is known to hold files of mapped ids (a layer): do not even try as ourselves. */
  readonly mapped?: boolean;
}

/**
 * Removes a tree of the store, given relative to its root. It leaves its place at once (renamed into `tmp/`); what a kill
 * interrupts is swept later. Files of subordinate ids are removed from within a user namespace, by the helper. Nothing there:
 * nothing to do. Throws IO, or what the namespace cannot be made for.
 */
export async function removeTree(
  engine: Engine,
  relative: string,
  options: RemoveTreeOptions = {},
): Promise<void> {
  if (relative.startsWith('tmp/')) return clear(engine, relative, options);
  // Locked before it is moved, so that nobody who sweeps `tmp/` does the same work.
  const held: WorkDir | undefined = await takeGarbage(join(engine.paths.root, relative)).catch(
    () => undefined,
  );
  const aside = join('tmp', `removed-${newId().slice(0, 16)}`);
  try {
    if (await moveAside(engine, relative, aside)) await clear(engine, aside, options);
  } finally {
    await held?.release();
  }
}

async function moveAside({ paths }: Engine, relative: string, aside: string): Promise<boolean> {
  try {
    await rename(join(paths.root, relative), join(paths.root, aside));
    return true;
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return false;
    throw ioError(error, `cannot remove ${join(paths.root, relative)}`);
  }
}

async function clear(engine: Engine, relative: string, { mapped = false }: RemoveTreeOptions): Promise<void> {
  if (!mapped && (await removePlain(join(engine.paths.root, relative)))) return;
  const plan = [ops.rmtree(relative, 'files of mapped ids can only be removed where those ids exist')];
  await enter(await enterHost(engine), plan, { name: 'remove' }).result;
}

/** False when something is not ours to remove; what could be removed is gone then. */
async function removePlain(path: string): Promise<boolean> {
  return rm(path, { recursive: true, force: true }).then(
    () => true,
    () => false,
  );
}
