import { CLONE } from '../plan/flags.ts';
import { ops, type Service } from '../plan/ops.ts';
import type { RootfsRequest, StorageDriver } from './driver.ts';
import { fuseOverlayfsProbe } from './fuse-overlayfs-probe.ts';
import { FUSE_OPTIONS, serverOp } from './fuse-server.ts';
import { containerDir, copyRootMode, lowerTrees, makeDirectories } from './layout.ts';

/**
 * fuse-overlayfs, for kernels that do not let a user mount overlayfs and for keep-id, whose ids it translates.
 *
 * Init mounts /dev/fuse itself in the container's mount namespace and hands the descriptor out; the server runs beside the
 * container, in its user namespace but in the host's mount namespace. So it never walks into its own mount (which would
 * deadlock), is invisible inside, and ends when the last reference to the mount is gone.
 *
 * No option about permissions is set: measured with 1.10, `xattr_permissions` writes every mode as 0755 into the upper
 * directory, and the plain behaviour is right both with and without ranges. A layer whose root directory has the attribute
 * user.containers.override_stat would make the server demand it on every file.
 */
export const fuseOverlayfs: StorageDriver = {
  name: 'fuse-overlayfs',
  probe: fuseOverlayfsProbe,

  async prepare(request) {
    makeDirectories(request, ['upper', 'work', 'merged', 'empty']);
    copyRootMode(request, `${containerDir(request)}/upper`);
  },

  rootfs(request) {
    const dir = containerDir(request);
    return {
      path: `${dir}/merged`,
      upper: `${dir}/upper`,
      lower: lowerTrees(request),
      services: [server(request)],
      ops: [
        ops.fuse(`${dir}/merged`, FUSE_OPTIONS, 'the root file system is served by fuse-overlayfs'),
        ops.root(`${dir}/merged`, 'what everything below is inside of'),
      ],
    };
  },
};

function server(request: RootfsRequest): Service {
  return {
    name: 'fuse-overlayfs',
    ready: false,
    fuse: true,
    ops: [
      ops.join(CLONE.NEWUSER, 'the ids of the container, but not its mounts'),
      ops.ids(0, 0, [], 'root inside: it must be able to give files to any id'),
      ops.chdir(containerDir(request), 'short paths'),
      serverOp(serverOptions(request), 'serves the root file system'),
    ],
  };
}

function serverOptions(request: RootfsRequest): string[] {
  const lower = lowerTrees(request).map(tree => `../../${tree}`);
  return [
    `lowerdir=${lower.length > 0 ? lower.join(':') : 'empty'}`,
    'upperdir=upper',
    'workdir=work',
    ...(request.idmap ? [`uidmapping=${request.idmap.uid}`, `gidmapping=${request.idmap.gid}`] : []),
  ];
}
