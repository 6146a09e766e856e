import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { LayerStore } from '../../../src/store/layers.ts';
import { listTemporary, makeWorkDir, takeGarbage } from '../../../src/store/workdir.ts';

const test = suite<{ dir: string }>('store: work directories and layers');

test.before.each(context => {
  context.dir = mkdtempSync(join(tmpdir(), 'tsbox-work-'));
});
test.after.each(({ dir }) => rmSync(dir, { recursive: true }));

test('a work directory is held until it is let go', async ({ dir }) => {
  const tmp = join(dir, 'tmp');
  assert.equal(await listTemporary(tmp), []);
  const work = await makeWorkDir(tmp, 'layer');
  const [name = ''] = await listTemporary(tmp);
  assert.match(name, /^layer-[0-9a-f]{16}$/);
  assert.is(await takeGarbage(work.path), undefined);
  await work.release();
  const garbage = await takeGarbage(work.path);
  assert.is(garbage?.path, work.path);
  assert.is(await takeGarbage(work.path), undefined);
  await garbage?.release();
});

test('what is gone, is a link or not of our making is not taken', async ({ dir }) => {
  mkdirSync(join(dir, 'real'));
  symlinkSync('real', join(dir, 'link'));
  writeFileSync(join(dir, 'file'), '');
  for (const name of ['none', 'link', 'file']) assert.is(await takeGarbage(join(dir, name)), undefined, name);
});

test('many at once have names of their own', async ({ dir }) => {
  const all = await Promise.all(Array.from({ length: 20 }, () => makeWorkDir(dir, 'x')));
  assert.is(new Set(all.map(w => w.path)).size, 20);
  await Promise.all(all.map(w => w.release()));
});

test('a layer is there when its record is', async ({ dir }) => {
  const layers = new LayerStore(join(dir, 'layers'));
  const id = `sha256:${'a'.repeat(64)}`;
  assert.not.ok(await layers.has(id));
  assert.equal(await layers.list(), []);
  mkdirSync(join(layers.path(id), 'fs'), { recursive: true });
  assert.not.ok(await layers.has(id));
  writeFileSync(join(layers.path(id), 'layer.json'), JSON.stringify({ version: 1, diffId: id, size: 10 }));
  mkdirSync(join(dir, 'layers/.hidden'));
  assert.ok(await layers.has(id));
  assert.is((await layers.record(id))?.size, 10);
  assert.equal(await layers.list(), [id]);
  assert.is(await layers.size([id, id, `sha256:${'b'.repeat(64)}`]), 10);
});

test('only digests are layers', ({ dir }) => {
  const layers = new LayerStore(dir);
  for (const bad of ['', '../x', `sha256:${'a'.repeat(63)}g`, `sha256:../${'a'.repeat(61)}`]) {
    assert.throws(() => layers.path(bad), /digest/, bad);
  }
  assert.not.ok(existsSync(join(dir, 'x')));
});

test.run();
