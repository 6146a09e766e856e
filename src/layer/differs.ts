import { readlinkSync } from 'node:fs';
import { getXattr, listXattr } from '../sys/xattr.ts';
import { toPath } from './bytes.ts';
import type { Lower } from './lower.ts';
import type { UpperNode } from './upper.ts';

/** When a file of a container counts as another one than that of its image. Contents are not read: a change of them changes the time. */
export type Differs = (now: UpperNode, before: Lower) => boolean;

const OVERLAY = /^(?:user|trusted)\.overlay\.|^user\.fuseoverlayfs\./;

/**
 * docker's rule for `diff`: mode, owner, device and file capabilities; of what is no directory also size and time. `squashed`: the
 * owners below are shown as root's, and a copy of such a file belongs to 65534.
 */
export function differsForDiff(squashed: boolean): Differs {
  const owner = (id: bigint): bigint => (squashed && id === NOBODY ? 0n : id);
  return (now, before) => {
    const [a, b] = [now.stat, before.stat];
    const sameOwner = squashed
      ? owner(a.uid) === 0n && owner(a.gid) === 0n
      : a.uid === b.uid && a.gid === b.gid;
    if (a.mode !== b.mode || !sameOwner || a.rdev !== b.rdev) return true;
    if (!a.isDirectory() && (a.mtimeNs !== b.mtimeNs || a.size !== b.size)) return true;
    return !sameValue(now.path, before.path, 'security.capability');
  };
}

const NOBODY = 65534n;

/** Everything that a layer can hold: for finding what belongs into the layer of a whole tree. */
export const differsForLayer: Differs = (now, before) => {
  const [a, b] = [now.stat, before.stat];
  if (a.mode !== b.mode || a.uid !== b.uid || a.gid !== b.gid || a.rdev !== b.rdev) return true;
  if (a.mtimeNs !== b.mtimeNs) return true;
  if (a.isSymbolicLink() && target(now.path) !== target(before.path)) return true;
  if (!a.isDirectory() && a.size !== b.size) return true;
  const names = xattrsOf(now.path);
  return (
    names.join('\0') !== xattrsOf(before.path).join('\0') ||
    !names.every(name => sameValue(now.path, before.path, name))
  );
};

const target = (path: string): string => readlinkSync(toPath(path), { encoding: 'latin1' });

const xattrsOf = (path: string): string[] =>
  listXattr(toPath(path))
    .filter(name => !OVERLAY.test(name))
    .sort();

function sameValue(a: string, b: string, name: string): boolean {
  const [one, other] = [getXattr(toPath(a), name), getXattr(toPath(b), name)];
  return one === undefined || other === undefined ? one === other : one.equals(other);
}
