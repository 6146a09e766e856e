import { type BigIntStats, lstatSync, readdirSync } from 'node:fs';
import { hasErrno } from '../errors.ts';

const SLASH = Buffer.from('/');

/**
 * Bytes of the regular files below a path (of itself, if it is one), a file with several names once; 0 for what is not there. Does not
 * follow links nor leave out what is mounted. Throws EACCES for directories that this user may not read.
 */
export function treeSize(path: string): number {
  const seen = new Set<string>();
  const waiting: Buffer[] = [Buffer.from(path)];
  let total = 0;
  for (let next = waiting.pop(); next; next = waiting.pop()) {
    const stat = statOf(next);
    if (stat?.isDirectory()) waiting.push(...childrenOf(next));
    else if (stat?.isFile() && isNew(seen, stat)) total += Number(stat.size);
  }
  return total;
}

function isNew(seen: Set<string>, { nlink, dev, ino }: BigIntStats): boolean {
  if (nlink < 2n) return true;
  const key = `${dev}:${ino}`;
  if (seen.has(key)) return false;
  seen.add(key);
  return true;
}

/** A tree may change while it is looked at: what has gone counts nothing. */
const statOf = (path: Buffer): BigIntStats | undefined => unlessGone(() => lstatSync(path, { bigint: true }));

function childrenOf(path: Buffer): Buffer[] {
  const names = unlessGone(() => readdirSync(path, { encoding: 'buffer' })) ?? [];
  return names.map(name => Buffer.concat([path, SLASH, name]));
}

function unlessGone<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    if (hasErrno(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw error;
  }
}
