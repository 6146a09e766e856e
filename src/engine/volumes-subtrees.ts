import { lstatSync, readlinkSync, type Stats } from 'node:fs';
import { isOpaque, isWhiteout } from '../layer/marks.ts';

/** As many as the kernel follows (path_resolution(7)). */
const MAX_LINKS = 40;

export type XattrReader = (path: string, name: string) => Buffer | undefined;

/**
 * The directories that a stack of unpacked layers has at `path`, the base first: together they are what a container would see
 * there. Empty when it would see no directory. Links of the image are resolved within the stack; no path that leads
 * through one is ever given to the kernel. `layers`: absolute paths of the trees, the base first.
 */
export function subtrees(layers: readonly string[], path: string, getXattr: XattrReader): string[] {
  const roots = [...layers].reverse();
  // One entry for each directory on the way: what the layers have there, the top one first.
  let way: string[][] = [roots];
  const pending = partsOf(path).reverse();
  for (let links = 0; pending.length > 0; ) {
    const name = pending.pop() ?? '';
    if (name === '..') {
      way = way.length > 1 ? way.slice(0, -1) : way;
      continue;
    }
    const found = look(way.at(-1) ?? [], name, getXattr);
    if (found.link === undefined) {
      if (found.directories.length === 0) return [];
      way.push(found.directories);
      continue;
    }
    if (++links > MAX_LINKS) return [];
    if (found.link.startsWith('/')) way = [roots];
    pending.push(...partsOf(found.link).reverse());
  }
  return [...(way.at(-1) ?? [])].reverse();
}

const partsOf = (path: string): string[] => path.split('/').filter(part => part !== '' && part !== '.');

/** One name in directories that lie over one another: a link, or what of them has a directory of that name and is seen. */
function look(
  directories: readonly string[],
  name: string,
  getXattr: XattrReader,
): { link?: string; directories: string[] } {
  const seen: string[] = [];
  for (const directory of directories) {
    const path = `${directory}/${name}`;
    const stat = lstat(path);
    if (!stat && !lstat(`${directory}/.wh.${name}`)) continue;
    if (stat?.isSymbolicLink() && seen.length === 0) return { link: readlinkSync(path), directories: [] };
    if (!stat?.isDirectory() || isWhiteout(stat)) break;
    seen.push(path);
    if (isOpaque(path, getXattr)) break;
  }
  return { directories: seen };
}

const lstat = (path: string): Stats | undefined => lstatSync(path, { throwIfNoEntry: false });
