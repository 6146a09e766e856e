import { join } from 'node:path';
import { hasErrno, messageOf, TsboxError } from '../errors.ts';
import { giveToStore } from '../host/owner.ts';
import { ioError } from '../store/atomic.ts';
import { withLock } from '../store/lock.ts';
import { makeWorkDir } from '../store/workdir.ts';
import { rename } from '../util/files.ts';
import { ADDING_PREFIX, oldestAdding, REMOVING_PREFIX, tellAdding, wasSparedFor } from './collect-adding.ts';
import { type Garbage, garbageOf, isWantedAgain } from './collect-garbage.ts';
import type { Engine } from './context.ts';
import { removeTree } from './remove-tree.ts';

/**
 * Garbage of the image store: layers and blobs that no image and no container refers to, nor the handle of a snapshot.
 *
 * Whoever adds an image leaves a mark (`tmp/adding-…`, held by it) as long as it works, and holds no lock: a collection that finds such
 * a mark spares all that is newer than it or was asked for since. `images/garbage.lock` is held for the blink in which a mark
 * is set or garbage is moved aside, never across network, unpacking or removal.
 */
const lockPath = (engine: Engine): string => join(engine.paths.images, 'garbage.lock');

/** What a collection has taken away. */
export interface Collected {
  /** Diff ids. */
  readonly layers: readonly string[];
  readonly blobs: readonly string[];
  /** Of both, on disk. */
  readonly bytes: number;
}

const NOTHING: Collected = { layers: [], blobs: [], bytes: 0 };

/**
 * Runs `work`, which adds blobs and layers, safe from collections. What it leaves unused is removed when the disk is full, or
 * when a collection has spared something for it meanwhile.
 */
export async function whileAdding<T>(engine: Engine, work: () => Promise<T>): Promise<T> {
  const mark = await withLock(lockPath(engine), () => makeWorkDir(engine.paths.tmp, ADDING_PREFIX), {
    kind: 'shared',
  });
  let full = false;
  try {
    return await work();
  } catch (error) {
    full = error instanceof TsboxError && error.code === 'NO_SPACE';
    throw error;
  } finally {
    const again = await wasSparedFor(mark.path);
    await removeTree(engine, mark.path.slice(engine.paths.root.length + 1)).catch(() => {});
    await mark.release();
    if (full || again)
      await collect(engine).catch(error => engine.reporter.debug('store', () => messageOf(error)));
  }
}

/** Runs `work`, short and without network, while no layer is on its way out. */
export async function withoutCollection<T>(engine: Engine, work: () => Promise<T>): Promise<T> {
  return withLock(lockPath(engine), work, { kind: 'shared' });
}

/** Runs `work`, which takes images out of the index and collects: if it is killed in between, the next command's sweep collects. */
export async function whileRemoving<T>(engine: Engine, work: () => Promise<T>): Promise<T> {
  const mark = await makeWorkDir(engine.paths.tmp, REMOVING_PREFIX);
  try {
    return await work();
  } finally {
    await removeTree(engine, mark.path.slice(engine.paths.root.length + 1)).catch(() => {});
    await mark.release();
  }
}

/** Removes what nobody refers to. Throws STORE_CORRUPT when an image cannot be read: what it needs is unknown then. */
export async function collect(engine: Engine): Promise<Collected> {
  const aside = await makeWorkDir(engine.paths.tmp, 'removed');
  try {
    giveToStore(engine.paths.root, aside.path);
    const taken = await withLock(lockPath(engine), () => moveAside(engine, aside.path));
    const relative = aside.path.slice(engine.paths.root.length + 1);
    await removeTree(engine, relative, { mapped: taken.some(garbage => garbage.kind === 'layer') });
    return taken.length === 0 ? NOTHING : summary(taken);
  } finally {
    await aside.release();
  }
}

/** Renames only: a reader that has a file of it open reads on. */
async function moveAside(engine: Engine, aside: string): Promise<Garbage[]> {
  const since = await oldestAdding(engine.paths.tmp);
  const taken: Garbage[] = [];
  const { garbage: unused, spared } = await garbageOf(engine, since);
  if (spared > 0) await tellAdding(engine.paths.tmp);
  for (const garbage of unused) {
    if (await move(garbage.path, join(aside, garbage.name))) taken.push(garbage);
  }
  const back = await isWantedAgain(engine, aside, since);
  const kept: Garbage[] = [];
  for (const garbage of taken) {
    if (!(await back(garbage))) kept.push(garbage);
    else await move(join(aside, garbage.name), garbage.path);
  }
  return kept;
}

/** False when it is gone, or when somebody has brought the same again. */
async function move(from: string, to: string): Promise<boolean> {
  return rename(from, to).then(
    () => true,
    (error: unknown) => {
      if (hasErrno(error, 'ENOENT', 'ENOTEMPTY', 'EEXIST')) return false;
      throw ioError(error, `cannot move ${from} aside`);
    },
  );
}

function summary(taken: readonly Garbage[]): Collected {
  const idsOf = (kind: Garbage['kind']) => taken.filter(g => g.kind === kind).map(g => g.digest);
  const bytes = taken.reduce((sum, garbage) => sum + garbage.bytes, 0);
  return { layers: idsOf('layer'), blobs: idsOf('blob'), bytes };
}
