// run as: ranges, single, root

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { getXattr } from '../../src/sys/xattr.ts';
import { applyLayer, inside, type LayerScene, type Outcome, openLayerScene } from '../support/layer-scene.ts';
import { requires } from '../support/requires.ts';
import { archive, char, dir, file, symlink } from '../support/tar-bytes.ts';

/** Removals: what they may remove (names below, in the layers under this one) and what not (anything of this layer, anything else). */
const test = requires(suite<{ scene: LayerScene }>('security: whiteouts in layers'), 'userns');

test.before.each(async context => {
  context.scene = await openLayerScene();
});

/** A device 0:0, or where the kernel refuses it the archive's own mark. */
function isRemoved({ tree }: Outcome, path: string): boolean {
  const slash = path.lastIndexOf('/') + 1;
  const mark = `${path.slice(0, slash)}.wh.${path.slice(slash)}`;
  return tree[path]?.type === 'c' || tree[mark] !== undefined;
}

const isOpaque = ({ root, tree }: Outcome, path: string): boolean =>
  getXattr(`${root}/${path}`, 'user.overlay.opaque')?.toString() === 'y' ||
  tree[`${path}/.wh..wh..opq`] !== undefined;

test('a removal becomes a mark that both overlay drivers read', async ({ scene }) => {
  const out = await applyLayer(
    scene,
    archive(file('.wh.a'), file('d/.wh.b'), file('d/.wh.c', 'a body is of no use')),
  );
  assert.is(out.error, undefined, out.error?.message);
  for (const path of ['a', 'd/b', 'd/c']) assert.ok(isRemoved(out, path), path);
  const device = await inside(scene, '/usr/bin/stat', ['-c', '%t:%T', `${out.root}/a`]);
  assert.is(device.trim(), '0:0');
});

test('an opaque directory', async ({ scene }) => {
  const out = await applyLayer(
    scene,
    archive(dir('d'), file('d/.wh..wh..opq'), file('d/kept', 'x'), file('.wh..wh..opq')),
  );
  assert.ok(isOpaque(out, 'd'));
  assert.ok(isOpaque(out, ''), 'the root too');
  assert.is(out.tree['d/kept']?.type, 'f');
});

test('a removal does not touch what this layer has under the name', async ({ scene }) => {
  const out = await applyLayer(
    scene,
    archive(
      file('f', 'mine'),
      file('.wh.f'),
      dir('d'),
      file('d/x', 'mine'),
      file('.wh.d'),
      symlink('l', 'f'),
      file('.wh.l'),
    ),
  );
  assert.is(out.tree.f?.size, 4);
  assert.is(out.tree['d/x']?.size, 4);
  assert.ok(isOpaque(out, 'd'), 'but what lies below it is hidden');
  assert.is(out.tree.l?.link, 'f');
});

test('what comes after its removal is there, and hides what was removed', async ({ scene }) => {
  const out = await applyLayer(
    scene,
    archive(
      file('.wh.f'),
      file('f', 'new'),
      file('.wh.d'),
      dir('d'),
      file('.wh.e'),
      file('e/x', 'implied'),
      file('.wh.l'),
      symlink('l', 'x'),
    ),
  );
  assert.is(out.error, undefined, out.error?.message);
  assert.is(out.tree.f?.size, 3);
  assert.ok(isOpaque(out, 'd'));
  assert.ok(isOpaque(out, 'e'));
  assert.is(out.tree['e/x']?.type, 'f');
  assert.is(out.tree.l?.type, 'l');
});

test('a removal of nothing, of the directory or its parent removes nothing', async ({ scene }) => {
  const out = await applyLayer(
    scene,
    archive(
      file('d/.wh.'),
      file('d/.wh..'),
      file('d/.wh...'),
      file('.wh..'),
      file('.wh...'),
      file('keep', 'x'),
    ),
  );
  assert.is(out.error, undefined, out.error?.message);
  assert.equal(
    Object.keys(out.tree)
      .filter(path => path !== 'd')
      .sort(),
    ['', 'keep'],
  );
  scene.canary.assertUntouched();
});

test('a removal behind a link out of the layer stays inside', async ({ scene }) => {
  const { dir: canary } = scene.canary;
  const out = await applyLayer(
    scene,
    archive(symlink('out', canary), file('out/.wh.file'), file('out/.wh..wh..opq')),
  );
  assert.is(out.error, undefined, out.error?.message);
  assert.ok(isRemoved(out, `${canary.slice(1)}/file`));
  scene.canary.assertUntouched();
});

test("AUFS' own files are left out, directories named like removals refused", async ({ scene }) => {
  const out = await applyLayer(
    scene,
    archive(
      file('.wh..wh.aufs', 'x'),
      dir('.wh..wh.plnk'),
      file('.wh..wh.plnk/1.2', 'x'),
      file('d/.wh..wh.orph/x', 'y'),
    ),
  );
  assert.is(out.error, undefined, out.error?.message);
  assert.equal(Object.keys(out.tree), ['']);
  for (const name of ['.wh.etc/passwd', 'a/.wh.b/c']) {
    const { error } = await applyLayer(scene, archive(file(name, 'x')));
    assert.is(error?.code, 'LAYER', name);
  }
});

test('a layer cannot make removals or opaque directories by other means', async ({ scene }) => {
  const out = await applyLayer(scene, archive(char('etc', 0, 0), char('x', 0, 0)));
  assert.is(out.error, undefined, out.error?.message);
  // A device of an image is an empty file here, whatever its number.
  assert.is(out.tree.etc?.type, 'f');
  assert.is(out.record?.reduced.devices, 2);
});

test.run();
