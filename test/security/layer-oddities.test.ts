// run as: ranges

import { readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { applyLayer, type LayerScene, leftovers, openLayerScene } from '../support/layer-scene.ts';
import { requires } from '../support/requires.ts';
import {
  archive,
  base256,
  char,
  dir,
  entry,
  fifo,
  file,
  gnuLong,
  hardlink,
  header,
  pax,
  paxRecord,
  symlink,
} from '../support/tar-bytes.ts';
import { within } from '../support/within.ts';

/** Records that contradict each other, entries that come again as something else, numbers that cannot be. */
const test = requires(suite<{ scene: LayerScene }>('security: odd archives'), 'userns');

test.before.each(async context => {
  context.scene = await openLayerScene();
});

async function refused(scene: LayerScene, message: RegExp, ...parts: Buffer[]): Promise<void> {
  const { error } = await within(30_000, applyLayer(scene, archive(...parts)));
  assert.is(error?.code, 'LAYER', error?.message);
  assert.match(error?.message ?? '', message);
  assert.equal(leftovers(scene), []);
  scene.canary.assertUntouched();
}

test('PAX records with NUL, without end, out of order, of megabytes', async ({ scene }) => {
  const raw = (text: string) => pax(Buffer.from(text, 'latin1'));
  const canary = scene.canary.dir;
  const cases: Array<[Buffer, RegExp]> = [
    [pax({ path: `a\0/../../..${canary}/file` }), /path contains a NUL/],
    [pax({ linkpath: 'a\0b' }), /linkpath contains a NUL/],
    [pax({ 'pa\0th': 'x' }), /key contains a NUL/],
    [pax({ 'SCHILY.xattr.a\0b': 'x' }), /key contains a NUL/],
    [raw('9999999 path=x\n'), /longer than the header/],
    [raw('5 path=x\n'), /does not end|longer/],
    [raw('-9 path=x\n'), /does not begin with its length/],
    [raw('0 path=x\n'), /does not begin with its length/],
    [raw('99999999999999999999 path=x\n'), /does not begin with its length/],
    [raw('10 path=x'), /malformed PAX/],
    [raw('7 =abc\n'), /has no key/],
    [pax({ size: '-1' }), /size is not a number/],
    [pax({ size: '1e3' }), /size is not a number/],
    [pax({ uid: '4294967295' }), /is not an id/],
    [pax({ mtime: 'now' }), /mtime is not a time/],
    [header({ name: 'x', type: 'x', size: 2 << 20 }), /at most 1048576 are read/],
    [header({ name: 'x', type: 'x', size: base256(-1n, 12) }), /extended header of/],
    [header({ name: 'x', type: 'L', size: 1 << 30 }), /at most 1048576 are read/],
    [header({ name: 'x', type: 'g', size: 2 << 20 }), /at most 1048576 are read/],
  ];
  for (const [bytes, message] of cases) await refused(scene, message, bytes, file('a', 'x'));
  const cut = await applyLayer(scene, pax({ path: 'x' }));
  assert.match(cut.error?.message ?? '', /truncated/);
});

test('tens of thousands of records in one header are read in no time', async ({ scene }) => {
  const records = Array.from({ length: 35_000 }, (_, i) => paxRecord(`SCHILY.xattr.user.${i}`, ''));
  const { error, record } = await within(
    60_000,
    applyLayer(scene, archive(pax(Buffer.concat(records)), file('f', 'x'))),
  );
  assert.is(error, undefined, error?.message);
  assert.ok((record?.reduced.xattrs ?? 0) > 30_000, 'the disk holds few of them');
});

test('records that contradict the header, a long name, or each other: the one that counts decides what is checked', async ({
  scene,
}) => {
  const up = `../../../../../..${scene.canary.dir}/file`;
  await refused(
    scene,
    /"\.\."/,
    pax(Buffer.concat([paxRecord('path', 'good'), paxRecord('path', up)])),
    file('x', 'y'),
  );
  await refused(scene, /"\.\."/, pax({ path: 'good' }), gnuLong('L', up), file('x', 'y'));
  await refused(
    scene,
    /"\.\."/,
    pax({ 'GNU.sparse.name': up, 'GNU.sparse.size': '1', 'GNU.sparse.map': '0,1' }),
    file('x', 'y'),
  );
  const { tree, error } = await applyLayer(
    scene,
    archive(
      pax(Buffer.concat([paxRecord('path', up), paxRecord('path', 'last')])),
      file('plain', 'x'),
      pax({ size: '4' }),
      file('sized', 'text', { size: 2 }),
      pax({ size: '100' }),
      symlink('link', 'target'),
      pax({ path: up }, 'g'),
      file('global', 'x'),
    ),
  );
  assert.is(error, undefined, error?.message);
  assert.is(tree.last?.size, 1);
  assert.is(tree.sized?.size, 4, 'the record is right, the header wrong');
  assert.is(tree.link?.link, 'target', 'a link has no body, whatever is said');
  assert.is(tree.global?.size, 1, 'a global path is not taken');
  scene.canary.assertUntouched();
});

test('every kind of entry over every other kind of the same name', async ({ scene }) => {
  const target = `${scene.canary.dir}/file`;
  const kinds: Record<string, (name: string) => Buffer> = {
    f: name => file(name, 'body'),
    d: name => dir(name),
    l: name => symlink(name, target),
    p: name => fifo(name),
    device: name => char(name, 1, 3),
    hard: name => hardlink(name, 'base'),
    tree: name => Buffer.concat([dir(name), file(`${name}/inner`, 'x'), symlink(`${name}/out`, '/')]),
  };
  const parts: Buffer[] = [file('base', 'base')];
  const expected = new Map<string, string>();
  for (const [first, a] of Object.entries(kinds))
    for (const [second, b] of Object.entries(kinds)) {
      const name = `${first}-${second}`;
      parts.push(a(name), b(name));
      expected.set(name, { d: 'd', tree: 'd', l: 'l', p: 'p' }[second] ?? 'f');
    }
  const { tree, error } = await applyLayer(scene, archive(...parts));
  assert.is(error, undefined, error?.message);
  for (const [name, type] of expected) assert.is(tree[name]?.type, type, name);
  assert.is(tree.base?.size, 4);
  scene.canary.assertUntouched();
});

test('numbers: octal that overflows, base 256 of any sign, letters', async ({ scene }) => {
  const fields = [
    '77777777777\0',
    '888\0',
    '0x10',
    '-1',
    base256(2n ** 63n - 1n, 12),
    base256(-1n, 12),
    base256(-(2n ** 62n), 12),
  ];
  for (const size of fields) await refused(scene, /./, header({ name: 'a', size }), Buffer.alloc(512));
  for (const uid of ['-1', '0x10', '1 1', base256(-1n, 8), base256(2n ** 40n, 8), '9'])
    await refused(scene, /./, entry({ name: 'a', uid }, ''));
  for (const major of [base256(-1n, 8), base256(2n ** 40n, 8), 0o7777777]) {
    const { error } = await applyLayer(scene, archive(entry({ name: 'a', type: '4', major, minor: major })));
    assert.ok(error === undefined || error.code === 'LAYER', error?.message);
  }
});

test('types that no layer has', async ({ scene }) => {
  for (const type of ['V', 'M', 'N', 'D', 'A', 'X', '8', '\xff', ' '])
    await refused(scene, /do not belong in a layer/, entry({ name: 'a', type }));
});

test('what is stored is out of reach for other users of the machine, setuid or not', async ({ scene }) => {
  const capability = Buffer.from('0100000200040000000000000000000000000000', 'hex');
  const { root, error } = await applyLayer(
    scene,
    archive(
      file('su', '#!', { mode: 0o6777 }),
      pax({ 'SCHILY.xattr.security.capability': capability }),
      file('ping', '#!', { mode: 0o777 }),
    ),
  );
  assert.is(error, undefined, error?.message);
  assert.ok(statSync(join(root, 'ping')).isFile());
  const store = scene.engine.paths.root;
  const closed = [];
  for (let path = dirname(root); path.startsWith(store); path = dirname(path))
    if ((statSync(path).mode & 0o007) === 0) closed.push(path);
  assert.ok(closed.includes(store), 'the store itself lets nobody else in');
  assert.is(statSync(store).mode & 0o077, 0);
  assert.match(readFileSync(join(dirname(root), 'layer.json'), 'utf8'), /"version"/);
});

test.run();
