import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { imageStore } from '../../src/engine/find-image.ts';
import { load } from '../../src/engine/load.ts';
import { sha256 } from '../../src/oci/digest.ts';
import { LayerStore } from '../../src/store/layers.ts';
import { rejects as rejectsWith } from '../support/container-store.ts';
import { configBytes, ociBlobs } from '../support/images.ts';
import { type LayerScene, leftovers, openLayerScene } from '../support/layer-scene.ts';
import { requires } from '../support/requires.ts';
import { archive, dir, file } from '../support/tar-bytes.ts';

/**
 * Large members of an archive are unpacked while they are stored, before anything is known of them but their names: names that
 * lie, things that are no layers, pairs of blob and layer that are not one.
 */
const test = requires(suite<{ scene: LayerScene }>('security: layers unpacked as they come'), 'userns', 'xz');

test.before.each(async context => {
  context.scene = await openLayerScene();
});

const rejects = (work: Promise<unknown>, code: string, message = /./) =>
  rejectsWith(work, code, message, /^/);

/** Larger than what is kept in memory, however it is compressed. */
const NOISE = randomBytes(1_500_000);
const layerWith = (name: string): Buffer => archive(dir('etc'), file(name, NOISE));
const GOOD = layerWith('etc/good');
const OTHER = layerWith('etc/other');

const hex = (bytes: Buffer): string => sha256(bytes).slice(7);

interface Lies {
  /** What the config says of the layer; default: the truth. */
  readonly of?: Buffer;
  readonly name?: string;
  readonly documentsFirst?: boolean;
  readonly tag?: string;
}

function docker(layer: Buffer, plain: Buffer, lies: Lies = {}, ...more: Buffer[]): Buffer {
  const { name = 'layer.tar', tag = 'app:1' } = lies;
  const config = configBytes({ layers: [lies.of ?? plain], config: {} });
  const documents = [
    file('c.json', config),
    file('manifest.json', JSON.stringify([{ Config: 'c.json', RepoTags: [tag], Layers: [name] }])),
  ];
  const first = lies.documentsFirst ?? false;
  return archive(...(first ? documents : []), file(name, layer), ...(first ? [] : documents), ...more);
}

const stream = (bytes: Buffer): Readable => Readable.from([bytes]);

async function isEmpty({ engine, ...scene }: LayerScene): Promise<void> {
  assert.equal(await imageStore(engine).list(), []);
  assert.equal(await imageStore(engine).blobs.list(), []);
  assert.equal(leftovers({ engine, ...scene }), []);
  scene.canary.assertUntouched();
}

test('a layer that wants out is refused, with nothing of it left', async ({ scene }) => {
  for (const name of ['../escape', `/../..${scene.canary.dir}/file`]) {
    const evil = archive(file('etc/first', NOISE), file(name, 'x'));
    await rejects(load(scene.engine, stream(docker(evil, evil))), 'LAYER');
    await rejects(load(scene.engine, stream(docker(gzipSync(evil), evil))), 'LAYER');
    await isEmpty(scene);
  }
});

test('what only looks like a layer is stored and forgotten', async ({ scene }) => {
  const odd = [
    file('junk.gz', Buffer.concat([Buffer.from('1f8b0800', 'hex'), NOISE])),
    file('junk.zst', Buffer.concat([Buffer.from('28b52ffd', 'hex'), NOISE])),
    file('junk.tar', Buffer.concat([GOOD.subarray(0, 700), NOISE])),
    file('junk.xz', Buffer.concat([Buffer.from('fd377a585a00', 'hex'), NOISE])),
    file('layer-that-nobody-names.tar', OTHER),
  ];
  assert.equal(await load(scene.engine, stream(docker(GOOD, GOOD, {}, ...odd))), ['app:1']);
  assert.equal(leftovers(scene), [hex(GOOD)]);
  assert.is((await imageStore(scene.engine).blobs.list()).length, 3);
});

