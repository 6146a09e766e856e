// run as: ranges

import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { imageStore } from '../../src/engine/find-image.ts';
import { importImage } from '../../src/engine/import.ts';
import { load } from '../../src/engine/load.ts';
import { defaultConfig } from '../../src/host/config.ts';
import { decompress } from '../../src/layer/decompress.ts';
import { sha256 } from '../../src/oci/digest.ts';
import { rejects } from '../support/container-store.ts';
import { applyLayer, type LayerScene, leftovers, openLayerScene } from '../support/layer-scene.ts';
import { requires } from '../support/requires.ts';
import { archive, file, header } from '../support/tar-bytes.ts';
import { within } from '../support/within.ts';

/**
 * Decompression bombs. The first gigabyte is free, so the bombs here hold more than that in a few kilobytes to a megabyte;
 * what is written before it is noticed is removed.
 */
const test = requires(suite<{ scene: LayerScene }>('security: decompression bombs'), 'userns');
/** Each writes a gigabyte before it is stopped; one such bomb always runs, in layer-damage.test.ts. */
const long = requires(test, 'long');
const MIB = 1 << 20;
const SIZE = 1100 * MIB;

test.before.each(async context => {
  context.scene = await openLayerScene();
});

/** The head of an archive with one file of zeros, and as many zeros as it says, all compressed. */
const gzipBomb = (): Buffer => {
  const zeros = gzipSync(Buffer.alloc(100 * MIB), { level: 9 });
  const members = Array.from({ length: SIZE / MIB / 100 }, () => zeros);
  return Buffer.concat([
    gzipSync(header({ name: 'zeros', size: SIZE })),
    ...members,
    gzipSync(Buffer.alloc(1024)),
  ]);
};

/** Frames of zstd (RFC 8878): raw blocks, and blocks of one byte repeated up to 128 KiB: four bytes each. */
function zstdBomb(): Buffer {
  const block = (type: number, size: number, last: number, body: Buffer): Buffer => {
    const head = Buffer.alloc(3);
    head.writeUIntLE((size << 3) | (type << 1) | last, 0, 3);
    return Buffer.concat([head, body]);
  };
  // Magic; no content size, window of 128 KiB.
  const start = Buffer.from('28b52ffd0038', 'hex');
  const first = block(0, 512, 0, header({ name: 'zeros', size: SIZE }));
  const run = block(1, 128 * 1024, 0, Buffer.alloc(1));
  const runs = Array.from({ length: SIZE / (128 * 1024) }, () => run);
  return Buffer.concat([start, first, ...runs, block(1, 1024, 1, Buffer.alloc(1))]);
}

async function refusedLayer(scene: LayerScene, bomb: Buffer, times: number): Promise<void> {
  const { error } = await within(240_000, applyLayer(scene, bomb), 'the bomb');
  assert.is(error?.code, 'LAYER', error?.message);
  assert.match(error?.message ?? '', new RegExp(`more than ${times} times its size`));
  assert.match(error?.hint ?? '', /layer\.max_ratio/);
  assert.equal(leftovers(scene), []);
}

test('gzip and zstd, with little for free: stopped at the ratio, long before the end', async () => {
  for (const [bomb, ratio] of [
    [gzipBomb(), 200],
    [zstdBomb(), 200],
    [gzipBomb(), 3],
  ] as const) {
    let out = 0;
    const drain = async (): Promise<void> => {
      const source = (async function* () {
        for (let at = 0; at < bomb.length; at += 512) yield bomb.subarray(at, at + 512);
      })();
      for await (const piece of decompress(source, { maxRatio: ratio, freeBytes: MIB })) out += piece.length;
    };
    await rejects(drain(), 'LAYER', new RegExp(`more than ${ratio} times its size`), /max_ratio/);
    // Pieces come by the half megabyte, and a few are on their way.
    assert.ok(out < 32 * MIB, `${out} bytes came out`);
  }
});

long('gzip: a gigabyte of zeros in a megabyte is stopped', async ({ scene }) => {
  const bomb = gzipBomb();
  assert.ok(bomb.length < 2 * MIB);
  await refusedLayer(scene, bomb, 200);
});

long('zstd: a gigabyte in forty kilobytes is stopped', async ({ scene }) => {
  const bomb = zstdBomb();
  assert.ok(bomb.length < 64 * 1024);
  await refusedLayer(scene, bomb, 200);
});

long('the ratio is the configuration’s', async () => {
  const strict = await openLayerScene({ layer: { maxRatio: 3 } });
  await refusedLayer(strict, gzipBomb(), 3);
  assert.is(defaultConfig().layer.maxRatio, 200);
});

test('a bomb in a bomb is no archive', async ({ scene }) => {
  for (const nested of [gzipSync(gzipSync(archive(file('a', 'x')))), gzipSync(zstdBomb())]) {
    const { error } = await applyLayer(scene, nested);
    assert.is(error?.code, 'LAYER');
    assert.match(error?.message ?? '', /malformed header|truncated/);
    assert.equal(leftovers(scene), []);
  }
});

const stream = (bytes: Buffer) => Readable.from([bytes]);

long('load and import: bombs as archive, as layer, and one within the other', async ({ scene }) => {
  const { engine } = scene;
  await rejects(within(60_000, load(engine, stream(gzipBomb()))), 'LAYER', /times its size/);
  await rejects(within(60_000, importImage(engine, stream(zstdBomb()))), 'LAYER', /times its size/);
  const diffId = sha256('whatever');
  const config = JSON.stringify({
    architecture: 'amd64',
    os: 'linux',
    rootfs: { type: 'layers', diff_ids: [diffId] },
  });
  const item = { Config: 'c.json', RepoTags: ['bomb:1'], Layers: ['l'] };
  const documents = [file('c.json', config), file('manifest.json', JSON.stringify([item]))];
  const inner = archive(...documents, file('l', gzipBomb()));
  for (const bytes of [inner, gzipSync(inner)])
    await rejects(within(60_000, load(engine, stream(bytes))), 'LAYER', /times its size/);
  assert.equal(await imageStore(engine).list(), []);
  assert.equal(leftovers(scene), []);
  scene.canary.assertUntouched();
});

test.run();
