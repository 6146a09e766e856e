// run as: ranges

import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { imageStore } from '../../src/engine/find-image.ts';
import { load } from '../../src/engine/load.ts';
import { pull } from '../../src/engine/pull.ts';
import { sha256 } from '../../src/oci/digest.ts';
import { encodeManifest } from '../../src/oci/manifest.ts';
import { OCI_CONFIG, OCI_LAYER_GZIP, OCI_MANIFEST } from '../../src/oci/media-types.ts';
import { DEFAULT_LIMITS } from '../../src/registry/limits.ts';
import { rejects } from '../support/container-store.ts';
import { startFakeRegistry } from '../support/fake-registry.ts';
import { type LayerScene, openLayerScene } from '../support/layer-scene.ts';
import { requires } from '../support/requires.ts';
import { archive, file } from '../support/tar-bytes.ts';

/**
 * A tree that is here is not unpacked again. An image that names it beside the blob of something else must not be taken:
 * it would run what is here, and push or save would hand on the other.
 */
const test = requires(
  suite<{ scene: LayerScene }>('security: blobs and the layers they stand for'),
  'userns',
);
const ARCHITECTURE = process.arch === 'x64' ? 'amd64' : process.arch;
const GOOD = archive(file('etc/hello', 'hello'));
const EVIL = gzipSync(archive(file('etc/hello', 'owned')));
const LIMITS = { ...DEFAULT_LIMITS, attempts: 2, backoff: 5 };

test.before.each(async context => {
  context.scene = await openLayerScene();
});

const config = (comment: string): Buffer =>
  Buffer.from(
    JSON.stringify({
      architecture: ARCHITECTURE,
      os: 'linux',
      comment,
      rootfs: { type: 'layers', diff_ids: [sha256(GOOD)] },
    }),
  );

function dockerArchive(layer: Buffer, name: string): Readable {
  const item = { Config: 'c.json', RepoTags: [name], Layers: ['layer.tar'] };
  const parts = [file('c.json', config(name)), file('layer.tar', layer)];
  return Readable.from([archive(...parts, file('manifest.json', JSON.stringify([item])))]);
}

test('load: a known layer with the blob of another', async ({ scene }) => {
  const { engine } = scene;
  await load(engine, dockerArchive(GOOD, 'good:1'));
  await rejects(load(engine, dockerArchive(EVIL, 'evil:1')), 'DIGEST', /has the content of/);
  assert.is(await imageStore(engine).resolve('evil:1'), undefined);
  // The same content compressed otherwise is the same layer.
  await load(engine, dockerArchive(gzipSync(GOOD), 'packed:1'));
  assert.is((await imageStore(engine).list()).length, 2);
});

test('pull: a known layer with the blob of another, fetched or here already', async ({ scene }) => {
  const { engine } = scene;
  const registry = await startFakeRegistry();
  try {
    registry.addImage('good', 'latest', [GOOD], { architecture: ARCHITECTURE });
    await pull(engine, `${registry.host}/good`, {}, LIMITS);
    const bytes = config('evil');
    for (const blob of [bytes, EVIL]) registry.blobs.set(sha256(blob), blob);
    const describe = (mediaType: string, blob: Buffer) => {
      return { mediaType, digest: sha256(blob), size: blob.length };
    };
    const manifest = encodeManifest({
      mediaType: OCI_MANIFEST,
      config: describe(OCI_CONFIG, bytes),
      layers: [describe(OCI_LAYER_GZIP, EVIL)],
    });
    registry.addManifest('evil', 'latest', OCI_MANIFEST, manifest);
    for (let time = 0; time < 2; time++) {
      await rejects(pull(engine, `${registry.host}/evil`, {}, LIMITS), 'DIGEST', /has the content of/);
      assert.is((await imageStore(engine).list()).length, 1);
    }
    registry.addImage('same', 'latest', [GOOD], { architecture: ARCHITECTURE, author: 'x' });
    await pull(engine, `${registry.host}/same`, {}, LIMITS);
    assert.is((await imageStore(engine).list()).length, 2);
  } finally {
    await registry.stop();
  }
});

test.run();
