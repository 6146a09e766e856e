import { type BigIntStats, lstatSync, readdirSync } from 'node:fs';
import { hasErrno } from '../errors.ts';
import { parseWhiteout, whiteoutName } from '../oci/whiteout.ts';
import { getXattr } from '../sys/xattr.ts';
import { type ByteString, toPath } from './bytes.ts';
import { OPAQUE_NAMES, OPAQUE_XATTRS } from './marks.ts';

/** One file or directory as a stack of layers shows it. */
export interface Lower {
  readonly path: ByteString;
  readonly stat: BigIntStats;
  /** For a directory: what the layers have of it, the top one first. Empty for anything else. */
  readonly directories: readonly ByteString[];
}

/**
 * A stack of unpacked layers seen as one tree, a directory at a time: what a container finds below its own changes. Nobody
 * writes to layers, and no symbolic link is followed.
 */
export class LowerView {
  readonly #hides: (path: ByteString) => boolean;

  /** `hides`: paths that are not shown (what the image `host` keeps out). */
  constructor(hides: (path: ByteString) => boolean = () => false) {
    this.#hides = hides;
  }

  /** The tree that has these roots, the top one first. Undefined when there is none. */
  root(directories: readonly ByteString[]): Lower | undefined {
    const [path] = directories;
    const stat = path === undefined ? undefined : statOf(path);
    return path === undefined || !stat ? undefined : { path, stat, directories };
  }

  /** What `parent` shows under a name; undefined when there is nothing, or it was removed again. */
  find(parent: Lower | undefined, name: ByteString): Lower | undefined {
    let found: { path: ByteString; stat: BigIntStats } | undefined;
    const directories: ByteString[] = [];
    for (const directory of parent?.directories ?? []) {
      const path = `${directory}/${name}`;
      const stat = this.#hides(path) ? undefined : statOf(path);
      if (!stat && !statOf(`${directory}/${whiteoutName(name)}`)) continue;
      if (!stat || (stat.isCharacterDevice() && stat.rdev === 0n)) break;
      if (directories.length > 0 && !stat.isDirectory()) break;
      found ??= { path, stat };
      if (!stat.isDirectory()) break;
      directories.push(path);
      if (isOpaque(path)) break;
    }
    return found && { ...found, directories };
  }

  /** The names that `parent` may show; `find` tells which of them it does. */
  names(parent: Lower | undefined): Set<ByteString> {
    const names = new Set<ByteString>();
    for (const directory of parent?.directories ?? []) {
      for (const name of namesIn(directory)) if (parseWhiteout(name) === undefined) names.add(name);
    }
    return names;
  }
}

function statOf(path: ByteString): BigIntStats | undefined {
  try {
    return lstatSync(toPath(path), { bigint: true, throwIfNoEntry: false });
  } catch (error) {
    // A directory of the machine (image `host`) that is closed to us is closed to the container.
    if (hasErrno(error, 'EACCES', 'ENOTDIR')) return undefined;
    throw error;
  }
}

function namesIn(path: ByteString): ByteString[] {
  try {
    return readdirSync(toPath(path), { encoding: 'latin1' });
  } catch (error) {
    if (hasErrno(error, 'EACCES', 'ENOENT')) return [];
    throw error;
  }
}

function isOpaque(path: ByteString): boolean {
  if (OPAQUE_NAMES.some(name => statOf(`${path}/${name}`) !== undefined)) return true;
  return OPAQUE_XATTRS.some(name => getXattr(toPath(path), name)?.toString() === 'y');
}
