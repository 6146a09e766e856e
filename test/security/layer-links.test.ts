// run as: ranges, single, root

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { applyLayer, type LayerScene, openLayerScene } from '../support/layer-scene.ts';
import { requires } from '../support/requires.ts';
import { archive, char, dir, fifo, file, hardlink, pax, symlink } from '../support/tar-bytes.ts';

/** CVE-2026-23745, CVE-2026-26960, CVE-2026-24842 and the like: links out of the layer, alone, in chains, as parents, as targets. */
const test = requires(suite<{ scene: LayerScene }>('security: links in layers'), 'userns');

test.before.each(async context => {
  context.scene = await openLayerScene();
});

test('symbolic links keep their text, wherever they lead', async ({ scene }) => {
  const targets = [
    '/bin/busybox',
    '../../../etc/passwd',
    scene.canary.dir,
    '.',
    '..',
    '/',
    'a b',
    '\xff',
    'x'.repeat(1000),
  ];
  const parts = targets.map((target, i) => Buffer.concat([pax({ linkpath: target }), symlink(`l${i}`, 'x')]));
  const { tree, error } = await applyLayer(scene, archive(...parts));
  assert.is(error, undefined, error?.message);
  assert.is(tree.l0?.link, '/bin/busybox');
  assert.is(tree.l1?.link, '../../../etc/passwd');
  assert.is(tree.l8?.link, 'x'.repeat(1000));
  scene.canary.assertUntouched();
});

test('nothing is written through a link in the last place: the link is replaced', async ({ scene }) => {
  const target = `${scene.canary.dir}/file`;
  const entries = [file('x', 'evil'), dir('x'), symlink('x', 'y'), fifo('x'), char('x', 1, 3)];
  for (const bytes of entries) {
    const { tree, error } = await applyLayer(
      scene,
      archive(file('inner', 'kept'), symlink('x', target), bytes),
    );
    assert.is(error, undefined, error?.message);
    assert.is.not(tree.x?.link, target);
    scene.canary.assertUntouched();
    const again = await applyLayer(scene, archive(file('inner', 'kept'), symlink('x', 'inner'), bytes));
    assert.is(again.tree.inner?.size, 4, 'the target inside is as it was');
    assert.is(again.tree.inner?.type, 'f');
  }
});

test('a link among the parents leads at most to the top of the layer', async ({ scene }) => {
  const { dir: canary } = scene.canary;
  for (const target of [canary, `../../../../../../../..${canary}`, `//..//..${canary}`]) {
    const { tree, error } = await applyLayer(
      scene,
      archive(symlink('out', target), file('out/file', 'evil!'), file('out/new/x', 'y')),
    );
    assert.is(error, undefined, error?.message);
    assert.is(tree[`${canary.slice(1)}/file`]?.size, 5);
    scene.canary.assertUntouched();
  }
});

test('a link among the parents that stays inside is followed, as with docker', async ({ scene }) => {
  const { tree } = await applyLayer(
    scene,
    archive(dir('usr/lib'), symlink('lib', 'usr/lib'), file('lib/x', '1'), file('/lib/y/z', '2')),
  );
  assert.is(tree['usr/lib/x']?.type, 'f');
  assert.is(tree['usr/lib/y/z']?.type, 'f');
  assert.is(tree.lib?.type, 'l');
});

test('links in circles end with an error that names the entry', async ({ scene }) => {
  const { error } = await applyLayer(
    scene,
    archive(symlink('a', 'b'), symlink('b', 'a'), file('a/deep/x', '1')),
  );
  assert.is(error?.code, 'LAYER');
  assert.match(error?.message ?? '', /"a\/deep\/x".*too many symbolic links/);
});

