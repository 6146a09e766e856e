// run as: ranges, single, root

import { readFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { getXattr } from '../../src/sys/xattr.ts';
import { applyLayer, inside, type LayerScene, openLayerScene } from '../support/layer-scene.ts';
import { requires } from '../support/requires.ts';
import { archive, char, dir, entry, fifo, file, pax, symlink } from '../support/tar-bytes.ts';

/** Owners, modes, times, attributes, devices: as the archive says, recorded where the disk cannot, never more than the user may. */
const test = requires(suite<{ scene: LayerScene }>('security: owners and attributes in layers'), 'userns');

test.before.each(async context => {
  context.scene = await openLayerScene();
});

const OVERRIDE = 'user.containers.override_stat';
const attribute = (path: string, name: string) => getXattr(path, name)?.toString();

test('modes, times and contents', async ({ scene }) => {
  const { root, tree, record } = await applyLayer(
    scene,
    archive(
      dir('d', { mode: 0o1777, mtime: 111 }),
      file('d/f', 'text', { mode: 0o640, mtime: 222 }),
      file('d/x', '', { mode: 0o111, mtime: 333 }),
      symlink('d/l', 'f', { mtime: 444 }),
      fifo('d/p', { mode: 0o620, mtime: 555 }),
      pax({ mtime: '666.123456789' }),
      file('fraction'),
      dir('none', { mode: 0 }),
      file('none/inner', 'x'),
    ),
  );
  const modes = Object.fromEntries(
    Object.entries(tree).map(([path, node]) => [path, `${node.type}${node.mode}`]),
  );
  assert.equal(modes, {
    '': 'd755',
    d: 'd1777',
    'd/f': 'f640',
    'd/x': 'f111',
    'd/l': 'l777',
    'd/p': 'p620',
    fraction: 'f644',
    none: 'd0',
    'none/inner': 'f644',
  });
  const times = ['d', 'd/f', 'd/x', 'd/l', 'd/p'].map(path => Number.parseInt(tree[path]?.mtime ?? '', 10));
  assert.equal(times, [111, 222, 333, 444, 555]);
  assert.match(tree.fraction?.mtime ?? '', /^666\.123456789/);
  assert.is(readFileSync(`${root}/d/f`, 'utf8'), 'text');
  assert.is(record?.entries, 8);
  assert.is(record?.size, 5);
});

test('owners are what the archive says, or are recorded', async ({ scene }) => {
  const { root, tree, record } = await applyLayer(
    scene,
    archive(
      file('mine', 'x'),
      file('other', 'x', { uid: 33, gid: 34 }),
      dir('cache', { uid: 100, gid: 0, mode: 0o700 }),
      file('far', 'x', { uid: 4_000_000_000, gid: 5 }),
      pax({ uid: '3000000000', gid: '3000000001' }),
      dir('fardir'),
      symlink('farlink', 'x', { uid: 4_000_000_000 }),
      fifo('farpipe', { uid: 4_000_000_000 }),
    ),
  );
  assert.is(tree.mine?.owner, '0:0');
  assert.is(tree.other?.owner, scene.single ? '0:0' : '33:34');
  assert.is(tree.cache?.owner, scene.single ? '0:0' : '100:0');
  assert.is(tree.far?.owner, scene.single ? '0:0' : '0:5');
  assert.is(attribute(`${root}/far`, OVERRIDE), '4000000000:5:0644:file');
  assert.is(attribute(`${root}/fardir`, OVERRIDE), '3000000000:3000000001:0755:dir');
  assert.is(attribute(`${root}/mine`, OVERRIDE), undefined);
  assert.is(record?.reduced.owners, scene.single ? 6 : 4);
});

test('setuid bits: kept below a private store, recorded where all files are the one user', async ({
  scene,
}) => {
  const { root, tree, record } = await applyLayer(
    scene,
    archive(
      file('su', 'x', { mode: 0o4755 }),
      file('sg', 'x', { mode: 0o2711, uid: 5 }),
      dir('d', { mode: 0o2775 }),
    ),
  );
  assert.equal(
    [tree.su?.mode, tree.sg?.mode, tree.d?.mode],
    scene.single ? ['755', '711', '775'] : ['4755', '2711', '2775'],
  );
  assert.is(attribute(`${root}/su`, OVERRIDE), scene.single ? '0:0:4755:file' : undefined);
  assert.is(record?.reduced.setuid, scene.single ? 3 : 0);
});

test('a replaced file does not pass its setuid bit on', async ({ scene }) => {
  const { tree } = await applyLayer(
    scene,
    archive(file('x', 'one', { mode: 0o4755 }), file('x', 'two', { mode: 0o644 })),
  );
  assert.is(tree.x?.mode, '644');
});

test('device nodes are empty files that say what they are', async ({ scene }) => {
  const { root, tree, record } = await applyLayer(
    scene,
    archive(
      char('dev/null', 1, 3, { mode: 0o666 }),
      entry({ name: 'dev/sda', type: '4', major: 8, minor: 0, mode: 0o660 }),
    ),
  );
  assert.equal([tree['dev/null']?.type, tree['dev/null']?.size, tree['dev/sda']?.type], ['f', 0, 'f']);
  assert.is(attribute(`${root}/dev/null`, OVERRIDE), '0:0:0666:char-1-3');
  assert.is(attribute(`${root}/dev/sda`, OVERRIDE), '0:0:0660:block-8-0');
  assert.is(record?.reduced.devices, 2);
});

test('attributes come through byte by byte', async ({ scene }) => {
  const value = Buffer.from([1, 0, 255, 10, 61]);
  const { root } = await applyLayer(
    scene,
    archive(
      pax({ 'SCHILY.xattr.user.mine': value }),
      file('f', 'x'),
      pax({ 'SCHILY.xattr.user.dir': 'd' }),
      dir('d'),
    ),
  );
  assert.equal(getXattr(`${root}/f`, 'user.mine'), value);
  assert.is(attribute(`${root}/d`, 'user.dir'), 'd');
});

test('file capabilities hold for the namespace of the user and no other', async ({ scene }) => {
  // VFS_CAP_REVISION_2 with the effective bit: cap_net_bind_service.
  const capability = Buffer.from('0100000200040000000000000000000000000000', 'hex');
  const { root, record } = await applyLayer(
    scene,
    archive(pax({ 'SCHILY.xattr.security.capability': capability }), file('ping', 'x', { mode: 0o755 })),
  );
  assert.is(record?.reduced.xattrs, 0);
  const seen = getXattr(`${root}/ping`, 'security.capability');
  // Outside, the kernel shows revision 3: with the id of whose namespace it counts in, which is not 0.
  if (process.geteuid?.() !== 0) assert.is(seen?.readUInt32LE(20), process.geteuid?.());
  else assert.is.not(seen?.readUInt32LE(20), 0);
});

test('attributes that steer overlays, or that nobody may set, are left out and counted', async ({
  scene,
}) => {
  const names = [
    'user.overlay.opaque',
    'user.overlay.redirect',
    'user.overlay.metacopy',
    'trusted.overlay.redirect',
    'user.containers.override_stat',
    'user.fuseoverlayfs.opaque',
    'trusted.mine',
    'nonsense',
    'user.',
  ];
  const records = Object.fromEntries(names.map(name => [`SCHILY.xattr.${name}`, 'y']));
  const { root, record, error } = await applyLayer(
    scene,
    archive(pax(records), dir('d'), pax(records), file('f', 'x')),
  );
  assert.is(error, undefined, error?.message);
  assert.is(record?.reduced.xattrs, 2 * names.length);
  for (const name of names.slice(0, 6)) {
    assert.is(getXattr(`${root}/d`, name), undefined, name);
    assert.is(getXattr(`${root}/f`, name), undefined, name);
  }
});

test('an attribute too large for the disk does not fail the layer', async ({ scene }) => {
  const { record, error } = await applyLayer(
    scene,
    archive(pax({ 'SCHILY.xattr.user.big': 'x'.repeat(70_000) }), file('f', 'x')),
  );
  assert.is(error, undefined, error?.message);
  assert.is(record?.reduced.xattrs, 1);
});

test('times that no clock shows', async ({ scene }) => {
  const { error, tree } = await applyLayer(
    scene,
    archive(
      pax({ mtime: '-100.5' }),
      file('before'),
      pax({ mtime: '999999999999999' }),
      file('after'),
      file('octal', '', { mtime: '77777777777\0' }),
    ),
  );
  assert.is(error, undefined, error?.message);
  assert.match(tree.before?.mtime ?? '', /^-(99|100|101)\.5/);
});

test('names and links of any bytes reach the disk as they are', async ({ scene }) => {
  const { root } = await applyLayer(
    scene,
    archive(file('caf\xe9', 'x'), symlink('l\xff', '\xfe'), dir('d\x80'), file('d\x80/\x01', 'y')),
  );
  const list = await inside(scene, '/usr/bin/find', [root, '-printf', '%P|']);
  // Node reads what find prints as UTF-8: what matters is that the names are there and are not what they would be if re-encoded.
  assert.is(list.split('|').length, 6);
  assert.not.match(list, /\u00e9|\u00ff/);
});

test.run();
