import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { removeAll } from '../../../src/layer/files.ts';
import { setTimesOf } from '../../../src/layer/metadata.ts';
import { makePlainDirectory, Walk } from '../../../src/layer/walk.ts';

const test = suite<{ root: string; walk: Walk }>('layer: walk');

test.before.each(context => {
  context.root = mkdtempSync(join(tmpdir(), 'tsbox-walk-'));
  context.walk = new Walk(context.root, { make: makePlainDirectory, setTimes: setTimesOf });
});
test.after.each(({ root }) => rmSync(root, { recursive: true }));

const enter = (walk: Walk, path: string) => walk.enter(path.split('/').filter(Boolean), path);

test('goes down and makes what is missing', ({ root, walk }) => {
  assert.is(enter(walk, 'a/b/c'), join(root, 'a/b/c'));
  assert.is(enter(walk, 'a/x'), join(root, 'a/x'));
  assert.is(enter(walk, ''), root);
  assert.ok(lstatSync(join(root, 'a/b/c')).isDirectory());
});

test('resolves links itself, below the root', ({ root, walk }) => {
  mkdirSync(join(root, 'usr/lib'), { recursive: true });
  const cases: Array<[string, string, string]> = [
    ['lib', 'usr/lib', 'usr/lib'],
    ['abs', '/usr/lib', 'usr/lib'],
    ['up', '../../../../usr', 'usr'],
    ['usr/lib/deep', '../../usr', 'usr'],
    ['out', '../../../../../../etc', 'etc'],
    ['dots', './usr/./lib/.', 'usr/lib'],
  ];
  for (const [name, target, where] of cases) {
    symlinkSync(target, join(root, name));
    assert.is(enter(walk, `${name}/made`), join(root, where, 'made'), `${name} -> ${target}`);
    assert.ok(existsSync(join(root, where, 'made')));
  }
  assert.not.ok(existsSync('/etc/made'));
});

test('a link through a link, and back up from behind it', ({ root, walk }) => {
  mkdirSync(join(root, 'real/inner'), { recursive: true });
  symlinkSync('real', join(root, 'one'));
  symlinkSync('one/inner', join(root, 'two'));
  symlinkSync('two/..', join(root, 'three'));
  assert.is(enter(walk, 'two/x'), join(root, 'real/inner/x'));
  // `..` after a link is the parent of where the link leads, not of where it stands.
  assert.is(enter(walk, 'three/y'), join(root, 'real/y'));
});

test('circles of links end', ({ root, walk }) => {
  symlinkSync('b', join(root, 'a'));
  symlinkSync('a', join(root, 'b'));
  symlinkSync('self/x', join(root, 'self'));
  for (const name of ['a/x', 'b/x', 'self/x'])
    assert.throws(() => enter(walk, name), /too many symbolic links/);
});

test('a file in the way is refused', ({ root, walk }) => {
  writeFileSync(join(root, 'file'), 'x');
  assert.throws(() => enter(walk, 'file/x'), /not a directory/);
});

test('targets of hard links lie behind real directories only', ({ root, walk }) => {
  mkdirSync(join(root, 'd/e'), { recursive: true });
  symlinkSync('d', join(root, 'l'));
  assert.is(walk.existing(['d', 'e', 'f'], ''), join(root, 'd/e/f'));
  for (const parts of [
    ['l', 'e', 'f'],
    ['l', 'f'],
    ['d', 'none', 'f'],
  ]) {
    assert.throws(() => walk.existing(parts, 'entry'), /not a directory/, parts.join('/'));
  }
  // Also when we stand in it at the time.
  enter(walk, 'd/e');
  assert.throws(() => walk.existing(['l', 'e', 'f'], 'entry'), /not a directory/);
});

test('directories have their times when we have left them', ({ root, walk }) => {
  mkdirSync(join(root, 'old'));
  utimesSync(join(root, 'old'), 1000, 1000);
  enter(walk, 'old/new');
  writeFileSync(join(root, 'old/another'), '');
  enter(walk, '');
  assert.is(lstatSync(join(root, 'old')).mtimeMs, 1_000_000);
  mkdirSync(join(root, 'made'));
  walk.push('made', { seconds: 5, nanoseconds: 123456789 });
  writeFileSync(join(root, 'made/file'), '');
  walk.finish();
  assert.is(lstatSync(join(root, 'made'), { bigint: true }).mtimeNs, 5_123_456_789n);
});

test('times before 1970 survive', ({ root }) => {
  mkdirSync(join(root, 'd'));
  setTimesOf(join(root, 'd'), { seconds: -10, nanoseconds: 250_000_000 });
  const walk = new Walk(root, { make: makePlainDirectory, setTimes: setTimesOf });
  enter(walk, 'd/x');
  enter(walk, '');
  assert.is(lstatSync(join(root, 'd'), { bigint: true }).mtimeNs, -9_750_000_000n);
});

test('trees are removed with names of any bytes, links are not followed', ({ root }) => {
  const outside = join(root, 'outside');
  mkdirSync(outside);
  writeFileSync(join(outside, 'kept'), 'x');
  mkdirSync(Buffer.concat([Buffer.from(join(root, 'tree/')), Buffer.from([0xff, 0xe9])]), {
    recursive: true,
  });
  symlinkSync(outside, join(root, 'tree/link'));
  writeFileSync(join(root, 'tree/file'), 'x');
  removeAll(join(root, 'tree'));
  removeAll(join(root, 'tree'));
  assert.not.ok(existsSync(join(root, 'tree')));
  assert.ok(existsSync(join(outside, 'kept')));
});

test.run();
