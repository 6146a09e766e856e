import type { BigIntStats } from 'node:fs';
import type { ByteString } from './bytes.ts';
import { isOpaqueName } from './marks.ts';
import { namesIn } from './upper.ts';

/**
 * What tsbox makes in a root file system before the container runs: places to mount on. As long as nothing is in them they are
 * no change of the container (docker keeps them in a layer of their own that is neither shown nor committed).
 */
const DIRECTORIES = ['dev', 'proc', 'sys'];
const FILES = ['etc/hosts', 'etc/hostname', 'etc/resolv.conf'];

/** `name` below the root, `path` on the disk, `stat` of it; `isNew`: the image has nothing there (or the
 * very same directory). */
export function isMountPoint(name: ByteString, path: ByteString, stat: BigIntStats, isNew: boolean): boolean {
  if (FILES.includes(name)) return stat.isFile() && stat.size === 0n;
  if (!stat.isDirectory()) return false;
  if (DIRECTORIES.includes(name)) return contents(path).length === 0;
  // Only there for the files in it.
  return isNew && name === 'etc' && isNothingBut(contents(path), FILES);
}

const isNothingBut = (names: readonly ByteString[], files: readonly string[]): boolean =>
  names.length > 0 && names.every(name => files.includes(`etc/${name}`));

const contents = (path: ByteString): ByteString[] => namesIn(path).filter(name => !isOpaqueName(name));
