import { writeSync } from 'node:fs';
import { type PackResult, packTree } from '../layer/pack.ts';
import type { PackTask } from '../layer/tasks.ts';
import { enterRootFd } from '../sys/chroot.ts';
import { ownershipOf } from './ownership.ts';

const DIRECTORY = 0;
const DATA = 4;

/** The task `pack`: the archive of the directory goes out on descriptor 4. */
export function pack(task: PackTask): PackResult {
  const { mode, start = '', removals = true, nobodyIsRoot = false } = task;
  const ownership = { ...ownershipOf(mode), nobodyIsRoot };
  // The container may be running: nothing that it puts in our way leads out of its own files.
  enterRootFd(DIRECTORY);
  const pieces = packTree(start === '' ? '' : `/${start}`, {
    ownership,
    removals,
    whiteoutNames: task.whiteoutNames ?? (removals ? 'marks' : 'files'),
    oneFileSystem: task.oneFileSystem ?? false,
    name: task.name ?? start,
  });
  return writeAll(pieces);
}

/** The pipe blocks until there is room; whoever reads it works meanwhile. */
export function writeAll<T>(pieces: Generator<Buffer, T>): T {
  for (;;) {
    const next = pieces.next();
    if (next.done) return next.value;
    for (let at = 0; at < next.value.length; ) at += writeSync(DATA, next.value, at);
  }
}
