import { mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { imageStore } from '../../src/engine/find-image.ts';
import { importImage } from '../../src/engine/import.ts';
import { load } from '../../src/engine/load.ts';
import { sha256 } from '../../src/oci/digest.ts';
import { makeFifo } from '../../src/sys/mknod.ts';
import { rejects as rejectsWith } from '../support/container-store.ts';
import { configBytes, ociBlobs, type TestImage } from '../support/images.ts';
import { type LayerScene, leftovers, openLayerScene } from '../support/layer-scene.ts';
import { requires } from '../support/requires.ts';
import { archive, dir, file, gnuLong, hardlink, pax, symlink } from '../support/tar-bytes.ts';
import { within } from '../support/within.ts';

/** Image archives whose documents lie: names that climb, blobs that are not what they are called, documents too large or of the wrong kind. */
const test = requires(suite<{ scene: LayerScene }>('security: image archives'), 'userns');

test.before.each(async context => {
  context.scene = await openLayerScene();
});

/** Not every message of a parser has a hint. */
const rejects = (work: Promise<unknown>, code: string, message = /./) =>
  rejectsWith(work, code, message, /^/);

const LAYER = archive(dir('etc'), file('etc/hello', 'hello'));
const IMAGE: TestImage = { layers: [LAYER], config: { Cmd: ['sh'] } };
const CONFIG = configBytes(IMAGE);

const manifestJson = (item: object) => file('manifest.json', JSON.stringify([item]));
const docker = (item: object, ...parts: Buffer[]) =>
  archive(
    file('c.json', CONFIG),
    file('l/layer.tar', LAYER),
    manifestJson({ Config: 'c.json', Layers: ['l/layer.tar'], ...item }),
    ...parts,
  );

function oci(
  change: (parts: { index: Record<string, unknown>; blobs: Map<string, Buffer> }) => void = () => {},
): Buffer {
  const made = ociBlobs(IMAGE);
  const blobs = new Map(made.blobs);
  const annotations = { 'org.opencontainers.image.ref.name': 'oci:1' };
  const entry = {
    mediaType: made.mediaType,
    digest: sha256(made.manifest),
    size: made.manifest.length,
    annotations,
  };
  const parts = { index: { schemaVersion: 2, manifests: [entry] } as Record<string, unknown>, blobs };
  change(parts);
  const files = [...parts.blobs].map(([digest, bytes]) => file(`blobs/sha256/${digest.slice(7)}`, bytes));
  return archive(
    file('oci-layout', '{"imageLayoutVersion":"1.0.0"}'),
    file('index.json', JSON.stringify(parts.index)),
    ...files,
  );
}

const stream = (bytes: Buffer, step = 10_000) =>
  Readable.from(
    (function* () {
      for (let at = 0; at < bytes.length; at += step) yield bytes.subarray(at, at + step);
    })(),
  );

async function isEmpty({ engine, ...scene }: LayerScene): Promise<void> {
  assert.equal(await imageStore(engine).list(), []);
  assert.equal(await imageStore(engine).blobs.list(), []);
  assert.equal(leftovers({ engine, ...scene }), []);
  scene.canary.assertUntouched();
}

test('good archives of both kinds, plain and compressed, from a pipe and a file', async ({ scene }) => {
  const { engine } = scene;
  assert.equal(await load(engine, stream(docker({ RepoTags: ['app:1', 'quay.io/x/app'] }))), [
    'app:1',
    'quay.io/x/app:latest',
  ]);
  assert.equal(await load(engine, stream(gzipSync(oci()), 100)), ['oci:1']);
  assert.equal(await load(engine, stream(docker({ RepoTags: null }))), [sha256(CONFIG)]);
  const path = join(engine.paths.root, '../archive.tar');
  writeFileSync(path, oci());
  assert.equal(await load(engine, path), ['oci:1']);
  assert.is((await imageStore(engine).list()).length, 1);
  assert.equal(leftovers(scene), [sha256(LAYER).slice(7)]);
});

test('a layer once, with links to it, as old archives have it', async ({ scene }) => {
  const bytes = archive(
    file('./c.json', CONFIG),
    file('./one/layer.tar', LAYER),
    symlink('./two/layer.tar', '../one/layer.tar'),
    hardlink('./three', 'one/layer.tar'),
    manifestJson({ Config: 'c.json', RepoTags: ['a:1'], Layers: ['two/layer.tar'] }),
  );
  assert.equal(await load(scene.engine, stream(bytes)), ['a:1']);
});

test('documents that name files outside of the archive', async ({ scene }) => {
  const { dir: canary } = scene.canary;
  const layers = [
    `${canary}/file`,
    `../../../../..${canary}/file`,
    '/etc/passwd',
    '../../etc/passwd',
    '',
    'l',
    'l/layer.tar/x',
  ];
  for (const name of layers) {
    await rejects(load(scene.engine, stream(docker({ Layers: [name] }))), 'MANIFEST', /lacks/);
    await rejects(load(scene.engine, stream(docker({ Config: name }))), 'MANIFEST', /lacks/);
    await isEmpty(scene);
  }
  const linked = archive(
    symlink('c.json', `${canary}/file`),
    file('l', LAYER),
    manifestJson({ Config: 'c.json', Layers: ['l'] }),
  );
  await rejects(load(scene.engine, stream(linked)), 'MANIFEST', /lacks/);
  const circle = archive(
    symlink('c.json', 'd'),
    symlink('d', 'c.json'),
    manifestJson({ Config: 'c.json', Layers: [] }),
  );
  await rejects(load(scene.engine, stream(circle)), 'MANIFEST', /lacks/);
  await isEmpty(scene);
});

test('docker archives that contradict themselves', async ({ scene }) => {
  const other = Buffer.from(CONFIG.toString().replace(sha256(LAYER), sha256('other')));
  const cases: Array<[Buffer, string]> = [
    [docker({ Layers: [] }), 'MANIFEST'],
    [docker({ Layers: ['l/layer.tar', 'l/layer.tar'] }), 'MANIFEST'],
    [docker({ Layers: 'l/layer.tar' }), 'MANIFEST'],
    [docker({ Config: 7 }), 'MANIFEST'],
    [docker({ RepoTags: ['Bad Name'] }), 'BAD_REFERENCE'],
    [archive(file('manifest.json', 'no json')), 'MANIFEST'],
    [archive(file('manifest.json', '{}')), 'MANIFEST'],
    [archive(file('manifest.json', '[null]')), 'MANIFEST'],
    [archive(file('manifest.json', ' '.repeat(5 << 20))), 'LAYER'],
    [
      archive(file('c.json', other), file('l', LAYER), manifestJson({ Config: 'c.json', Layers: ['l'] })),
      'DIGEST',
    ],
    [
      archive(file('c.json', '{}'), file('l', LAYER), manifestJson({ Config: 'c.json', Layers: ['l'] })),
      'MANIFEST',
    ],
    [archive(file('hello', 'world')), 'MANIFEST'],
    [docker({}).subarray(0, 4000), 'LAYER'],
    [Buffer.from('<html>'.repeat(200)), 'LAYER'],
    [Buffer.alloc(0), 'MANIFEST'],
    [archive(pax({ 'GNU.sparse.size': '1099511627776', 'GNU.sparse.map': '0,1' }), file('l', 'x')), 'LAYER'],
  ];
  for (const [bytes, code] of cases) {
    await rejects(load(scene.engine, stream(bytes)), code);
    await isEmpty(scene);
  }
});

test('OCI archives whose blobs are not what they are called', async ({ scene }) => {
  const made = ociBlobs(IMAGE);
  for (const digest of made.blobs.keys()) {
    const damaged = oci(({ blobs }) => {
      const bytes = Buffer.from(blobs.get(digest) ?? '');
      bytes[bytes.length - 1] = (bytes[bytes.length - 1] ?? 0) ^ 1;
      blobs.set(digest, bytes);
    });
    await rejects(load(scene.engine, stream(damaged)), 'DIGEST', /damaged|is sha256/);
    await rejects(
      load(scene.engine, stream(oci(({ blobs }) => blobs.delete(digest)))),
      'MANIFEST',
      /lacks the blob/,
    );
    await isEmpty(scene);
  }
});

test('OCI indexes that lie', async ({ scene }) => {
  const manifest = (index: Record<string, unknown>) =>
    (index.manifests as Array<Record<string, unknown>>)[0] ?? {};
  const changes: Array<(index: Record<string, unknown>) => void> = [
    index => Object.assign(manifest(index), { digest: 'sha256:../../../../etc/passwd' }),
    index => Object.assign(manifest(index), { size: 1 }),
    index => Object.assign(manifest(index), { size: -1 }),
    index => Object.assign(manifest(index), { mediaType: 'application/vnd.oci.image.index.v1+json' }),
    index => Object.assign(index, { layers: [] }),
    index => Object.assign(index, { manifests: {} }),
    index => Object.assign(index, { schemaVersion: 1 }),
  ];
  for (const change of changes) {
    const error = await load(scene.engine, stream(oci(({ index }) => change(index)))).then(
      () => undefined,
      (e: { code: string }) => e.code,
    );
    assert.ok(error === 'MANIFEST' || error === 'DIGEST', String(error));
    await isEmpty(scene);
  }
});

test('an archive cannot take the name of an image by half: it is listed when all of it is here', async ({
  scene,
}) => {
  await load(scene.engine, stream(docker({ RepoTags: ['app:1'] })));
  const bad = archive(file('../x', 'y'));
  const config = configBytes({ layers: [bad], config: {} });
  const evil = archive(
    file('c.json', config),
    file('l', bad),
    manifestJson({ Config: 'c.json', RepoTags: ['app:1'], Layers: ['l'] }),
  );
  await rejects(load(scene.engine, stream(evil)), 'LAYER', /"\.\."/);
  assert.is((await imageStore(scene.engine).resolve('app:1'))?.id, sha256(CONFIG));
});

test('a layout directory: links out of it, missing files', async ({ scene }) => {
  const layout = join(scene.engine.paths.root, '../layout');
  mkdirSync(join(layout, 'blobs/sha256'), { recursive: true });
  await rejects(load(scene.engine, layout), 'MANIFEST', /no image archive/);
  const made = ociBlobs(IMAGE);
  const entry = { mediaType: made.mediaType, digest: sha256(made.manifest), size: made.manifest.length };
  writeFileSync(join(layout, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests: [entry] }));
  await rejects(load(scene.engine, layout), 'MANIFEST', /lacks the blob/);
  for (const [digest, bytes] of made.blobs)
    writeFileSync(join(layout, 'blobs/sha256', digest.slice(7)), bytes);
  assert.equal(await load(scene.engine, layout), [sha256(CONFIG)]);
  const bad = join(scene.engine.paths.root, '../layout2');
  mkdirSync(bad);
  symlinkSync(join(scene.canary.dir, 'file'), join(bad, 'index.json'));
  await rejects(load(scene.engine, bad), 'MANIFEST');
  await rejects(load(scene.engine, join(bad, 'none')), 'IO', /none/);
});

