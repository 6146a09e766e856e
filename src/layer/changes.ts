import type { BigIntStats } from 'node:fs';
import type { ByteString } from './bytes.ts';
import { type Lower, LowerView } from './lower.ts';
import { openDirectory, type UpperNode } from './upper.ts';

/** docker's kinds: added, changed, deleted. */
export type ChangeKind = 'A' | 'C' | 'D';

export interface Change {
  readonly kind: ChangeKind;
  /** Below the root, without a slash at either end. */
  readonly name: ByteString;
  /** What is there now; absent for `D`. */
  readonly node?: UpperNode;
}

export interface ChangesOptions {
  /** True when two files of the same name are not the same. */
  readonly differs: (now: UpperNode, before: Lower) => boolean;
  /** The directory is a whole tree (vfs), not an upper directory: what it does not have was deleted. */
  readonly whole: boolean;
  /** Names of the form `.wh.NAME` are removals (fuse-overlayfs). */
  readonly marks: boolean;
  /** Leaves out what it says true for, with everything below. `isNew`: the layers have nothing there. */
  readonly skip?: (name: ByteString, path: ByteString, stat: BigIntStats, isNew: boolean) => boolean;
  /** Lower paths that the container does not see. */
  readonly hides?: (path: ByteString) => boolean;
}

/**
 * What a container changed, as `docker diff` tells it: parents before children, by name; of a new directory every entry, of
 * a deleted one only itself; a directory counts as changed when something below it did. `root`: the upper directory or the tree, without a slash
 * at the end; `lowers`: roots of the layers, the top one first.
 */
export function* changesOf(
  root: ByteString,
  lowers: readonly ByteString[],
  options: ChangesOptions,
): Generator<Change> {
  const walk = new Comparison(options);
  const view = walk.lower.root(lowers);
  yield* walk.children({ name: '', path: root, before: view, full: options.whole, parent: undefined });
}

/** A directory that both have, and whether it has been told yet. */
interface Shared {
  readonly change: Change;
  readonly parent: Shared | undefined;
  told: boolean;
}

interface Place {
  readonly name: ByteString;
  readonly path: ByteString;
  readonly before: Lower | undefined;
  /** Compare everything: the directory is not merged with the one below. */
  readonly full: boolean;
  readonly parent: Shared | undefined;
}

class Comparison {
  readonly #options: ChangesOptions;
  readonly lower: LowerView;

  constructor(options: ChangesOptions) {
    this.#options = options;
    this.lower = new LowerView(options.hides);
  }

  *children(place: Place): Generator<Change> {
    const upper = openDirectory(place.path, this.#options);
    const full = place.full || upper.opaque;
    const lowerNames = full ? [...this.lower.names(place.before)] : [];
    const names = [...new Set([...upper.nodes.keys(), ...upper.removed, ...lowerNames])].sort();
    for (const base of names) {
      const name = place.name === '' ? base : `${place.name}/${base}`;
      const before = this.lower.find(place.before, base);
      const node = upper.nodes.get(base);
      if (node && this.#options.skip?.(name, node.path, node.stat, !before)) continue;
      if (node) yield* this.#node(name, node, before, { ...place, full });
      else if (before) yield* tell({ kind: 'D', name }, place.parent);
    }
  }

  *#node(name: ByteString, node: UpperNode, before: Lower | undefined, place: Place): Generator<Change> {
    const kind = before ? 'C' : 'A';
    const change: Change = { kind, name, node };
    const isDirectory = node.stat.isDirectory();
    const shared: Shared = { change, parent: place.parent, told: false };
    if (!before || this.#options.differs(node, before)) yield* tellShared(shared);
    if (!isDirectory) return;
    yield* this.children({ name, path: node.path, before, full: place.full, parent: shared });
  }
}

/** A change is told after the directories that it is in. */
function* tell(change: Change, parent: Shared | undefined): Generator<Change> {
  if (parent) yield* tellShared(parent);
  yield change;
}

function* tellShared(shared: Shared): Generator<Change> {
  if (shared.told) return;
  shared.told = true;
  yield* tell(shared.change, shared.parent);
}
