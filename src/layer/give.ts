import { chmodSync, lchownSync, lstatSync, readdirSync, type Stats } from 'node:fs';
import { hasErrno, messageOf, TsboxError } from '../errors.ts';
import type { IdMapLine } from '../plan/ops.ts';

/** Bytes, as readdir gives them: names need not be UTF-8. */
const SLASH = Buffer.from('/');
const SETID = 0o6000;

/** The owner that something is to have. */
type NewOwner = (stat: Stats) => { readonly uid: number; readonly gid: number };

/**
 * Gives the tree below `root` to one owner. No link is followed, what is his already is not touched. Returns how many were changed. Throws
 * IO for one that the map of this namespace does not hold. `shown`: what stands before paths in a message.
 */
export const giveTree = (root: string, uid: number, gid: number, shown = ''): number =>
  changeOwners(root, () => ({ uid, gid }), shown);

/**
 * Changes each owner that a line has: ids from `inside` on become those from `outside` on. For files that were written under one map
 * and are to be seen under another. Returns how many were changed.
 */
export const translateTree = (root: string, uid: readonly IdMapLine[], gid: readonly IdMapLine[]): number =>
  changeOwners(root, stat => ({ uid: translated(uid, stat.uid), gid: translated(gid, stat.gid) }), '');

function translated(lines: readonly IdMapLine[], id: number): number {
  const line = lines.find(l => l.inside <= id && id < l.inside + l.count);
  return line ? line.outside + (id - line.inside) : id;
}

function changeOwners(root: string, owner: NewOwner, shown: string): number {
  // A file with several names is met several times.
  const seen = new Set<string>();
  const pending: Buffer[] = [Buffer.from(root)];
  let changed = 0;
  for (let path = pending.pop(); path; path = pending.pop()) {
    const stat = lstatSync(path, { throwIfNoEntry: false });
    if (!stat) continue;
    if (stat.isDirectory()) pending.push(...below(path));
    else if (stat.nlink > 1 && isKnown(seen, stat)) continue;
    changed += change(path, stat, owner(stat), shown);
  }
  return changed;
}

function isKnown(seen: Set<string>, { dev, ino }: Stats): boolean {
  const key = `${dev}:${ino}`;
  const known = seen.has(key);
  seen.add(key);
  return known;
}

function below(directory: Buffer): Buffer[] {
  const names = readdirSync(directory, { encoding: 'buffer' });
  return names.map(name => Buffer.concat([directory, SLASH, name]));
}

function change(path: Buffer, stat: Stats, { uid, gid }: ReturnType<NewOwner>, shown: string): number {
  if (stat.uid === uid && stat.gid === gid) return 0;
  try {
    lchownSync(path, uid, gid);
    // chown(2) takes these bits away.
    if (stat.isFile() && (stat.mode & SETID) !== 0) chmodSync(path, stat.mode & 0o7777);
    return 1;
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return 0;
    const hint =
      'only files whose owners exist in the container can be given away: leave :U out, or chown them on the host';
    const name = `${shown}${path.toString()}`.replace(/(.)\/$/, '$1');
    throw new TsboxError('IO', `${name} cannot be given to ${uid}:${gid}: ${messageOf(error)}`, {
      cause: error,
      hint,
    });
  }
}
