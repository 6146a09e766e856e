import { realpathSync } from 'node:fs';
import { hasErrno } from '../errors.ts';
import { CLONE, MS } from '../plan/flags.ts';
import { type Op, ops, type Service } from '../plan/ops.ts';
import type { RootfsRequest, StorageDriver } from './driver.ts';
import { fuseOverlayfsProbe } from './fuse-overlayfs-probe.ts';
import { FUSE_OPTIONS, serverOp } from './fuse-server.ts';
import { containerDir, makeDirectories } from './layout.ts';

/**
 * The image `host`: a copy-on-write view of the machine's own root.
 *
 * The kernel's overlayfs cannot take `/` as a lower directory, and fuse-overlayfs deadlocks when it walks into its own mount
 * below it. So the server gets a mount namespace of its own, in which `/` is bound (recursively: a bind without submounts
 * would uncover what they hide, and the kernel refuses it) on `low`, with empty directories over all that is private or
 * volatile. Its files all show as root's; what the user may not read on the machine stays unreadable.
 */
export const host: StorageDriver = {
  name: 'host',
  probe: fuseOverlayfsProbe,

  async prepare(request) {
    makeDirectories(request, ['upper', 'work', 'merged', 'low']);
  },

  rootfs(request) {
    const dir = containerDir(request);
    return {
      path: `${dir}/merged`,
      upper: `${dir}/upper`,
      lower: ['/'],
      hidden: hiddenPaths(request),
      services: [server(request)],
      ops: [
        ops.fuse(
          `${dir}/merged`,
          FUSE_OPTIONS,
          'a copy-on-write view of this machine, served by fuse-overlayfs',
        ),
        ops.root(`${dir}/merged`, 'what everything below is inside of'),
      ],
    };
  },
};

const SERVER_OPTIONS = ['lowerdir=low', 'upperdir=upper', 'workdir=work', 'squash_to_root'];

/**
 * The container mounts its own over these. Until then, and if it did not, they would be the server's: /proc/self/exe would be
 * fuse-overlayfs.
 */
const KERNEL = ['/dev', '/proc', '/sys'];

function server(request: RootfsRequest): Service {
  return {
    name: 'fuse-overlayfs',
    ready: false,
    fuse: true,
    ops: [
      ops.join(CLONE.NEWUSER, 'the ids of the container, but not its mounts'),
      ops.ids(0, 0, [], 'root inside'),
      ops.unshare(CLONE.NEWNS, 'a view of the machine that nobody else has'),
      ops.private('the mounts below stay in it'),
      ops.chdir(containerDir(request), 'short paths'),
      ops.hostbind('/', 'low', MS.BIND | MS.REC, 'the machine’s root, with everything mounted on it'),
      ...hiddenPaths(request).map(coverOp),
      serverOp(SERVER_OPTIONS, 'serves the copy-on-write view'),
    ],
  };
}

/** Absolute paths of this machine that the container finds empty. */
const hiddenPaths = (request: RootfsRequest): string[] => realPaths([...KERNEL, ...(request.cover ?? [])]);

/** Empty, and of the mode that programs expect there. */
function coverOp(path: string): Op {
  const mode = /(^|\/)(tmp|shm)$/.test(path) ? '1777' : '0755';
  return ops.hostmount(
    { type: 'tmpfs', target: `low${path}`, flags: MS.NOSUID | MS.NODEV, data: `mode=${mode}` },
    `keeps ${path} of this machine out`,
  );
}

/**
 * Where the paths really are: a link below `low` would lead the mount out of it. What does not exist needs no cover; what lies
 * below another covered path is gone with it.
 */
export function realPaths(paths: readonly string[]): string[] {
  const real = new Set(
    paths.map(realPath).filter((path): path is string => path !== undefined && path !== '/'),
  );
  return [...real].filter(path => ![...real].some(other => path.startsWith(`${other}/`))).sort();
}

function realPath(path: string): string | undefined {
  try {
    return realpathSync(path);
  } catch (error) {
    if (hasErrno(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw error;
  }
}
