import { type BigIntStats, lstatSync, readdirSync } from 'node:fs';
import { type ByteString, toPath } from './bytes.ts';
import type { Differs } from './differs.ts';
import { type Lower, LowerView } from './lower.ts';

/** The names of each file that has several, as one text; by device and inode. */
type Groups = ReadonlyMap<string, string>;

const keyOf = ({ dev, ino }: BigIntStats): string => `${dev}:${ino}`;

/**
 * As `differs`, and true for every name of a file whose set of names has changed: a hard link of an archive leads to an
 * entry of the same archive, so a new name of an old file brings the old one with it.
 */
export function differsWithLinks(differs: Differs, root: ByteString, lowers: readonly ByteString[]): Differs {
  let groups: { now: Groups; before: Groups } | undefined;
  return (now, before) => {
    if (differs(now, before)) return true;
    if (now.stat.isDirectory() || (now.stat.nlink === 1n && before.stat.nlink === 1n)) return false;
    groups ??= { now: groupsOf(namesOfTree(root, '')), before: groupsOf(namesOfLayers(lowers)) };
    return groups.now.get(keyOf(now.stat)) !== groups.before.get(keyOf(before.stat));
  };
}

function groupsOf(files: Iterable<readonly [ByteString, BigIntStats]>): Groups {
  const names = new Map<string, ByteString[]>();
  for (const [name, stat] of files) {
    const key = keyOf(stat);
    names.set(key, [...(names.get(key) ?? []), name]);
  }
  const several = [...names].filter(([, list]) => list.length > 1);
  return new Map(several.map(([key, list]) => [key, list.sort().join('\0')]));
}

type Named = readonly [ByteString, BigIntStats];

/** Files that may have other names. */
function* namesOfTree(root: ByteString, below: ByteString): Generator<Named> {
  for (const base of readdirSync(toPath(`${root}${below}/`), { encoding: 'latin1' })) {
    const name = `${below}/${base}`;
    const stat = lstatSync(toPath(root + name), { bigint: true });
    if (stat.isDirectory()) yield* namesOfTree(root, name);
    else if (stat.nlink > 1n) yield [name, stat];
  }
}

function* namesOfLayers(lowers: readonly ByteString[]): Generator<Named> {
  const view = new LowerView();
  yield* namesBelow(view, view.root(lowers), '');
}

function* namesBelow(view: LowerView, parent: Lower | undefined, below: ByteString): Generator<Named> {
  for (const base of view.names(parent)) {
    const found = view.find(parent, base);
    const name = `${below}/${base}`;
    if (found?.stat.isDirectory()) yield* namesBelow(view, found, name);
    else if (found && found.stat.nlink > 1n) yield [name, found.stat];
  }
}
