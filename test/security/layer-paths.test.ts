// run as: ranges, single, root

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { applyLayer, type LayerScene, leftovers, openLayerScene } from '../support/layer-scene.ts';
import { requires } from '../support/requires.ts';
import { archive, char, dir, fifo, file, gnuLong, hardlink, pax, symlink } from '../support/tar-bytes.ts';

/** CVE-2021-29136, CVE-2026-23745, CVE-2026-31802: names that lead out of the layer, or replace its root. */
const test = requires(suite<{ scene: LayerScene }>('security: names in layers'), 'userns');

test.before.each(async context => {
  context.scene = await openLayerScene();
});

const up = '../'.repeat(10);

test('a name with ".." is refused, whatever kind of entry has it', async ({ scene }) => {
  const { dir: canary } = scene.canary;
  const entries = [
    file('../escaped', 'x'),
    file(`${up}${canary}/file`, 'x'),
    file('a/../../escaped', 'x'),
    dir('..'),
    dir('../escaped/'),
    symlink('..', '/'),
    symlink('a/..', '/'),
    hardlink('../escaped', 'a'),
    fifo('../escaped'),
    char('../escaped', 1, 3),
    Buffer.concat([pax({ path: `${up}${canary}/file` }), file('harmless', 'x')]),
    Buffer.concat([gnuLong('L', `${up}${canary}/file`), file('harmless', 'x')]),
    file('x', 'x', { prefix: '../..' }),
  ];
  for (const bytes of entries) {
    const { error, tree } = await applyLayer(scene, archive(dir('a'), bytes));
    if (error) {
      assert.is(error.code, 'LAYER');
      assert.match(error.message, /"\.\."/, error.message);
    } else assert.equal(Object.keys(tree).sort(), ['', 'a'], 'ignored');
    scene.canary.assertUntouched();
  }
});

test('absolute names stay below the root', async ({ scene }) => {
  const { dir: canary } = scene.canary;
  const { tree, error } = await applyLayer(
    scene,
    archive(file(`${canary}/file`, 'evil'), file('//etc//x', 'y'), dir('/'), file('/top', 'z')),
  );
  assert.is(error, undefined);
  assert.is(tree[`${canary.slice(1)}/file`]?.size, 4);
  assert.is(tree['etc/x']?.type, 'f');
  assert.is(tree.top?.type, 'f');
  scene.canary.assertUntouched();
});

test('the root of the layer is a directory and stays one', async ({ scene }) => {
  for (const name of ['.', './', '/', '/.', '', './.', '//']) {
    const kinds = [
      symlink(name, scene.canary.dir),
      hardlink(name, 'a'),
      fifo(name),
      char(name, 1, 3),
      file(name, 'x'),
    ];
    for (const [i, bytes] of kinds.entries()) {
      const { error } = await applyLayer(scene, archive(file('a', 'x'), bytes, file('below', 'x')));
      assert.is(error?.code, 'LAYER', `kind ${i} as ${JSON.stringify(name)}`);
      scene.canary.assertUntouched();
    }
  }
  const { tree } = await applyLayer(scene, archive(dir('./', { mode: 0o751, mtime: 12345 }), file('a')));
  assert.is(tree['']?.mode, '751');
  assert.match(tree['']?.mtime ?? '', /^12345\.0/);
});

test('odd names are just names', async ({ scene }) => {
  const names = [
    'C:..\\..\\x',
    '..\\..\\evil',
    '~',
    '~root',
    '$HOME',
    '-rf',
    ' ',
    '...',
    '..a',
    'a..',
    '%2e%2e',
    'caf\xe9',
  ];
  const { error, tree } = await applyLayer(scene, archive(...names.map(name => file(name, 'x'))));
  assert.is(error, undefined);
  for (const name of names.slice(0, -1)) assert.is(tree[name]?.type, 'f', name);
  assert.is(Object.keys(tree).length, names.length + 1);
  scene.canary.assertUntouched();
});

test('names that differ only in composition or case are different files', async ({ scene }) => {
  const names = ['\u00e9', 'e\u0301', 'stra\u00dfe', 'strasse', 'File', 'file'].map(n => Buffer.from(n));
  const { tree } = await applyLayer(scene, archive(...names.map((name, i) => file(name, `content ${i}`))));
  assert.is(new Set(Object.values(tree).map(n => n.inode)).size, names.length + 1);
});

test('names as long as paths can be, and longer ones', async ({ scene }) => {
  const deep = `${'d/'.repeat(1900)}f`;
  const long = `${'n'.repeat(255)}/${'m'.repeat(255)}`;
  const good = await applyLayer(
    scene,
    archive(pax({ path: deep }), file('x', '1'), gnuLong('L', long), file('y', '2')),
  );
  assert.is(good.error, undefined, good.error?.message);
  for (const name of ['x'.repeat(256), `${'d/'.repeat(5000)}f`, 'y'.repeat(100_000)]) {
    const { error } = await applyLayer(scene, archive(pax({ path: name }), file('x', '1')));
    assert.is(error?.code, 'LAYER', `${name.length} bytes`);
    assert.match(error?.message ?? '', /ENAMETOOLONG/, error?.message);
    assert.ok((error?.message.length ?? 0) < 500);
  }
});

test('a message does not pass terminal escapes on', async ({ scene }) => {
  const { error } = await applyLayer(scene, archive(file('../\x1b]0;owned\x07\n\x1b[2J', 'x')));
  assert.match(error?.message ?? '', /\\u001b\]0;owned\\u0007\\n/);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what must not be there
  assert.not.match(error?.message ?? '', /[\x00-\x1f\x7f]/);
});

test('refused layers leave nothing', async ({ scene }) => {
  await applyLayer(
    scene,
    archive(file('good', 'x'.repeat(100_000)), dir('locked', { mode: 0 }), file('../bad', 'x')),
  );
  assert.equal(leftovers(scene), []);
});

test.run();
