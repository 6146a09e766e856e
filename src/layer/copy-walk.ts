import { type BigIntStats, closeSync, constants, lstatSync, openSync, readdirSync } from 'node:fs';
import { hasErrno } from '../errors.ts';
import { type ByteString, toPath } from './bytes.ts';
import type { PackItem } from './pack-items.ts';

const O_PATH = 0o10000000;
/** For a directory that is held, not read. A link under the name is refused (ENOTDIR). */
export const HOLD = O_PATH | constants.O_DIRECTORY | constants.O_NOFOLLOW;

/** Where the children of a directory that is held are found, whatever happens to its name meanwhile. */
export const heldPath = (fd: number): string => `/proc/self/fd/${fd}`;

/**
 * The tree at `base` in the directory `parent`, for an archive in which its name is `name`. Every directory is held by its
 * descriptor and entered through the one above, without links: a container that has the tree mounted can exchange what it likes, none
 * of it leads elsewhere (CVE-2018-15664). What vanishes meanwhile is left out. `parent`: a path without a slash at its end.
 */
export function* walkHeld(parent: string, base: ByteString, name: ByteString): Generator<PackItem> {
  const path = `${parent}/${base}`;
  const stat = statOf(path);
  if (!stat) return;
  yield { kind: 'node', name, path, stat };
  if (!stat.isDirectory()) return;
  const fd = hold(path);
  if (fd === undefined) return;
  try {
    const inside = heldPath(fd);
    for (const child of readdirSync(inside, { encoding: 'latin1' }).sort())
      yield* walkHeld(inside, child, name === '' ? child : `${name}/${child}`);
  } finally {
    closeSync(fd);
  }
}

const statOf = (path: ByteString): BigIntStats | undefined =>
  lstatSync(toPath(path), { bigint: true, throwIfNoEntry: false });

/** Undefined when it is no directory any more. */
function hold(path: ByteString): number | undefined {
  try {
    return openSync(toPath(path), HOLD);
  } catch (error) {
    if (hasErrno(error, 'ENOENT', 'ENOTDIR', 'ELOOP')) return undefined;
    throw error;
  }
}
