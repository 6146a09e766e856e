import { locateProgram } from '../host/binaries.ts';
import { type Op, ops } from '../plan/ops.ts';

/** How fuse-overlayfs is started, for the two drivers that use it. */

/** The kernel checks permissions (default_permissions), for everybody inside (allow_other): mount.fuse(8). */
export const FUSE_OPTIONS = 'rootmode=40000,user_id=0,group_id=0,allow_other,default_permissions';

/** Serves a mount that has been made already; its descriptor is 5 (docs/helper-protocol.md, Services). */
export function serverOp(options: readonly string[], why: string): Op {
  const program = locateProgram('fuse-overlayfs') ?? 'fuse-overlayfs';
  return ops.exec(program, ['fuse-overlayfs', '-f', '-o', options.join(','), '/dev/fd/5'], why);
}
