import { linkSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { changesOf } from '../../../src/layer/changes.ts';
import { differsForDiff } from '../../../src/layer/differs.ts';
import type { TarEntry } from '../../../src/layer/entry.ts';
import { OVERRIDE_STAT } from '../../../src/layer/override-stat.ts';
import { packTree } from '../../../src/layer/pack.ts';
import type { WhiteoutNames } from '../../../src/layer/pack-items.ts';
import { TarReader } from '../../../src/layer/tar-reader.ts';
import { setXattr } from '../../../src/sys/xattr.ts';

const test = suite<{ dir: string }>('layer/pack');
test.before.each(context => {
  context.dir = mkdtempSync(join(tmpdir(), 'tsbox-pack-'));
});
test.after.each(({ dir }) => rmSync(dir, { recursive: true }));

/** As in single mode: nobody but 0 exists, which is us. */
const ownership = {
  holdsUid: (id: number) => id === 0,
  holdsGid: (id: number) => id === 0,
  keepSetuid: false,
};

function packed(dir: string, whiteoutNames: WhiteoutNames, removals = true): TarEntry[] {
  const entries: TarEntry[] = [];
  const reader = new TarReader({ entry: entry => void entries.push(entry), data() {}, end() {} });
  for (const piece of packTree(dir, { ownership, removals, whiteoutNames })) reader.push(piece);
  reader.finish();
  // The root: its mode and owner are those of any temporary directory.
  return entries.filter(entry => entry.name !== './');
}

const names = (entries: readonly TarEntry[]): string[] => entries.map(entry => entry.name);

/** Makes files; a path that ends in a slash is a directory. */
function make(dir: string, ...paths: string[]): void {
  for (const path of paths) {
    mkdirSync(join(dir, path, path.endsWith('/') ? '.' : '..'), { recursive: true });
    if (!path.endsWith('/')) writeFileSync(join(dir, path), path);
    if (!path.endsWith('/')) utimesSync(join(dir, path), 1, 1);
  }
}

test('sorted by bytes, parents first, directories end in a slash', ({ dir }) => {
  make(dir, 'b/z', 'b/a', 'b.x', 'a/');
  assert.equal(names(packed(dir, 'refuse')), ['a/', 'b/', 'b/a', 'b/z', 'b.x']);
});

test('the second name of a file is a hard link, of a link too', ({ dir }) => {
  make(dir, 'a');
  linkSync(join(dir, 'a'), join(dir, 'b'));
  symlinkSync('nowhere', join(dir, 'c'));
  linkSync(join(dir, 'c'), join(dir, 'd'));
  const told = packed(dir, 'refuse').map(({ name, type, link }) => `${name} ${type} ${link}`);
  assert.equal(told, ['a file ', 'b hardlink a', 'c symlink nowhere', 'd hardlink c']);
});

test('marks of fuse-overlayfs are removals, in a plain tree they are files', ({ dir }) => {
  make(dir, 'd/.wh..wh..opq', 'd/.wh..opq', 'd/x', '.wh.gone', '.wh.there', 'there/');
  assert.equal(names(packed(dir, 'marks')), ['.wh.gone', 'd/', 'd/.wh..wh..opq', 'd/x', 'there/']);
  assert.is(packed(dir, 'files', false).length, 7);
});

for (const name of ['.wh.x', 'd/.wh.x', '.wh..wh..opq', '.wh.'])
  test(`a file of the container named ${name} is refused`, ({ dir }) => {
    make(dir, name);
    assert.throws(() => packed(dir, 'refuse'), /cannot be kept in a layer/);
  });

test('a directory named like a mark is none', ({ dir }) => {
  make(dir, '.wh.x/');
  assert.throws(() => packed(dir, 'marks'), /cannot be kept in a layer/);
});

test('recorded modes and devices come back as long as the disk agrees', ({ dir }) => {
  make(dir, 'same', 'changed', 'device', 'damaged');
  writeFileSync(join(dir, 'device'), '');
  const record = (name: string, text: string) => setXattr(join(dir, name), OVERRIDE_STAT, Buffer.from(text));
  record('same', '33:44:6644:file');
  record('changed', '33:44:0755:file');
  record('device', '0:6:0644:char-1-3');
  record('damaged', 'nonsense');
  const told = packed(dir, 'refuse').map(e =>
    [e.name, e.type, e.mode.toString(8), e.major, e.minor].join(' '),
  );
  assert.equal(told, [
    'changed file 644 0 0',
    'damaged file 644 0 0',
    'device char 644 1 3',
    'same file 6644 0 0',
  ]);
});

/** What is told of a whole tree (as vfs has it) over layers, the top one first. */
function changes(dir: string, tree: string, ...layers: string[]): string[] {
  const differs = differsForDiff(false);
  const roots = layers.map(layer => join(dir, layer));
  return [...changesOf(join(dir, tree), roots, { differs, whole: true, marks: false })].map(
    ({ kind, name }) => `${kind} ${name}`,
  );
}

test('changes of a tree against a stack of layers with removals', ({ dir }) => {
  make(
    dir,
    'low/a/x',
    'low/a/y',
    'low/b/z',
    'low/c',
    'top/a/.wh.x',
    'top/b/.wh..wh..opq',
    'top/b/new',
    'top/d',
  );
  make(dir, 'tree/a/y', 'tree/b/new', 'tree/c', 'tree/d');
  for (const path of ['a/y', 'c']) writeFileSync(join(dir, 'tree', path), `low/${path}`);
  for (const path of ['b/new', 'd']) writeFileSync(join(dir, 'tree', path), `top/${path}`);
  for (const path of ['a/y', 'c', 'b/new', 'd']) utimesSync(join(dir, 'tree', path), 1, 1);
  assert.equal(changes(dir, 'tree', 'top', 'low'), []);
  make(dir, 'tree/a/n/m', 'tree/b/z');
  rmSync(join(dir, 'tree/c'));
  assert.equal(changes(dir, 'tree', 'top', 'low'), ['C a', 'A a/n', 'A a/n/m', 'C b', 'A b/z', 'D c']);
});

test.run();
