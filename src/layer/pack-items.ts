import { type BigIntStats, lstatSync, readdirSync } from 'node:fs';
import { hasErrno } from '../errors.ts';
import { parseWhiteout, WHITEOUT_PREFIX } from '../oci/whiteout.ts';
import { getXattr } from '../sys/xattr.ts';
import { type ByteString, toPath } from './bytes.ts';
import { layerError } from './error.ts';
import { isOpaqueName, OPAQUE_NAMES, OPAQUE_XATTRS } from './marks.ts';

/** What goes into an archive, parents before children. Names have no slash at either end; the root's is empty. */
export type PackItem =
  | {
      readonly kind: 'node';
      readonly name: ByteString;
      /** Where it is on the disk. */
      readonly path: ByteString;
      readonly stat: BigIntStats;
    }
  /** Something of the layers below that is not there any more. */
  | { readonly kind: 'removed'; readonly name: ByteString }
  /** A directory that hides what the layers below have in it; comes directly after the directory. */
  | { readonly kind: 'opaque'; readonly name: ByteString };

/**
 * What `.wh.` at the beginning of a name means. `files`: nothing, it is a file like others (a plain tree). `marks`: a removal
 * (the upper directory of fuse-overlayfs, an unpacked layer). `refuse`: a file of the container that no layer can hold (LAYER).
 */
export type WhiteoutNames = 'files' | 'marks' | 'refuse';

export interface WalkOptions {
  readonly whiteoutNames: WhiteoutNames;
  /** Read whiteout devices and opaque attributes as removals; false for a plain tree, where they are nothing special. */
  readonly removals: boolean;
  /** Do not go into directories of other file systems (what is mounted in the tree). Default: go. */
  readonly oneFileSystem?: boolean;
  /** Leaves out what it says true for, with everything below. */
  readonly skip?: (name: ByteString, stat: BigIntStats) => boolean;
}

/**
 * Everything in a directory, in the order of the names' bytes. `root`: its path without a slash at the end, empty for that of
 * the process. `name`: of the item for the directory itself. What vanishes meanwhile is left out, no symbolic link is followed.
 */
export function* walkTree(
  root: ByteString,
  options: WalkOptions,
  name: ByteString = '',
): Generator<PackItem> {
  const stat = statOf(root === '' ? '/' : root);
  if (stat) yield* walkNode({ kind: 'node', name, path: root, stat }, options, stat.dev);
}

type Node = Extract<PackItem, { kind: 'node' }>;

function* walkNode(node: Node, options: WalkOptions, device: bigint): Generator<PackItem> {
  const { name, path, stat } = node;
  if (options.skip?.(name, stat)) return;
  if (options.removals && stat.isCharacterDevice() && stat.rdev === 0n) {
    yield { kind: 'removed', name };
    return;
  }
  yield node;
  if (!stat.isDirectory() || (options.oneFileSystem && stat.dev !== device)) return;
  yield* walkChildren(name, path, options, device);
}

function* walkChildren(
  name: ByteString,
  path: ByteString,
  options: WalkOptions,
  device: bigint,
): Generator<PackItem> {
  const names = namesIn(path);
  if (options.removals && isOpaqueHere(path, names, options)) yield { kind: 'opaque', name };
  for (const child of names) {
    const inner = name === '' ? child : `${name}/${child}`;
    const mark = options.whiteoutNames === 'files' ? undefined : markOf(child, inner, options);
    if (mark === 'none') continue;
    if (mark !== undefined) {
      if (!names.includes(mark)) yield { kind: 'removed', name: name === '' ? mark : `${name}/${mark}` };
      continue;
    }
    const stat = statOf(`${path}/${child}`);
    if (stat) yield* walkNode({ kind: 'node', name: inner, path: `${path}/${child}`, stat }, options, device);
  }
}

/** The name that is removed, `none` for a mark that removes nothing by itself, undefined for an ordinary name. */
function markOf(base: ByteString, name: ByteString, { whiteoutNames }: WalkOptions): ByteString | undefined {
  if (!base.startsWith(WHITEOUT_PREFIX)) return undefined;
  if (whiteoutNames === 'refuse') {
    throw layerError(`a file named ${WHITEOUT_PREFIX}… means a removal and cannot be kept in a layer`, name);
  }
  if (isOpaqueName(base)) return 'none';
  const mark = parseWhiteout(base);
  return mark?.kind === 'remove' ? mark.name : 'none';
}

function isOpaqueHere(path: ByteString, names: readonly ByteString[], options: WalkOptions): boolean {
  if (options.whiteoutNames === 'marks' && OPAQUE_NAMES.some(name => names.includes(name))) return true;
  const bytes = toPath(path === '' ? '/' : path);
  return OPAQUE_XATTRS.some(xattr => getXattr(bytes, xattr)?.toString() === 'y');
}

/** Sorted by bytes. A directory that has vanished has none. */
function namesIn(path: ByteString): ByteString[] {
  try {
    return readdirSync(toPath(path === '' ? '/' : path), { encoding: 'latin1' }).sort();
  } catch (error) {
    if (hasErrno(error, 'ENOENT', 'ENOTDIR')) return [];
    throw error;
  }
}

function statOf(path: ByteString): BigIntStats | undefined {
  return lstatSync(toPath(path), { bigint: true, throwIfNoEntry: false });
}
