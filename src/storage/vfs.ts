import { existsSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { selfCommand } from '../host/self.ts';
import { type Op, ops, optional } from '../plan/ops.ts';
import type { RootfsRequest, StorageDriver } from './driver.ts';
import { containerDir, lowerTrees, makeDirectories } from './layout.ts';

/**
 * A plain copy of the layers for each container: slow and large, and it works on every file system. Where the file system
 * shares extents (btrfs, xfs) the copy takes no room. The files belong to mapped ids, so the copying is done in the user
 * namespace; the copy gets its name when it is whole.
 */
export const vfs: StorageDriver = {
  name: 'vfs',
  // A directory is all it needs, and the store has just been made of them.
  probe: async () => ({ ok: true }),

  async prepare(request, host) {
    const dir = join(request.root, containerDir(request));
    if (existsSync(join(dir, 'vfs'))) return;
    makeDirectories(request, []);
    await host.walk(copyPlan(request));
    renameSync(join(dir, 'vfs.part'), join(dir, 'vfs'));
  },

  rootfs(request) {
    const tree = `${containerDir(request)}/vfs`;
    return {
      path: tree,
      upper: tree,
      lower: lowerTrees(request),
      services: [],
      ops: [ops.bindroot(tree, 'the container’s own copy of the image')],
    };
  },
};

/** The name it has until it is whole; a copy that was interrupted is thrown away. */
function copyPlan(request: RootfsRequest): Op[] {
  const unfinished = `${containerDir(request)}/vfs.part`;
  const layers = lowerTrees(request).reverse();
  const [program = '', ...argv] = selfCommand('userns');
  return [
    optional(ops.rmtree(unfinished, 'a copy that was interrupted')),
    ops.exec(
      program,
      [program, ...argv, JSON.stringify({ task: 'flatten', target: unfinished, layers })],
      'the layers, one over the other, in a directory of the container’s own',
    ),
  ];
}
