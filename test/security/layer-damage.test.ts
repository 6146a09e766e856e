// run as: ranges, single, root

import { gzipSync } from 'node:zlib';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { beginLayer, hasLayer } from '../../src/engine/unpack.ts';
import { defaultConfig } from '../../src/host/config.ts';
import { sha256 } from '../../src/oci/digest.ts';
import { applyLayer, type LayerScene, leftovers, openLayerScene } from '../support/layer-scene.ts';
import { requires } from '../support/requires.ts';
import { archive, base256, dir, entry, file, header, pax } from '../support/tar-bytes.ts';
import { within } from '../support/within.ts';

/** Broken, lying and exploding archives: an error that says so, soon, and nothing left. */
const test = requires(suite<{ scene: LayerScene }>('security: damaged layers'), 'userns');

test.before.each(async context => {
  context.scene = await openLayerScene();
});

const good = archive(dir('d'), file('d/a', 'x'.repeat(3000)), file('d/b', 'y'.repeat(70_000)));

test('whatever is cut off or damaged is refused and leaves nothing', async ({ scene }) => {
  const zipped = gzipSync(good);
  const flipped = Buffer.from(zipped);
  flipped[60] = (flipped[60] ?? 0) ^ 0xff;
  const cases: Record<string, Buffer> = {
    'a cut tar': good.subarray(0, 3000),
    'a cut gzip': zipped.subarray(0, zipped.length - 20),
    'a flipped bit': flipped,
    'garbage after gzip': Buffer.concat([zipped, Buffer.from('GARBAGE!')]),
    HTML: Buffer.from(`<!doctype html><title>502 Bad Gateway</title>${' '.repeat(2000)}`),
    'a few bytes': Buffer.from('tar'),
    xz: Buffer.concat([Buffer.from('fd377a585a00', 'hex'), Buffer.alloc(600)]),
    'damaged zstd': Buffer.concat([Buffer.from('28b52ffd', 'hex'), Buffer.alloc(600, 0xff)]),
  };
  for (const [what, bytes] of Object.entries(cases)) {
    const { error } = await applyLayer(scene, bytes);
    assert.is(error?.code, 'LAYER', `${what}: ${error?.message}`);
    assert.equal(leftovers(scene), [], what);
  }
});

test('sizes that lie', async ({ scene }) => {
  const cases = [
    entry({ name: 'a', size: base256(-1n, 12) }),
    entry({ name: 'a', size: base256(2n ** 63n - 1n, 12) }),
    entry({ name: 'a', size: '77777777777\0' }),
    Buffer.concat([pax({ size: '-5' }), file('a', 'x')]),
    Buffer.concat([pax({ size: '9007199254740991' }), file('a', 'x')]),
    header({ name: 'x', type: 'x', size: '77777777777\0' }),
    header({ name: 'x', type: 'L', size: '77777777777\0' }),
  ];
  for (const bytes of cases) {
    const { error } = await applyLayer(scene, archive(bytes));
    assert.is(error?.code, 'LAYER', error?.message);
    assert.equal(leftovers(scene), []);
  }
});

test('a sparse file larger than a file can be', async ({ scene }) => {
  const huge = pax({ 'GNU.sparse.size': '9007199254740991', 'GNU.sparse.map': '0,1' });
  const { error } = await applyLayer(scene, archive(huge, file('a', 'x')));
  assert.is(error?.code, 'LAYER', error?.message);
  assert.equal(leftovers(scene), []);
});

test('a hole costs nothing', async ({ scene }) => {
  const { tree, error, record } = await applyLayer(
    scene,
    archive(
      pax({ 'GNU.sparse.size': '1099511627776', 'GNU.sparse.map': '1099511627772,4' }),
      file('a', 'tail'),
    ),
  );
  // Some file systems have a smaller limit; then it is refused.
  if (error) assert.match(error.message, /EFBIG/);
  else assert.equal([tree.a?.size, record?.size], [1099511627776, 1099511627776]);
});

test('an archive that explodes is stopped', async ({ scene }) => {
  const limited = { ...scene.engine, config: { ...defaultConfig(), layer: { maxRatio: 2 } } };
  // 1.1 GiB of zeros in one megabyte.
  const body = header({ name: 'zeros', size: 1200 << 20 });
  const zeros = gzipSync(Buffer.alloc(64 << 20), { level: 1 });
  const sink = await beginLayer(limited, {});
  try {
    await within(
      60_000,
      (async () => {
        await sink.write(gzipSync(body));
        for (let i = 0; i < 19; i++) await sink.write(zeros);
        await sink.end();
      })(),
    );
    assert.unreachable('it was taken');
  } catch (error) {
    assert.match((error as Error).message, /more than 2 times its size/);
    assert.match((error as { hint?: string }).hint ?? '', /max_ratio/);
  } finally {
    await sink.abort();
  }
  assert.equal(leftovers(scene), []);
});

test('a layer that is not what the image says', async ({ scene }) => {
  const diffId = sha256('something else');
  const sink = await beginLayer(scene.engine, { diffId });
  await sink.write(good);
  try {
    await sink.end();
    assert.unreachable();
  } catch (error) {
    assert.is((error as { code?: string }).code, 'DIGEST');
    assert.match((error as Error).message, new RegExp(`${diffId}.*${sha256(good)}`));
  }
  assert.equal(leftovers(scene), []);
  assert.not.ok(await hasLayer(scene.engine, diffId));
});

test('what follows the end of the archive belongs to the digest', async ({ scene }) => {
  const longer = Buffer.concat([good, Buffer.from('trailing'.repeat(1000))]);
  const { record } = await applyLayer(scene, longer);
  assert.is(record?.diffId, sha256(longer));
  assert.is((await applyLayer(scene, Buffer.alloc(0))).record?.diffId, sha256(''));
});

test('the same layer twice, also at once, is there once', async ({ scene }) => {
  const outcomes = await Promise.all([good, good, gzipSync(good)].map(bytes => applyLayer(scene, bytes)));
  for (const { error, record } of outcomes) {
    assert.is(error, undefined, error?.message);
    assert.is(record?.diffId, sha256(good));
  }
  assert.equal(leftovers(scene), [sha256(good).slice(7)]);
});

test('given up half-way, nothing stays', async ({ scene }) => {
  for (const bytes of [Buffer.alloc(0), good.subarray(0, 10), good.subarray(0, 5000), good]) {
    const sink = await beginLayer(scene.engine, {});
    if (bytes.length > 0) await sink.write(bytes);
    await within(10_000, sink.abort());
    await sink.abort();
    assert.equal(leftovers(scene), []);
  }
});

test('a write after the bad entry says what was wrong', async ({ scene }) => {
  const sink = await beginLayer(scene.engine, {});
  const feed = async () => {
    await sink.write(archive(file('../x', 'y')));
    for (let i = 0; i < 1000; i++) await sink.write(Buffer.alloc(1 << 20));
    await sink.end();
  };
  try {
    await within(30_000, feed());
    assert.unreachable();
  } catch (error) {
    assert.match((error as Error).message, /"\.\."/);
  }
  await sink.abort();
  assert.equal(leftovers(scene), []);
});

test.run();
