import { type BigIntStats, lstatSync } from 'node:fs';
import { TsboxError } from '../errors.ts';
import { WHITEOUT_PREFIX } from '../oci/whiteout.ts';
import { type ByteString, show, toPath } from './bytes.ts';
import { OPAQUE_NAMES } from './marks.ts';
import { hasOpaqueXattr, namesIn, removedBy } from './upper.ts';

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
  readonly skip?: (name: ByteString, stat: BigIntStats, path: ByteString) => boolean;
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
  if (options.skip?.(name, stat, path)) return;
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
  for (const base of names) {
    const child = { name: name === '' ? base : `${name}/${base}`, path: `${path}/${base}` };
    const stat = statOf(child.path);
    if (!stat) continue;
    const isMark = options.whiteoutNames !== 'files' && base.startsWith(WHITEOUT_PREFIX);
    if (!isMark) yield* walkNode({ kind: 'node', ...child, stat }, options, device);
    else if (options.whiteoutNames === 'refuse' || stat.isDirectory()) throw refused(child.name);
    else yield* removalsBy(base, name, names);
  }
}

/** A name that no layer can hold. */
export function refused(name: ByteString): TsboxError {
  return new TsboxError(
    'LAYER',
    `${show(name)} cannot be kept in a layer: names that begin with ${WHITEOUT_PREFIX} mark removals there`,
    { hint: 'rename or remove it in the container' },
  );
}

/** What a mark removes; one beside a file of that name says nothing that the file does not. */
function* removalsBy(
  base: ByteString,
  parent: ByteString,
  names: readonly ByteString[],
): Generator<PackItem> {
  for (const removed of removedBy(base)) {
    if (!names.includes(removed))
      yield { kind: 'removed', name: parent === '' ? removed : `${parent}/${removed}` };
  }
}

function isOpaqueHere(path: ByteString, names: readonly ByteString[], options: WalkOptions): boolean {
  if (options.whiteoutNames === 'marks' && OPAQUE_NAMES.some(name => names.includes(name))) return true;
  return hasOpaqueXattr(path);
}

function statOf(path: ByteString): BigIntStats | undefined {
  return lstatSync(toPath(path), { bigint: true, throwIfNoEntry: false });
}
