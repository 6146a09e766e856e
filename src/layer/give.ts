import { lchownSync, lstatSync, readdirSync } from 'node:fs';
import { hasErrno, messageOf, TsboxError } from '../errors.ts';

/** Bytes, as readdir gives them: names need not be UTF-8. */
const SLASH = Buffer.from('/');

/**
 * Gives the tree below `root` to one owner: no link is followed, what is his already is not touched (chown(2) takes setuid bits away).
 * Returns how many were changed. Throws IO for one that the map of this namespace does not hold.
 */
export function giveTree(root: string, uid: number, gid: number): number {
  let changed = 0;
  const pending: Buffer[] = [Buffer.from(root)];
  for (let path = pending.pop(); path; path = pending.pop()) {
    const stat = lstatSync(path, { throwIfNoEntry: false });
    if (!stat) continue;
    if (stat.uid !== uid || stat.gid !== gid) changed += give(path, uid, gid);
    if (stat.isDirectory()) pending.push(...below(path));
  }
  return changed;
}

function below(directory: Buffer): Buffer[] {
  const names = readdirSync(directory, { encoding: 'buffer' });
  return names.map(name => Buffer.concat([directory, SLASH, name]));
}

function give(path: Buffer, uid: number, gid: number): number {
  try {
    lchownSync(path, uid, gid);
    return 1;
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return 0;
    const hint =
      'only files whose owners exist in the container can be given away: leave :U out, or chown them on the host';
    throw new TsboxError('IO', `${path.toString()} cannot be given to ${uid}:${gid}: ${messageOf(error)}`, {
      cause: error,
      hint,
    });
  }
}
