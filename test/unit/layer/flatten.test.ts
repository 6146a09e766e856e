import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { flatten } from '../../../src/layer/flatten.ts';
import { makeWhiteout } from '../../../src/sys/mknod.ts';
import { getXattr, setXattr } from '../../../src/sys/xattr.ts';

/** Layers as the applier leaves them on the disk, made by hand; owners are this user's. */
const test = suite<{ dir: string; layer(name: string, files?: Record<string, string>): string; out: string }>(
  'layer/flatten',
);

test.before.each(context => {
  context.dir = mkdtempSync(join(tmpdir(), 'tsbox-flatten-'));
  context.out = join(context.dir, 'out');
  context.layer = (name, files = {}) => {
    const root = join(context.dir, name);
    mkdirSync(root, { recursive: true });
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), text);
    }
    return root;
  };
});
test.after.each(({ dir }) => {
  execFileSync('chmod', ['-R', 'u+rwx', dir]);
  rmSync(dir, { recursive: true, force: true });
});

const read = (...parts: string[]): string => readFileSync(join(...parts), 'utf8');

test('upper files replace lower ones, directories join', ({ layer, out }) => {
  flatten([layer('a', { 'd/x': '1', 'd/y': '1' }), layer('b', { 'd/y': '2', 'd/z': '2' })], out);
  assert.equal(
    readdirSync(join(out, 'd')).map(n => n + read(out, 'd', n)),
    ['x1', 'y2', 'z2'],
  );
});

test('no layers, an empty directory', ({ out }) => {
  flatten([], out);
  assert.equal(readdirSync(out), []);
  assert.is(statSync(out).mode & 0o777, 0o755);
});

test('a target that exists is refused', ({ layer, out }) => {
  mkdirSync(out);
  assert.throws(() => flatten([layer('a')], out), /EEXIST/);
});

test('removals: device, the archive’s own mark, opaque directories of both kinds', ({ layer, out }) => {
  const a = layer('a', { one: '', 'two/x': '', 'three/x': '', 'four/x': '', kept: '' });
  const b = layer('b', { '.wh.two': '', 'three/y': '', 'four/y': '', 'four/.wh..wh..opq': '' });
  makeWhiteout(join(b, 'one'));
  setXattr(join(b, 'three'), 'user.overlay.opaque', Buffer.from('y'));
  flatten([a, b], out);
  assert.equal(readdirSync(out).sort(), ['four', 'kept', 'three']);
  assert.equal(readdirSync(join(out, 'three')), ['y']);
  assert.equal(readdirSync(join(out, 'four')), ['y']);
  assert.is(
    getXattr(join(out, 'three'), 'user.overlay.opaque'),
    undefined,
    'the mark itself is no part of the result',
  );
});

test('a removal of nothing, and one that comes back', ({ layer, out }) => {
  const [a, b] = [layer('a', { x: '1' }), layer('b')];
  makeWhiteout(join(b, 'x'));
  makeWhiteout(join(b, 'never'));
  flatten([a, b, layer('c', { x: '3' })], out);
  assert.equal(readdirSync(out), ['x']);
  assert.is(read(out, 'x'), '3');
});

test('a file becomes a directory and the other way round', ({ layer, out }) => {
  flatten([layer('a', { x: '', 'y/in': '' }), layer('b', { 'x/in': 'b', y: 'b' })], out);
  assert.is(read(out, 'x/in') + read(out, 'y'), 'bb');
});

test('a link in a lower layer leads nowhere', ({ dir, layer, out }) => {
  const outside = layer('outside', { f: 'safe' });
  const a = layer('a');
  symlinkSync(outside, join(a, 'd'));
  symlinkSync(join(outside, 'f'), join(a, 'f'));
  flatten([a, layer('b', { 'd/f': 'evil', f: 'evil' })], out);
  assert.is(read(outside, 'f'), 'safe');
  assert.ok(lstatSync(join(out, 'd')).isDirectory());
  assert.equal(readdirSync(dir).sort(), ['a', 'b', 'out', 'outside']);
});

test('links, modes, times, attributes, FIFOs and names of any bytes', ({ layer, out }) => {
  const a = layer('a', { 'd/f': 'x', g: '' });
  linkSync(join(a, 'd/f'), join(a, 'again'));
  symlinkSync('../no/where', join(a, 'd/link'));
  chmodSync(join(a, 'g'), 0o6751);
  chmodSync(join(a, 'd'), 0o1500);
  setXattr(join(a, 'g'), 'user.mine', Buffer.from([0, 255]));
  execFileSync('mkfifo', ['-m', '620', join(a, 'fifo')]);
  const odd = Buffer.concat([Buffer.from(`${a}/`), Buffer.from([0xff, 0xfe])]);
  writeFileSync(odd, 'odd');
  utimesSync(join(a, 'g'), 1, 2.5);
  utimesSync(join(a, 'd/f'), new Date(0), new Date(-1500));
  utimesSync(join(a, 'd'), 1, 3);
  flatten([a], out);
  assert.is(statSync(join(out, 'again')).ino, statSync(join(out, 'd/f')).ino);
  assert.is(readlinkSync(join(out, 'd/link')), '../no/where');
  assert.is(statSync(join(out, 'g')).mode & 0o7777, 0o6751);
  assert.is(statSync(join(out, 'd')).mode & 0o7777, 0o1500);
  assert.equal(getXattr(join(out, 'g'), 'user.mine'), Buffer.from([0, 255]));
  assert.ok(lstatSync(join(out, 'fifo')).isFIFO());
  assert.is(statSync(join(out, 'fifo')).mode & 0o777, 0o620);
  assert.is(statSync(join(out, 'g')).mtimeMs, 2500);
  assert.is(statSync(join(out, 'd')).mtimeMs, 3000);
  assert.is(statSync(join(out, 'again')).mtimeMs, -1500);
  assert.ok(existsSync(Buffer.concat([Buffer.from(`${out}/`), Buffer.from([0xff, 0xfe])])));
});

test('a copy is its own: writing to it leaves the layer alone', ({ layer, out }) => {
  const a = layer('a', { f: 'layer' });
  flatten([a], out);
  writeFileSync(join(out, 'f'), 'copy');
  assert.is(read(a, 'f'), 'layer');
});

test.run();