test('a config that calls a layer by the name of another', async ({ scene }) => {
  for (const documentsFirst of [false, true]) {
    const plain = docker(OTHER, OTHER, { of: GOOD, documentsFirst });
    await rejects(load(scene.engine, stream(plain)), 'DIGEST');
    await isEmpty(scene);
  }
  // The same when the layer that it claims to be is here.
  await load(scene.engine, stream(docker(GOOD, GOOD)));
  for (const documentsFirst of [false, true]) {
    for (const bytes of [OTHER, gzipSync(OTHER)]) {
      const lie = docker(bytes, OTHER, { of: GOOD, documentsFirst, tag: 'lie:1' });
      await rejects(load(scene.engine, stream(lie)), 'DIGEST');
    }
  }
  assert.is(await imageStore(scene.engine).resolve('lie:1'), undefined);
  assert.equal(leftovers(scene), [hex(GOOD)]);
});

test('a member that bears the name of a layer or a blob that is here', async ({ scene }) => {
  await load(scene.engine, stream(docker(GOOD, GOOD)));
  // Only a name: the layer is unpacked after all when it proves to be another.
  const renamed = docker(OTHER, OTHER, { name: `${hex(GOOD)}.tar`, tag: 'other:1' });
  assert.equal(await load(scene.engine, stream(renamed)), ['other:1']);
  assert.ok(await new LayerStore(scene.engine.paths.layers).has(sha256(OTHER)));
  const third = layerWith('etc/third');
  const blob = docker(third, third, { name: `blobs/sha256/${hex(GOOD)}`, tag: 'third:1' });
  await rejects(load(scene.engine, stream(blob)), 'DIGEST');
  assert.is(await imageStore(scene.engine).resolve('third:1'), undefined);
  assert.equal(leftovers(scene).sort(), [hex(GOOD), hex(OTHER)].sort());
});

test('a layout beside manifest.json that tells something else', async ({ scene }) => {
  const made = ociBlobs({ layers: [GOOD], config: {} });
  const config = configBytes({ layers: [GOOD], config: {} });
  const other = ociBlobs({ layers: [OTHER], config: {} });
  const manifest = JSON.parse(made.manifest.toString()) as Record<string, unknown>;
  const strange = Buffer.from(JSON.stringify({ ...manifest, layers: [] }));
  const entry = (bytes: Buffer, digest = sha256(bytes)) => ({
    mediaType: made.mediaType,
    digest,
    size: bytes.length,
    annotations: { 'org.opencontainers.image.ref.name': 'docker.io/library/evil:1' },
  });
  const indexes = [
    [entry(strange), entry(other.manifest)],
    [entry(made.manifest, `sha256:${'0'.repeat(64)}`)],
    [{ ...entry(made.manifest), mediaType: 'application/vnd.oci.image.index.v1+json' }],
    'no list',
  ];
  for (const manifests of indexes) {
    const bytes = archive(
      file('index.json', JSON.stringify({ schemaVersion: 2, manifests })),
      file(`blobs/sha256/${hex(strange)}`, strange),
      file(`blobs/sha256/${'0'.repeat(64)}`, strange),
      file(`blobs/sha256/${hex(other.manifest)}`, other.manifest),
      file('c.json', config),
      file('layer.tar', GOOD),
      file(
        'manifest.json',
        JSON.stringify([{ Config: 'c.json', RepoTags: ['app:1'], Layers: ['layer.tar'] }]),
      ),
    );
    assert.equal(await load(scene.engine, stream(bytes)), ['app:1']);
    const images = await imageStore(scene.engine).list();
    assert.equal(
      images.map(image => [image.id, image.names, image.layers]),
      [[sha256(config), ['docker.io/library/app:1'], [sha256(GOOD)]]],
    );
  }
});

test('a layer of a petabyte is refused before the disk is full', async ({ scene }) => {
  const bytes = file('layer.tar', GOOD, { size: 2 ** 50 });
  await rejects(load(scene.engine, stream(bytes)), 'NO_SPACE', /layer\.tar.* needs about/);
  await isEmpty(scene);
});

test('an archive in xz that breaks off after its layer was unpacked', async ({ scene }) => {
  const packed = spawnSync('xz', ['-0', '-c'], { input: docker(GOOD, GOOD), maxBuffer: 1 << 28 }).stdout;
  await rejects(load(scene.engine, stream(packed.subarray(0, packed.length - 100))), 'LAYER', /xz data/);
  await isEmpty(scene);
});

test.run();
