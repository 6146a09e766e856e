import { chmodSync, readlinkSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { hasErrno } from '../errors.ts';
import { ops } from '../plan/ops.ts';
import { rm } from '../util/files.ts';
import type { RootfsRequest, StorageDriver } from './driver.ts';
import { containerDir, copyRootMode, lowerTrees, makeDirectories } from './layout.ts';
import { overlayProbe } from './overlay-probe.ts';

/**
 * The kernel's overlayfs, mounted inside the user namespace: Linux 5.11 and later, with `userxattr` because the trusted.*
 * attributes are closed there.
 *
 * Mount options must fit in one page. Layers have long names, so each container has a directory `lower` of links named 0, 1, …
 * (the top layer is 0) and the mount is made from inside it: 500 layers, the kernel's limit, take two kilobytes.
 */
export const overlay: StorageDriver = {
  name: 'overlay',
  probe: overlayProbe,

  async prepare(request) {
    makeDirectories(request, ['upper', 'work', 'merged', 'lower']);
    copyRootMode(request, `${containerDir(request)}/upper`);
    linkLowers(request);
    if (request.volatile) await forgetVolatile(join(request.root, containerDir(request), 'work/work'));
  },

  rootfs(request) {
    const dir = containerDir(request);
    const lower = lowerTrees(request);
    return {
      path: `${dir}/merged`,
      upper: `${dir}/upper`,
      lower,
      services: [],
      ops: [
        ops.chdir(`${dir}/lower`, 'short names for the layers: mount options must fit in one page'),
        ops.hostmount(
          { type: 'overlay', target: '../merged', data: overlayOptions(request, lower.length) },
          'the image read-only below, the container’s own changes above',
        ),
        ops.chdir('../../..', 'back to the store'),
        ops.root(`${dir}/merged`, 'what everything below is inside of'),
      ],
    };
  },
};

/**
 * Options for lower directories named 0, 1, …, seen from their directory; there is at least one. Without `volatile` (Linux 5.10)
 * the end of every container writes all that the disk below has not written yet, of whomever (ovl_sync_fs).
 */
function overlayOptions({ volatile = false }: RootfsRequest, lowers: number): string {
  const names = Array.from({ length: Math.max(1, lowers) }, (_, i) => i).join(':');
  return `lowerdir=${names},upperdir=../upper,workdir=../work,userxattr${volatile ? ',volatile' : ''}`;
}

/** A mark that refuses the next mount of a volatile one, in directories of mode 0. */
async function forgetVolatile(work: string): Promise<void> {
  try {
    for (const dir of ['', '/incompat', '/incompat/volatile']) chmodSync(work + dir, 0o700);
    await rm(`${work}/incompat`, { recursive: true });
  } catch (error) {
    if (!hasErrno(error, 'ENOENT')) throw error;
  }
}

/** An image without layers still needs one lower directory: an empty one. */
function linkLowers(request: RootfsRequest): void {
  const dir = join(request.root, containerDir(request), 'lower');
  const trees = lowerTrees(request);
  if (trees.length === 0) makeDirectories(request, ['lower/0']);
  for (const [index, tree] of trees.entries()) link(`../../../${tree}`, join(dir, String(index)));
}

function link(target: string, path: string): void {
  try {
    symlinkSync(target, path);
  } catch (error) {
    if (!hasErrno(error, 'EEXIST')) throw error;
    if (readlinkSync(path) === target) return;
    rmSync(path);
    symlinkSync(target, path);
  }
}