test('a layout directory whose files are FIFOs or devices: nothing waits, nothing is read without end', async ({
  scene,
}) => {
  const made = ociBlobs(IMAGE);
  const entry = { mediaType: made.mediaType, digest: sha256(made.manifest), size: made.manifest.length };
  const index = JSON.stringify({ schemaVersion: 2, manifests: [entry] });
  const odd: Array<(path: string) => void> = [
    path => makeFifo(path, 0o600),
    path => symlinkSync('/dev/zero', path),
    path => symlinkSync('/dev/full', path),
    path => mkdirSync(path),
  ];
  for (const [n, make] of odd.entries()) {
    for (const victim of ['index.json', ...made.blobs.keys()]) {
      const layout = join(scene.engine.paths.root, `../odd-${n}-${victim.slice(7, 15)}`);
      mkdirSync(join(layout, 'blobs/sha256'), { recursive: true });
      for (const [digest, bytes] of [['index.json', Buffer.from(index)] as const, ...made.blobs]) {
        const path = join(layout, digest === 'index.json' ? digest : `blobs/sha256/${digest.slice(7)}`);
        if (digest === victim) make(path);
        else writeFileSync(path, bytes);
      }
      await rejects(within(10_000, load(scene.engine, layout)), 'MANIFEST', /is no regular file/);
      await isEmpty(scene);
    }
  }
});

