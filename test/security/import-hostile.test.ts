// run as: ranges

import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { imageStore } from '../../src/engine/find-image.ts';
import { importImage } from '../../src/engine/import.ts';
import { load } from '../../src/engine/load.ts';
import { sha256 } from '../../src/oci/digest.ts';
import { configBytes, ociBlobs } from '../support/images.ts';
import { type LayerScene, leftovers, openLayerScene } from '../support/layer-scene.ts';
import { requires } from '../support/requires.ts';
import {
  archive,
  base256,
  char,
  dir,
  fifo,
  file,
  hardlink,
  header,
  pax,
  symlink,
} from '../support/tar-bytes.ts';
import { within } from '../support/within.ts';

/** The attacks that a layer may try, by every way that a layer comes in besides a registry. */
const test = requires(suite<{ scene: LayerScene }>('security: hostile layers by every way'), 'userns');

test.before.each(async context => {
  context.scene = await openLayerScene();
});

const attacks = (canary: string): Record<string, Buffer> => ({
  'a name that climbs': archive(file(`${'../'.repeat(12)}${canary}/file`, 'evil')),
  'a PAX name that climbs': archive(pax({ path: `..${canary}/file` }), file('x', 'evil')),
  'a hard link out': archive(hardlink('x', `${canary}/file`)),
  'a hard link through a chain': archive(
    symlink('a', '..'),
    symlink('a/b', canary),
    hardlink('x', 'a/b/file'),
  ),
  'the root as a link': archive(symlink('./', canary), file('file', 'evil')),
  'the root as a device': archive(char('.', 1, 3)),
  'the root as a FIFO': archive(fifo('/')),
  'a directory named like a removal': archive(file('.wh.etc/passwd', 'x')),
  'a negative size': archive(header({ name: 'a', size: base256(-1n, 12) })),
  'a size beyond everything': archive(header({ name: 'a', size: '77777777777\0' })),
  'a NUL in a PAX name': archive(pax({ path: 'a\0/../b' }), file('x')),
  'a giant PAX header': archive(header({ name: 'x', type: 'x', size: 1 << 30 })),
  'a truncated gzip': gzipSync(archive(file('a', 'x'.repeat(5000)))).subarray(0, 60),
  'a sparse file of exabytes': archive(
    pax({ 'GNU.sparse.size': '9007199254740991', 'GNU.sparse.map': '0,1' }),
    file('a', 'x'),
  ),
});

function dockerArchive(layer: Buffer): Buffer {
  // Larger than what is kept in memory: it is unpacked while it is stored.
  const padded = Buffer.concat([layer, Buffer.alloc(2 << 20)]);
  const image = { layers: [padded], config: {} };
  const item = { Config: 'c.json', RepoTags: ['evil:1'], Layers: ['l/layer.tar'] };
  return archive(
    file('c.json', configBytes(image)),
    file('manifest.json', JSON.stringify([item])),
    file('l/layer.tar', padded),
  );
}

function ociArchive(layer: Buffer): Buffer {
  const { blobs, manifest, mediaType } = ociBlobs({ layers: [layer], config: {} }, 'none');
  const entry = { mediaType, digest: sha256(manifest), size: manifest.length };
  const files = [...blobs].map(([digest, bytes]) => file(`blobs/sha256/${digest.slice(7)}`, bytes));
  return archive(...files, file('index.json', JSON.stringify({ schemaVersion: 2, manifests: [entry] })));
}

const stream = (bytes: Buffer) => Readable.from([bytes]);

const ways: Record<string, (scene: LayerScene, layer: Buffer) => Promise<unknown>> = {
  import: ({ engine }, layer) => importImage(engine, stream(layer), 'evil:1'),
  'load of a docker-archive': ({ engine }, layer) => load(engine, stream(dockerArchive(layer))),
  'load of an oci-archive': ({ engine }, layer) => load(engine, stream(ociArchive(layer))),
};

for (const [way, bring] of Object.entries(ways)) {
  test(`${way}: no attack of a layer gets anywhere`, async ({ scene }) => {
    for (const [attack, layer] of Object.entries(attacks(scene.canary.dir))) {
      const outcome = await within(60_000, bring(scene, layer), attack).then(
        () => 'taken',
        (error: { code?: string; message: string }) => error.code ?? error.message,
      );
      assert.ok(outcome === 'LAYER' || outcome === 'DIGEST', `${attack}: ${outcome}`);
      assert.equal(await imageStore(scene.engine).list(), [], attack);
      assert.equal(leftovers(scene), [], attack);
      scene.canary.assertUntouched();
    }
  });
}

test('writing through a link: what is taken stays inside of the layer', async ({ scene }) => {
  const { dir: canary } = scene.canary;
  const layer = archive(
    symlink('out', canary),
    file('out/file', 'mine'),
    dir('out/new'),
    file('.wh...'),
    file('out/.wh.sub'),
  );
  for (const bring of Object.values(ways)) {
    await bring(scene, layer);
    scene.canary.assertUntouched();
  }
});

test.run();
