import { type BigIntStats, lstatSync, renameSync, rmdirSync, unlinkSync } from 'node:fs';
import { hasErrno } from '../errors.ts';
import { ArchiveFile } from '../layer/build-archive.ts';
import { LowerTree } from '../layer/build-lower.ts';
import { resolveDestination } from '../layer/build-place.ts';
import type { KeepTask, KeptLayer } from '../layer/build-tasks.ts';
import { type ByteString, toPath } from '../layer/bytes.ts';
import { packItems } from '../layer/pack.ts';
import { type PackItem, walkTree } from '../layer/pack-items.ts';
import { hasOpaqueXattr, namesIn } from '../layer/upper.ts';
import { setPathTimes } from '../sys/utimens.ts';
import { enterBoth } from './commit.ts';
import { ownershipOf } from './ownership.ts';

const ARCHIVE = 1;

/** The task `build-keep`. The command that wrote the directory has ended: nobody changes it any more. */
export function keep(task: KeepTask): KeptLayer {
  const ownership = ownershipOf(task.mode);
  enterBoth('.');
  const lower = new LowerTree(task.lowers, ownership);
  for (const stub of task.stubs) removeStub(lower, stub, task.only === 'whole');
  if (task.only) return { entries: 0, size: 0, digest: '', length: 0 };
  const archive = new ArchiveFile(ARCHIVE);
  const items = clamped(walkTree('', { removals: true, whiteoutNames: 'refuse' }), task.epoch);
  const pieces = packItems(items, ownership);
  let next = pieces.next();
  for (; !next.done; next = pieces.next()) archive.add(next.value);
  const { digest, length } = archive.finish(false);
  renameSync(task.from, task.target);
  return { ...next.value, digest, length };
}

/** Takes away what was made to mount on, and the directories that were made or copied up for it alone. */
function removeStub(lower: LowerTree, stub: ByteString, isWhole: boolean): void {
  let { path } = resolveDestination(lower, stub);
  while (path !== '' && isLeftOver(lower, path) && !(isWhole && lower.lower(path))) {
    try {
      // What the image has already was not made in the upper directory.
      const here = lstatSync(toPath(`/${path}`), { throwIfNoEntry: false });
      if (here?.isDirectory()) rmdirSync(toPath(`/${path}`));
      else if (here) unlinkSync(toPath(`/${path}`));
    } catch (error) {
      if (hasErrno(error, 'ENOTEMPTY', 'EBUSY')) return;
      throw error;
    }
    path = path.slice(0, Math.max(0, path.lastIndexOf('/')));
  }
}

function isLeftOver(lower: LowerTree, path: ByteString): boolean {
  const here = lstatSync(toPath(`/${path}`), { bigint: true, throwIfNoEntry: false });
  if (!here) return lower.lower(path) !== undefined;
  const below = lower.lower(path);
  if (!here.isDirectory()) return !below && here.isFile() && here.size === 0n;
  // fuse-overlayfs marks every new directory as opaque: it means something only over one of the image.
  if (namesIn(`/${path}`).length > 0 || (below && hasOpaqueXattr(`/${path}`))) return false;
  const same = (key: 'mode' | 'uid' | 'gid') => here[key] === below?.stat[key];
  return !below || (same('mode') && same('uid') && same('gid'));
}

/** Gives what is younger than the epoch (seconds) that time, on the disk too: archive and tree are the same. */
function* clamped(items: Iterable<PackItem>, epoch: number | undefined): Generator<PackItem> {
  for (const item of items) {
    if (epoch === undefined || item.kind !== 'node' || item.stat.mtimeNs <= BigInt(epoch) * NANO) yield item;
    else {
      setPathTimes(toPath(item.path === '' ? '/' : item.path), epoch, 0);
      const stat: BigIntStats = Object.assign(Object.create(Object.getPrototypeOf(item.stat)), item.stat);
      stat.mtimeNs = BigInt(epoch) * NANO;
      yield { ...item, stat };
    }
  }
}

const NANO = 1_000_000_000n;
