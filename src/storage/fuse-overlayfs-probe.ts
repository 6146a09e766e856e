import { checkOf, messageOf } from '../errors.ts';
import { findProgram } from '../host/binaries.ts';
import { deviceProblem } from '../host/probe.ts';
import { ops } from '../plan/ops.ts';
import type { StorageHost, StorageProbe } from './driver.ts';
import { withScene } from './probe-scene.ts';

/** Serves a scene in the store with the real program and removes a lower file through it. */
export async function fuseOverlayfsProbe(host: StorageHost): Promise<StorageProbe> {
  const program = await findProgram('fuse-overlayfs');
  if (program === undefined) {
    return {
      ok: false,
      reason: 'fuse-overlayfs is not installed',
      hint: 'install the package fuse-overlayfs',
      check: 'fuse-overlayfs-missing',
    };
  }
  const device = deviceProblem('/dev/fuse');
  if (device === 'ENOENT') {
    return {
      ok: false,
      reason: '/dev/fuse is missing',
      hint: 'ask the administrator for: modprobe fuse',
      check: 'fuse-missing',
    };
  }
  if (device !== undefined) {
    return {
      ok: false,
      reason: '/dev/fuse is closed to you',
      hint: 'ask the administrator for: chmod 666 /dev/fuse',
      check: 'fuse-closed',
    };
  }
  try {
    await withScene(host.root, ({ dir }) => host.walk(trial(dir, program)));
    return { ok: true };
  } catch (error) {
    return {
      ok: false,
      reason: `a trial mount failed: ${messageOf(error)}`,
      check: checkOf(error) ?? 'fuse-overlayfs-failed',
    };
  }
}

/** The program mounts by itself here, goes to the background when it serves, and ends with the unmount. */
const SCRIPT =
  'mount=$1; shift; "$@" "$mount" && rm "$mount/f" && [ -c u/f ]; status=$?; umount -l "$mount"; exit $status';

function trial(dir: string, program: string) {
  const server = [program, '-o', 'lowerdir=l,upperdir=u,workdir=w'];
  return [
    ops.private('mounts made from here on stay in this namespace'),
    ops.chdir(dir, 'the scene'),
    ops.exec(
      '/bin/sh',
      ['sh', '-c', SCRIPT, 'probe', 'm', ...server],
      'does it serve, and remember a removed file?',
    ),
  ];
}
