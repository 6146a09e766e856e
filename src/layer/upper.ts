import { type BigIntStats, lstatSync, readdirSync } from 'node:fs';
import { hasErrno } from '../errors.ts';
import { parseWhiteout, WHITEOUT_PREFIX } from '../oci/whiteout.ts';
import { getXattr } from '../sys/xattr.ts';
import { type ByteString, toPath } from './bytes.ts';
import { isOpaqueName, OPAQUE_XATTRS } from './marks.ts';

export interface UpperNode {
  readonly path: ByteString;
  readonly stat: BigIntStats;
}

/** One directory that a container writes to, its marks read. */
export interface UpperDirectory {
  /** By name, sorted by bytes. */
  readonly nodes: ReadonlyMap<ByteString, UpperNode>;
  /** Names whose lower file is gone. */
  readonly removed: readonly ByteString[];
  /** Hides what the layers below have in it. */
  readonly opaque: boolean;
}

export interface UpperOptions {
  /** A whole tree: there are no marks in it. */
  readonly whole?: boolean;
  /** Names of the form `.wh.NAME` are marks (fuse-overlayfs, an unpacked layer); only what is no directory can be one. */
  readonly marks: boolean;
}

/** Reads it; empty when it has vanished. Symbolic links are not followed. Throws what the kernel says. */
export function openDirectory(path: ByteString, options: UpperOptions): UpperDirectory {
  const nodes = new Map<ByteString, UpperNode>();
  const removed: ByteString[] = [];
  let opaque = !options.whole && hasOpaqueXattr(path);
  for (const name of namesIn(path)) {
    const stat = lstat(`${path}/${name}`);
    if (!stat) continue;
    const isMark = options.marks && name.startsWith(WHITEOUT_PREFIX) && !stat.isDirectory();
    if (isMark && isOpaqueName(name)) opaque = true;
    else if (isMark) removed.push(...removedBy(name));
    else if (!options.whole && stat.isCharacterDevice() && stat.rdev === 0n) removed.push(name);
    else nodes.set(name, { path: `${path}/${name}`, stat });
  }
  return { nodes, removed, opaque };
}

/** The names that a file of the form `.wh.NAME` removes: one, or none for a mark of opaqueness. */
export function removedBy(name: ByteString): ByteString[] {
  if (isOpaqueName(name)) return [];
  const mark = parseWhiteout(name);
  return mark?.kind === 'remove' ? [mark.name] : [];
}

/** True for a directory whose attribute says that it hides what is below; empty path: the root. */
export function hasOpaqueXattr(path: ByteString): boolean {
  const bytes = toPath(path === '' ? '/' : path);
  return OPAQUE_XATTRS.some(name => getXattr(bytes, name)?.toString() === 'y');
}

/** Sorted by bytes; none in a directory that has vanished. */
export function namesIn(path: ByteString): ByteString[] {
  try {
    return readdirSync(toPath(path === '' ? '/' : path), { encoding: 'latin1' }).sort();
  } catch (error) {
    if (hasErrno(error, 'ENOENT', 'ENOTDIR')) return [];
    throw error;
  }
}

function lstat(path: ByteString): BigIntStats | undefined {
  return lstatSync(toPath(path), { bigint: true, throwIfNoEntry: false });
}