test('hard links to what the layer does not have are refused', async ({ scene }) => {
  const { dir: canary } = scene.canary;
  const targets = [
    '/etc/passwd',
    `${canary}/file`,
    '../../../etc/passwd',
    'none',
    '/',
    '.',
    '',
    'a/b',
    '/proc/self/exe',
  ];
  for (const target of targets) {
    const { error } = await applyLayer(scene, archive(dir('a'), hardlink('x', target)));
    assert.is(error?.code, 'LAYER', target);
    assert.match(error?.message ?? '', /entry "x"/);
    scene.canary.assertUntouched();
  }
});

test('a hard link does not reach through symbolic links, also not through a chain of them', async ({
  scene,
}) => {
  const { dir: canary } = scene.canary;
  const chains = [
    [symlink('out', canary), hardlink('x', 'out/file')],
    [symlink('a', '..'), symlink('a/b', '..'), hardlink('x', 'a/b/file')],
    [dir('d'), symlink('d/up', '../..'), symlink('c', 'd/up'), hardlink('x', 'c/canary/file')],
    [dir('d'), file('d/f', 'x'), symlink('l', 'd'), hardlink('x', 'l/f')],
    [dir('d'), file('d/f', 'x'), file('d/g', 'y'), symlink('l', 'd'), file('l/h', 'z'), hardlink('x', 'l/f')],
  ];
  for (const parts of chains) {
    const { error } = await applyLayer(scene, archive(...parts));
    assert.is(error?.code, 'LAYER');
    scene.canary.assertUntouched();
  }
});

test('a hard link to a symbolic link is another name of the link, not of its target', async ({ scene }) => {
  const target = `${scene.canary.dir}/file`;
  const { tree, error } = await applyLayer(
    scene,
    archive(symlink('l', target), hardlink('x', 'l'), file('y', '1'), hardlink('z', './y')),
  );
  assert.is(error, undefined, error?.message);
  assert.is(tree.x?.link, target);
  assert.is(tree.x?.inode, tree.l?.inode);
  assert.is(tree.z?.inode, tree.y?.inode);
  // Replacing one name leaves the other.
  const again = await applyLayer(scene, archive(symlink('l', target), hardlink('x', 'l'), file('x', 'evil')));
  assert.is(again.tree.x?.type, 'f');
  assert.is(again.tree.l?.link, target);
  scene.canary.assertUntouched();
});

test('a file written under one name of several replaces that name alone', async ({ scene }) => {
  const { tree } = await applyLayer(
    scene,
    archive(file('a', 'first'), hardlink('b', 'a'), file('b', 'second one')),
  );
  assert.is(tree.a?.size, 5);
  assert.is(tree.b?.size, 10);
});

test('hard links to directories, removals and itself', async ({ scene }) => {
  for (const parts of [
    [dir('d'), hardlink('x', 'd')],
    [file('.wh.gone'), hardlink('x', 'gone')],
    [file('x', '1'), hardlink('x', 'x')],
    [file('d/x', '1'), hardlink('d', 'd/x')],
  ]) {
    const { error } = await applyLayer(scene, archive(...parts));
    assert.is(error?.code, 'LAYER');
  }
});

test('a directory that turns into a link and back', async ({ scene }) => {
  const { dir: canary } = scene.canary;
  const { tree, error } = await applyLayer(
    scene,
    archive(
      dir('d'),
      file('d/a', '1'),
      symlink('d', canary),
      dir('d'),
      file('d/file', 'mine'),
      symlink('d/sub', canary),
      file('d/sub/file', 'mine'),
    ),
  );
  assert.is(error, undefined, error?.message);
  assert.is(tree['d/file']?.size, 4);
  assert.is(tree['d/a'], undefined);
  scene.canary.assertUntouched();
});

test('a file among the parents is refused', async ({ scene }) => {
  for (const first of [file('a', 'x'), fifo('a'), char('a', 1, 3)]) {
    const { error } = await applyLayer(scene, archive(first, file('a/b', 'x')));
    assert.is(error?.code, 'LAYER');
    assert.match(error?.message ?? '', /"a\/b".*not a directory/);
  }
});

test.run();
