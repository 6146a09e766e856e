import { lstatSync } from 'node:fs';
import { checkOf, messageOf } from '../errors.ts';
import { fileSystemOf } from '../host/filesystem.ts';
import { kernelAtLeast } from '../host/probe.ts';
import { ops } from '../plan/ops.ts';
import type { StorageHost, StorageProbe } from './driver.ts';
import { withScene } from './probe-scene.ts';

/** Mounts overlayfs on a scene in the store and removes a lower file through it, which must leave a whiteout above. */
export async function overlayProbe(host: StorageHost): Promise<StorageProbe> {
  try {
    return await withScene(host.root, async ({ dir, path }) => {
      await host.walk([
        ops.private('mounts made from here on stay in this namespace'),
        ops.chdir(dir, 'the scene'),
        ops.hostmount(
          { type: 'overlay', target: 'm', data: 'lowerdir=l,upperdir=u,workdir=w,userxattr' },
          'does this kernel let a user mount overlayfs, on this file system?',
        ),
        ops.rmtree('m/f', 'can it remember a removed file?'),
        ops.rmtree('m/d', 'and a removed directory,'),
        ops.root('m', 'beneath this root'),
        ops.mkdir(
          '/d',
          0o755,
          'whose name is used again? tmpfs has the attribute for it only since Linux 6.6',
        ),
      ]);
      return leftMarks(path)
        ? { ok: true }
        : no(host, 'a removed file leaves no whiteout in the upper directory');
    });
  } catch (error) {
    const check = checkOf(error);
    // No namespace, or no mounts at all: that is not overlayfs' fault.
    if (check !== undefined && !check.startsWith('overlay'))
      return { ok: false, reason: messageOf(error), check };
    return no(host, messageOf(error));
  }
}

function leftMarks(path: string): boolean {
  const [file, directory] = ['f', 'd'].map(name => lstatSync(`${path}/u/${name}`, { throwIfNoEntry: false }));
  return (file?.isCharacterDevice() ?? false) && (directory?.isDirectory() ?? false);
}

function no(host: StorageHost, reason: string): StorageProbe {
  if (!kernelAtLeast(5, 11)) {
    return {
      ok: false,
      reason: 'this kernel is older than 5.11',
      hint: 'install fuse-overlayfs',
      check: 'overlay-kernel',
    };
  }
  const fileSystem = fileSystemOf(host.root);
  if (fileSystem.noUpper) {
    return {
      ok: false,
      reason: `the store is on ${fileSystem.name}, which cannot hold an upper directory`,
      hint: 'put the store on a local file system: --root or TSBOX_ROOT',
      check: 'store-filesystem',
    };
  }
  const absent = /no such device/.test(reason);
  return {
    ok: false,
    reason: `${reason} (the store is on ${fileSystem.name})`,
    hint: absent ? 'ask the administrator for: modprobe overlay' : 'install fuse-overlayfs',
    check: absent ? 'overlay-module' : 'overlay-refused',
  };
}