test('names of megabytes do not pile up in memory', async ({ scene }) => {
  const long = 'x'.repeat(100_000);
  for (const bytes of [
    archive(pax({ path: long }), file('a')),
    archive(pax({ linkpath: long }), symlink('a', 'b')),
    archive(gnuLong('L', long), file('a')),
  ]) {
    await rejects(load(scene.engine, stream(bytes)), 'LAYER', /longer than 4096 bytes/);
    await isEmpty(scene);
  }
});

test('a hundred thousand names for one image, images in one archive, or layers in one image', async ({
  scene,
}) => {
  const names = Array.from({ length: 100_000 }, (_, i) => `a:${i}`);
  const item = { Config: 'c.json', Layers: ['l/layer.tar'] };
  const items = Array.from({ length: 50_000 }, () => item);
  const cases = [
    docker({ RepoTags: names }),
    docker({ Layers: names }),
    archive(file('c.json', CONFIG), file('l/layer.tar', LAYER), file('manifest.json', JSON.stringify(items))),
  ];
  for (const bytes of cases) {
    await rejects(
      within(20_000, load(scene.engine, stream(bytes, 1 << 20))),
      'MANIFEST',
      /entries, more than/,
    );
    await isEmpty(scene);
  }
});

test('import: what is no archive, and a bad name before anything is read', async ({ scene }) => {
  const { engine } = scene;
  await rejects(importImage(engine, stream(Buffer.from('text '.repeat(500)))), 'LAYER');
  await rejects(importImage(engine, stream(LAYER.subarray(0, 700))), 'LAYER', /truncated/);
  await rejects(importImage(engine, stream(LAYER), 'Bad Name'), 'BAD_REFERENCE');
  await isEmpty(scene);
  const id = await importImage(engine, stream(gzipSync(LAYER)), 'mine:1', { message: 'made here' });
  const record = await imageStore(engine).resolve('mine:1');
  assert.is(record?.id, id);
  assert.equal(record?.layers, [sha256(LAYER)]);
  assert.is(record?.config.history[0]?.comment, 'made here');
  assert.match(record?.layerDescriptors[0]?.mediaType ?? '', /gzip/);
});

test('blobs are dropped where they are not to be kept', async () => {
  const scene = await openLayerScene({ images: { keepBlobs: false, requireSignature: false } });
  await load(scene.engine, stream(docker({ RepoTags: ['app:1'] })));
  await importImage(scene.engine, stream(archive(file('other', 'x'))), 'mine:1');
  const kept = await imageStore(scene.engine).blobs.list();
  assert.is(kept.length, 4, 'two manifests and two configs');
  assert.is(readdirSync(scene.engine.paths.layers).length, 2);
});

test.run();
