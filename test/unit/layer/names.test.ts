import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { show, toPath } from '../../../src/layer/bytes.ts';
import { isReservedXattr, isWhiteout } from '../../../src/layer/marks.ts';
import { placeOf } from '../../../src/layer/names.ts';
import { formatOverrideStat, parseOverrideStat } from '../../../src/layer/override-stat.ts';

const test = suite('layer: names');

test('where an entry goes', () => {
  const cases: Array<[string, string[], string]> = [
    ['a', [], 'a'],
    ['./a', [], 'a'],
    ['/a', [], 'a'],
    ['//a//b/', ['a'], 'b'],
    ['a/./b/c', ['a', 'b'], 'c'],
    ['', [], ''],
    ['.', [], ''],
    ['./', [], ''],
    ['/', [], ''],
    ['/.', [], ''],
    ['..a', [], '..a'],
    ['a../b..', ['a..'], 'b..'],
    ['...', [], '...'],
    ['C:..\\..\\x', [], 'C:..\\..\\x'],
    ['a/.whx', ['a'], '.whx'],
  ];
  for (const [name, parents, base] of cases) {
    assert.equal(placeOf(name), { parents, base, whiteout: undefined }, name);
  }
});

test('".." is refused wherever it stands', () => {
  for (const name of [
    '..',
    '../a',
    '/..',
    'a/..',
    'a/../b',
    './..',
    'a/b/../../..',
    '..//a',
    'a/..//',
    '.wh.x/../y',
  ]) {
    assert.throws(
      () => placeOf(name),
      (e: Error & { code?: string }) => e.code === 'LAYER' && e.message.includes('".."'),
      name,
    );
  }
});

test('no name that passes can climb', () => {
  const parts = ['', '.', '..', 'a', '...', '.wh.a', '..a', 'b\\..'];
  for (const a of parts) {
    for (const b of parts) {
      for (const c of parts) {
        const name = [a, b, c].join('/');
        try {
          const place = placeOf(name);
          const all = [...place.parents, place.base];
          assert.not.ok(all.includes('..') || all.includes('.') || all.some(p => p.includes('/')), name);
          assert.not.ok(place.parents.includes(''), name);
        } catch (error) {
          assert.is((error as { code?: string }).code, 'LAYER', name);
        }
      }
    }
  }
});

test('whiteouts', () => {
  assert.equal(placeOf('a/.wh.b').whiteout, { kind: 'remove', name: 'b' });
  assert.equal(placeOf('a/.wh..wh..opq').whiteout, { kind: 'opaque' });
  for (const name of ['.wh.', '.wh..', '.wh...', '.wh..wh.aufs', '.wh..wh.plnk/1.2', 'a/.wh..wh.orph/x/y']) {
    assert.equal(placeOf(name).whiteout, { kind: 'ignore' }, name);
  }
  assert.throws(() => placeOf('.wh.dir/file'), /named like a whiteout/);
  assert.throws(() => placeOf('a/.wh.dir/b/c'), /named like a whiteout/);
});

test('a name is shown so that a terminal does not obey it', () => {
  assert.is(show('plain'), '"plain"');
  assert.is(show('caf\xc3\xa9'), '"café"');
  assert.is(show('\x1b[31m\n\x07'), '"\\u001b[31m\\n\\u0007"');
  assert.is(show('a\x7f'), '"a\\u007f"');
  assert.is(show(Buffer.from('\u202eevil\u009b').toString('latin1')), '"\\u202eevil\\u009b"');
  assert.ok(show('x'.repeat(5000)).length < 210);
});

test('paths keep their bytes', () => {
  assert.is(toPath('/usr/bin'), '/usr/bin');
  assert.equal(toPath('/\xff\xe9'), Buffer.from([0x2f, 0xff, 0xe9]));
});

test('override_stat is written and read back', () => {
  assert.is(formatOverrideStat({ uid: 0, gid: 5, mode: 0o755, kind: 'file' }), '0:5:0755:file');
  assert.is(
    formatOverrideStat({ uid: 70000, gid: 1, mode: 0o4755, kind: 'char-1-3' }),
    '70000:1:4755:char-1-3',
  );
  for (const stat of [
    { uid: 4294967294, gid: 0, mode: 0, kind: 'dir' },
    { uid: 1, gid: 2, mode: 0o7777, kind: 'block-8-0' },
  ]) {
    assert.equal(parseOverrideStat(formatOverrideStat(stat)), stat);
  }
  assert.equal(parseOverrideStat('1:2:0644'), { uid: 1, gid: 2, mode: 0o644, kind: '' });
  assert.equal(parseOverrideStat('1:2:100755:file')?.mode, 0o755);
  for (const text of [
    '',
    '1:2',
    'a:b:c',
    '1:2:9',
    '-1:2:0644:file',
    '1:2:0644:file:x',
    '1:2:0644:FILE',
    '1:2:0644:char-1',
  ]) {
    assert.is(parseOverrideStat(text), undefined, text);
  }
});

test('attributes that steer drivers never come from an archive', () => {
  for (const name of [
    'user.overlay.opaque',
    'user.overlay.redirect',
    'trusted.overlay.metacopy',
    'user.containers.override_stat',
    'user.fuseoverlayfs.opaque',
    'security.fuseoverlayfs.override_stat',
    'user.rootlesscontainers',
  ]) {
    assert.ok(isReservedXattr(name), name);
  }
  for (const name of [
    'user.mine',
    'security.capability',
    'user.overlays',
    'user.containersx',
    'system.posix_acl_access',
  ]) {
    assert.not.ok(isReservedXattr(name), name);
  }
});

test('a whiteout is the device 0:0 and no other', () => {
  const stat = (isChar: boolean, rdev: number) => ({ rdev, isCharacterDevice: () => isChar });
  assert.ok(isWhiteout(stat(true, 0)));
  assert.not.ok(isWhiteout(stat(true, 259)));
  assert.not.ok(isWhiteout(stat(false, 0)));
});

test.run();
