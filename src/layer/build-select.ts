import { TsboxError } from '../errors.ts';
import { componentMatcher, excludeMatcher, hasWildcard, partsOf } from './build-match.ts';
import { type ByteString, show } from './bytes.ts';

/** What COPY and ADD take. */
export interface Selection {
  /** Paths or patterns beneath the tree's root. */
  readonly sources: readonly ByteString[];
  readonly exclude: readonly ByteString[];
  /** `--parents`. */
  readonly parents: boolean;
}

/** A file of a tree that is copied from. */
export interface TreeNode {
  readonly type: 'file' | 'dir' | 'symlink' | 'other';
  /** Of a link. */
  readonly target?: ByteString;
}

/** A tree that nobody changes meanwhile, or that does not mind. Paths have no slash at their ends; the root's is empty. */
export interface Tree<N extends TreeNode> {
  /** No link is followed. */
  find(path: ByteString): N | undefined;
  /** Sorted by bytes. */
  names(path: ByteString): readonly ByteString[];
}

/** One file to copy. */
export interface Chosen<N> {
  readonly node: N;
  readonly path: ByteString;
  /** Which of the sources it belongs to. */
  readonly source: number;
  /** Below that source; empty: it is the source itself. With `--parents` the whole path that is kept. */
  readonly relative: ByteString;
}

export interface ChosenSource {
  /** Its last name, as asked for. */
  readonly name: ByteString;
  readonly isDirectory: boolean;
}

export interface Choice<N> {
  readonly sources: readonly ChosenSource[];
  readonly files: readonly Chosen<N>[];
}

const MAX_LINKS = 40;

/** Everything that a COPY copies, parents before children. Throws NOT_FOUND for a source that is no pattern and is not there. */
export function selectFiles<N extends TreeNode>(tree: Tree<N>, selection: Selection): Choice<N> {
  const sources: ChosenSource[] = [];
  const files: Chosen<N>[] = [];
  const isExcluded = excludeMatcher(selection.exclude);
  for (const source of selection.sources) {
    for (const { path, kept } of expandSource(tree, source, selection.parents)) {
      const real = resolveIn(tree, path);
      const node = real === undefined ? undefined : tree.find(real);
      if (real === undefined || !node) throw missing(source);
      const name = partsOf(path).at(-1) ?? '';
      const isDirectory = node.type === 'dir';
      const at = sources.push({ name, isDirectory }) - 1;
      const parents = selection.parents ? keptParents(tree, path, kept) : [];
      for (const parent of parents) files.push({ ...parent, source: at });
      const start = selection.parents ? kept : '';
      walk(
        tree,
        { node, path: real, source: at, relative: start },
        isExcluded,
        file => files.push(file),
        true,
      );
    }
  }
  return { sources, files };
}

/** Excluded names are those below what is copied. */
function walk<N extends TreeNode>(
  tree: Tree<N>,
  file: Chosen<N>,
  isExcluded: (path: ByteString) => boolean,
  take: (file: Chosen<N>) => void,
  top = false,
): void {
  if (top ? isExcluded(file.path) : isExcluded(file.path) || isExcluded(file.relative)) return;
  take(file);
  if (file.node.type !== 'dir') return;
  for (const name of tree.names(file.path)) {
    const below = { path: join(file.path, name), relative: join(file.relative, name) };
    const node = tree.find(below.path);
    if (node) walk(tree, { ...file, ...below, node }, isExcluded, take);
  }
}

/** The paths that a source means. `kept`: from the pivot `/./` on. */
function expandSource<N extends TreeNode>(
  tree: Tree<N>,
  source: ByteString,
  parents: boolean,
): { path: ByteString; kept: ByteString }[] {
  const pivot = parents ? source.indexOf('/./') : -1;
  const skipped = pivot < 0 ? 0 : inside(source.slice(0, pivot)).length;
  const parts = inside(source);
  const found = hasWildcard(source) ? matching(tree, parts) : [parts];
  return found.map(names => ({ path: names.join('/'), kept: names.slice(skipped).join('/') }));
}

/** Components with `..` taken back, never above the root. */
function inside(path: ByteString): ByteString[] {
  const kept: ByteString[] = [];
  for (const part of partsOf(path)) {
    if (part === '..') kept.pop();
    else kept.push(part);
  }
  return kept;
}

function matching<N extends TreeNode>(tree: Tree<N>, parts: readonly ByteString[]): ByteString[][] {
  let found: ByteString[][] = [[]];
  for (const part of parts) {
    const wild = hasWildcard(part);
    const matcher = wild ? matcherOf(part) : undefined;
    found = found.flatMap(names => {
      const directory = resolveIn(tree, names.join('/'));
      if (directory === undefined) return [];
      if (!matcher) return tree.find(join(directory, part)) ? [[...names, part]] : [];
      return tree
        .names(directory)
        .filter(name => matcher.test(name))
        .map(name => [...names, name]);
    });
  }
  return found;
}

function matcherOf(part: ByteString): RegExp {
  try {
    return componentMatcher(part);
  } catch (error) {
    throw new TsboxError('USAGE', `${show(part)} is not a pattern: ${(error as Error).message}`);
  }
}

function keptParents<N extends TreeNode>(
  tree: Tree<N>,
  path: ByteString,
  kept: ByteString,
): Omit<Chosen<N>, 'source'>[] {
  const names = partsOf(path);
  const skipped = names.length - partsOf(kept).length;
  const found: Omit<Chosen<N>, 'source'>[] = [];
  for (let i = skipped + 1; i < names.length; i++) {
    const real = resolveIn(tree, names.slice(0, i).join('/'));
    const node = real === undefined ? undefined : tree.find(real);
    if (real !== undefined && node?.type === 'dir')
      found.push({ node, path: real, relative: names.slice(skipped, i).join('/') });
  }
  return found;
}

/**
 * The path without links on it, the last one included; every link leads to somewhere beneath the root. Undefined when there is
 * nothing, or for ever more links.
 */
export function resolveIn<N extends TreeNode>(tree: Tree<N>, path: ByteString): ByteString | undefined {
  const pending = partsOf(path).reverse();
  const way: ByteString[] = [];
  let links = 0;
  for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
    if (name === '..') {
      way.pop();
      continue;
    }
    const node = tree.find([...way, name].join('/'));
    if (!node) return undefined;
    if (node.type !== 'symlink') {
      if (pending.length > 0 && node.type !== 'dir') return undefined;
      way.push(name);
      continue;
    }
    if (++links > MAX_LINKS) return undefined;
    const target = node.target ?? '';
    if (target.startsWith('/')) way.length = 0;
    pending.push(...partsOf(target).reverse());
  }
  return way.join('/');
}

export const join = (directory: ByteString, name: ByteString): ByteString =>
  directory === '' ? name : name === '' ? directory : `${directory}/${name}`;

function missing(source: ByteString): TsboxError {
  return new TsboxError('NOT_FOUND', `${show(source)}: not found`, {
    hint: 'paths begin at the root of the context (or of the stage or image), and .dockerignore can hide them',
    exitCode: 1,
  });
}
