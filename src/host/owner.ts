import { chownSync, lstatSync } from 'node:fs';
import { TsboxError } from '../errors.ts';
import { toHost } from './id-ranges.ts';
import type { UsernsMaps } from './idmap.ts';
import { ourUid, type Paths } from './paths.ts';

/**
 * Gives the store's directories to the ids that are root inside, once: in root mode these are not ours, and inside the
 * namespace nobody could enter a 0700 directory of the host's root. One lstat when it has been done. Nothing to do for
 * users. Throws SUBID when the store already belongs to the ids of another map.
 */
export function ownStore(paths: Paths, maps: UsernsMaps): void {
  const [uid, gid] = [toHost(maps.uid, 0), toHost(maps.gid, 0)];
  if (ourUid() !== 0 || uid === undefined || gid === undefined) return;
  const found = lstatSync(paths.root);
  if (found.uid === uid && found.gid === gid) return;
  if (found.uid !== 0) {
    throw new TsboxError(
      'SUBID',
      `the store ${paths.root} belongs to the ids from ${found.uid} on, the map now begins at ${uid}`,
      {
        hint: 'restore the old ranges of root in /etc/subuid, or use another store with --root',
      },
    );
  }
  for (const path of [paths.layers, paths.containers, paths.volumes, paths.tmp, paths.root])
    chownSync(path, uid, gid);
}

/** A directory or file just made inside the store gets the store's owner; for a user these are the same. */
export function giveToStore(root: string, path: string): void {
  if (ourUid() !== 0) return;
  const { uid, gid } = lstatSync(root);
  if (uid !== 0) chownSync(path, uid, gid);
}
