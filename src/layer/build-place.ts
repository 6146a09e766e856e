import { partsOf } from './build-match.ts';
import { resolveIn, type Tree, type TreeNode } from './build-select.ts';
import type { ByteString } from './bytes.ts';

/** Where something goes that may not be there yet. */
export interface Destination {
  /** Without links and without slashes at its ends; empty: the root. */
  readonly path: ByteString;
  readonly exists: boolean;
  readonly isDirectory: boolean;
}

const MAX_LINKS = 40;

/** Follows the links of what is there, beneath the root, and keeps the names of what is not. */
export function resolveDestination<N extends TreeNode>(tree: Tree<N>, path: ByteString): Destination {
  const pending = partsOf(path).reverse();
  const way: ByteString[] = [];
  let node: N | undefined = tree.find('');
  let links = 0;
  for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
    if (name === '..') way.pop();
    else {
      const found = tree.find([...way, name].join('/'));
      if (found?.type !== 'symlink' || ++links > MAX_LINKS) way.push(name);
      else {
        if (found.target?.startsWith('/')) way.length = 0;
        pending.push(...partsOf(found.target ?? '').reverse());
      }
    }
  }
  const final = way.join('/');
  node = tree.find(final);
  return { path: final, exists: node !== undefined, isDirectory: final === '' || node?.type === 'dir' };
}

/** What a name leads to when it is a link to a directory; undefined for everything else. */
export function linkedDirectory<N extends TreeNode>(tree: Tree<N>, path: ByteString): ByteString | undefined {
  if (tree.find(path)?.type !== 'symlink') return undefined;
  const real = resolveIn(tree, path);
  return real !== undefined && tree.find(real)?.type === 'dir' ? real : undefined;
}
