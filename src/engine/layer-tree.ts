import { closeSync, constants, openSync } from 'node:fs';
import { mkdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { hasErrno } from '../errors.ts';
import { giveToStore } from '../host/owner.ts';
import { ioError, writeFileAtomic } from '../store/atomic.ts';
import { type LayerRecord, LayerStore } from '../store/layers.ts';
import { makeWorkDir, type WorkDir } from '../store/workdir.ts';
import type { Engine } from './context.ts';
import { removeTree } from './remove-tree.ts';

/** A layer's directory in the making: `tmp/layer-…`, its tree in `fs` below it. */
export interface LayerTree {
  readonly work: WorkDir;
  /** Absolute path of `fs`. */
  readonly root: string;
}

/** Makes it, empty, for a process in the user namespace to fill. Throws IO, NO_SPACE. */
export async function makeLayerTree(engine: Engine): Promise<LayerTree> {
  await spread(engine.paths.tmp);
  const work = await makeWorkDir(engine.paths.tmp, 'layer');
  const root = join(work.path, 'fs');
  try {
    await mkdir(root, { mode: 0o755 });
    for (const path of [work.path, root]) giveToStore(engine.paths.root, path);
    return { work, root };
  } catch (error) {
    await discardLayerTree(engine, { work, root });
    throw ioError(error, `cannot make ${root}`);
  }
}

/**
 * Each layer gets a part of the disk of its own. Beside each other, the files of a new one are looked for among those of one that
 * was just removed, whose places ext4 without a journal does not give away for half a minute: a search that is longer with each
 * file, and a third of the time of a commit.
 */
async function spread(tmp: string): Promise<void> {
  await mkdir(tmp, { recursive: true, mode: 0o700 }).catch(() => {});
  try {
    const fd = openSync(tmp, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
    const { spreadBelow } = await import('../sys/topdir.ts');
    spreadBelow(fd);
    closeSync(fd);
  } catch {
    // It is about speed alone; what is wrong with the directory, its use will tell.
  }
}

/**
 * The tree is whole: it gets its name. It is not forced to the disk as long as its archive is kept, which is: after a power
 * failure `system check --full` finds what is missing and unpacks it again (docs/decisions/0007). Throws IO; the tree is then
 * still there.
 */
export async function publishLayerTree(
  engine: Engine,
  { work, root }: LayerTree,
  record: LayerRecord,
): Promise<void> {
  if (!engine.config.images.keepBlobs) await sync(work, record.diffId);
  await writeFileAtomic(join(work.path, 'layer.json'), JSON.stringify(record));
  const final = new LayerStore(engine.paths.layers).path(record.diffId);
  try {
    await rename(work.path, final);
    await work.release();
  } catch (error) {
    // Another command has made the same layer meanwhile: its tree is as good as ours.
    if (!hasErrno(error, 'ENOTEMPTY', 'EEXIST')) throw ioError(error, `cannot keep layer ${record.diffId}`);
    await discardLayerTree(engine, { work, root });
  }
}

/** The only copy there will be. */
async function sync({ fd }: WorkDir, diffId: string): Promise<void> {
  const { syncFileSystem } = await import('../sys/syncfs.ts');
  await syncFileSystem(fd).catch((error: unknown) => {
    throw ioError(error, `cannot write layer ${diffId} to the disk`);
  });
}

/** Removes it. What cannot be removed stays in tmp/ and is swept by a later command: the error that brought us here matters more. */
export async function discardLayerTree(engine: Engine, { work }: LayerTree): Promise<void> {
  const relative = work.path.slice(engine.paths.root.length + 1);
  await removeTree(engine, relative).catch((error: unknown) => {
    engine.reporter.debug('store', () => `cannot remove ${relative}: ${String(error)}`);
  });
  await work.release();
}
