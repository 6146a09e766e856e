import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import * as assert from 'uvu/assert';
import { pullAll } from '../../../src/engine/pull-all.ts';
import { push, pushAll } from '../../../src/engine/push.ts';
import { PushMemory } from '../../../src/engine/push-memory.ts';
import type { PushOptions } from '../../../src/engine/types.ts';
import { sha256 } from '../../../src/oci/digest.ts';
import {
  DOCKER_CONFIG,
  DOCKER_LAYER,
  DOCKER_MANIFEST,
  OCI_CONFIG,
  OCI_LAYER,
  OCI_MANIFEST,
} from '../../../src/oci/media-types.ts';
import { startFakeRegistry } from '../../support/fake-registry.ts';
import {
  addImage,
  engineOf,
  failsWith,
  get,
  LIMITS,
  layer,
  pretendUnpacked,
  pullSuite,
  type Scene,
} from '../../support/pull-scene.ts';

/** Push without namespaces: every blob is in the store. */
const test = pullSuite('engine/push');
const send = (scene: Scene, reference: string, options: PushOptions = {}, engine = scene.engine) =>
  push(engine, reference, options, LIMITS);
const uploads = ({ registry }: Scene): number => registry.count(/blobs\/uploads\/u/, 'PUT');

/** Lists an image of uncompressed layers, as `commit` and `load` do. */
async function make(scene: Scene, name: string, layers: readonly Buffer[], docker = false): Promise<string> {
  const { blobs } = scene.images;
  const put = async (bytes: Buffer, mediaType: string) => ({ mediaType, ...(await blobs.put(bytes)) });
  const rootfs = { type: 'layers', diff_ids: layers.map(sha256) };
  const config = Buffer.from(JSON.stringify({ architecture: 'amd64', os: 'linux', config: {}, rootfs }));
  const mediaType = docker ? DOCKER_MANIFEST : OCI_MANIFEST;
  const doc = {
    schemaVersion: 2,
    mediaType,
    config: await put(config, docker ? DOCKER_CONFIG : OCI_CONFIG),
    layers: await Promise.all(layers.map(bytes => put(bytes, docker ? DOCKER_LAYER : OCI_LAYER))),
    annotations: { kept: 'yes' },
    'x-unknown': [1],
  };
  const manifest = await blobs.put(Buffer.from(JSON.stringify(doc)));
  for (const bytes of layers) pretendUnpacked(scene, sha256(bytes));
  return scene.images.add(name, { mediaType, ...manifest });
}

test('what was pulled goes back byte for byte', async scene => {
  const { registry, images } = scene;
  const image = addImage(scene, 'a/b', '1', [layer('x'), layer('y')]);
  const { id } = await get(scene, `${registry.host}/a/b:1`);
  const other = await startFakeRegistry();
  try {
    await images.tag(id, `${other.host}/c/d:2`);
    const result = await send(scene, `${other.host}/c/d:2`);
    assert.equal(result, {
      reference: `${other.host}/c/d:2`,
      digest: image.digest,
      size: image.manifest.length,
    });
    assert.equal(other.manifests.get('c/d:2')?.bytes, image.manifest);
    for (const bytes of [image.config, ...image.layers]) assert.equal(other.blobs.get(sha256(bytes)), bytes);
    assert.equal((await images.resolve(id))?.digests, [
      `${registry.host}/a/b@${image.digest}`,
      `${other.host}/c/d@${image.digest}`,
    ]);
    other.seen.length = 0;
    await send(scene, `${other.host}/c/d:2`);
    assert.equal(other.seen.map(r => r.method).sort(), ['HEAD', 'HEAD', 'HEAD', 'PUT']);
  } finally {
    await other.stop();
  }
});

test('uncompressed layers of a registry stay so: their digest is known', async scene => {
  const { registry, images } = scene;
  const bytes = layer('plain');
  await make(scene, `${registry.host}/a/b:1`, [bytes]);
  const record = await images.resolve(`${registry.host}/a/b:1`);
  assert.ok(record);
  const descriptor = { digest: record.manifestDigest, mediaType: record.mediaType, size: 1 };
  await images.add(undefined, descriptor, { digests: [`${registry.host}/z@${record.manifestDigest}`] });
  assert.is((await send(scene, `${registry.host}/a/b:1`)).digest, record.manifestDigest);
  assert.equal(registry.blobs.get(sha256(bytes)), bytes);
});

for (const docker of [false, true]) {
  test(`layers made here are compressed, everything else stays (${docker ? 'docker' : 'OCI'})`, async scene => {
    const { registry, images } = scene;
    const name = `${registry.host}/a/b:1`;
    const layers = [layer('one'), layer('two'), layer('one')];
    const id = await make(scene, name, layers, docker);
    const { digest } = await send(scene, name);
    const sent = registry.manifests.get('a/b:1');
    assert.is(sent?.type, docker ? DOCKER_MANIFEST : OCI_MANIFEST);
    assert.is(sha256(sent?.bytes ?? ''), digest);
    const doc = JSON.parse(String(sent?.bytes));
    assert.equal([doc.annotations, doc['x-unknown'], doc.config.digest], [{ kept: 'yes' }, [1], id]);
    const unpacked = doc.layers.map((l: { digest: string; size: number; mediaType: string }) => {
      assert.match(l.mediaType, docker ? /diff\.tar\.gzip$/ : /tar\+gzip$/);
      assert.is(registry.blobs.get(l.digest)?.length, l.size);
      return gunzipSync(registry.blobs.get(l.digest) ?? '');
    });
    assert.equal(unpacked, layers);
    assert.is(uploads(scene), 3, 'two layers and the config');
    assert.equal((await images.resolve(name))?.digests, [`${registry.host}/a/b@${digest}`]);
    assert.is((await send(scene, name)).digest, digest);
    assert.is(uploads(scene), 3, 'nothing is sent again');
  });
}

test('compressed layers are mounted into another repository of the registry', async scene => {
  const { registry, images } = scene;
  const id = await make(scene, `${registry.host}/a/b:1`, [layer('one')]);
  const first = await send(scene, `${registry.host}/a/b:1`);
  const doc = JSON.parse(String(registry.manifests.get('a/b:1')?.bytes));
  registry.uploads.mountable.set('a/b', new Set([doc.layers[0].digest]));
  registry.mischief = ({ method, path }) =>
    method === 'HEAD' && path.includes('/c/d/blobs') ? { status: 404 } : undefined;
  await images.tag(id, `${registry.host}/c/d:1`);
  assert.is((await send(scene, `${registry.host}/c/d:1`)).digest, first.digest);
  assert.is(registry.count(/c\/d.*mount=/, 'POST'), 1);
  assert.is(registry.count(/c\/d.*\/u/, 'PATCH'), 0, 'it was not compressed again');
});

test('in pieces, and as the configuration says', async scene => {
  const { registry } = scene;
  const name = `${registry.host}/a/b:1`;
  const random = Buffer.from(Array.from({ length: 9000 }, () => Math.floor(Math.random() * 256)));
  await make(scene, name, [random]);
  const registries = { ...scene.engine.config.registries, chunkSize: 4096 };
  await send(scene, name, {}, engineOf(scene, { registries }));
  assert.ok(registry.uploads.pieces.length >= 3 && Math.max(...registry.uploads.pieces) === 4096);
  registry.blobs.clear();
  registry.uploads.pieces.length = 0;
  await send(scene, name, { chunkSize: 2048 });
  assert.is(Math.max(...registry.uploads.pieces), 2048);
});

test('a blob that does not match its layer is not pushed', async scene => {
  const { registry, images, engine } = scene;
  const name = `${registry.host}/a/b:1`;
  const bytes = layer('good');
  await make(scene, name, [bytes]);
  writeFileSync(images.blobs.path(sha256(bytes)), Buffer.from(bytes).fill('x'));
  await failsWith(send(scene, name), 'STORE_CORRUPT', /does not match its digest/);
  assert.not(registry.manifests.has('a/b:1'));
  assert.not(readdirSync(engine.paths.images).includes('pushed.json'));
});

test('the memory of pushes: bounded, and nonsense in it counts as nothing', async ({ engine }) => {
  const memory = new PushMemory(engine.paths.images);
  const file = join(engine.paths.images, 'pushed.json');
  const id = (n: number): string => sha256(String(n));
  const pushed = (n: number) => ({ mediaType: 'm', digest: id(-n), size: n });
  await memory.add('h/a', new Map(Array.from({ length: 510 }, (_, n) => [id(n), pushed(n)])));
  await memory.add('h/b', new Map([[id(509), pushed(509)]]));
  const read = await memory.read();
  assert.is(read.size, 500);
  assert.equal(read.get(id(509)), { ...pushed(509), repositories: ['h/b', 'h/a'] });
  await memory.add('h/c', new Map([[id(509), pushed(1)]]));
  assert.equal((await memory.read()).get(id(509))?.repositories, ['h/c']);
  for (const text of ['', '[]', 'null', '{"version":2,"layers":{}}', '{"version":1,"layers":null}']) {
    writeFileSync(file, text);
    assert.is((await memory.read()).size, 0, text);
  }
  const odd = {
    [id(1)]: null,
    [id(2)]: { ...pushed(2), repositories: [5] },
    x: { ...pushed(3), repositories: [] },
  };
  writeFileSync(file, JSON.stringify({ version: 1, layers: odd }));
  assert.is((await memory.read()).size, 0);
  writeFileSync(join(engine.paths.images, '.tmp-pushed.json-0'), '');
  await memory.add('h/a', new Map([[id(1), pushed(1)]]));
  assert.equal(
    readdirSync(engine.paths.images).filter(name => name.startsWith('.tmp')),
    [],
  );
  assert.is(JSON.parse(readFileSync(file, 'utf8')).version, 1);
});

test('an image whose name is taken away meanwhile stays away', async scene => {
  const { registry, images } = scene;
  const name = `${registry.host}/a/b:1`;
  const id = await make(scene, name, [layer('one')]);
  registry.mischief = ({ method, path }) => {
    if (method === 'PUT' && path.includes('manifests')) rmSync(join(scene.engine.paths.images, 'index.json'));
    return undefined;
  };
  await send(scene, name);
  assert.is(await images.resolve(id), undefined);
});

test('a failing layer ends the push: no manifest, and nothing is remembered', async scene => {
  const { registry, images } = scene;
  const name = `${registry.host}/a/b:1`;
  const id = await make(scene, name, [layer('one'), layer('two')]);
  registry.mischief = ({ method, path }) =>
    method === 'PUT' && path.includes('uploads') ? { status: 500 } : undefined;
  await failsWith(send(scene, name), 'REGISTRY', /HTTP 500/);
  assert.is(registry.count(/manifests/, 'PUT'), 0);
  assert.equal((await images.resolve(id))?.digests, []);
});

test('every tag: pushed in order, and pulled over pages', async scene => {
  const { registry, engine, images } = scene;
  const repository = `${registry.host}/a/b`;
  const id = await make(scene, `${repository}:one`, [layer('one')]);
  await images.tag(id, `${repository}:two`);
  const pushed = await pushAll(engine, repository, {}, LIMITS);
  assert.equal(
    pushed.map(p => p.reference),
    [`${repository}:one`, `${repository}:two`],
  );
  await failsWith(pushAll(engine, `${registry.host}/a/c`, {}, LIMITS), 'NOT_FOUND', /no such image here/);
  await failsWith(
    pushAll(engine, `${repository}:one`, {}, LIMITS),
    'USAGE',
    /cannot be used with --all-tags/,
  );
  const page = (tags: unknown, link = '') => ({
    status: 200,
    headers: { link, 'content-type': 'application/json' },
    body: JSON.stringify({ name: 'a/b', tags }),
  });
  registry.mischief = ({ path }) => {
    if (path === '/v2/a/b/tags/list?n=1000')
      return page(['one', '../x', 5], '</v2/a/b/tags/list?last=one>; rel="next"');
    if (path === '/v2/a/b/tags/list?last=one')
      return page(['two'], '<http://127.0.0.2:1/v2/a/b/tags/list>; rel="next"');
    return undefined;
  };
  const all = await pullAll(engine, repository, { platform: 'linux/amd64' }, LIMITS);
  assert.equal(
    all.map(p => p.reference),
    [`${repository}:one`, `${repository}:two`],
  );
  registry.mischief = ({ path }) => (path.includes('tags') ? page(null) : undefined);
  await failsWith(pullAll(engine, repository, {}, LIMITS), 'NOT_FOUND', /has no tags/);
  registry.mischief = ({ path }) => (path.includes('tags') ? { status: 404 } : undefined);
  await failsWith(pullAll(engine, repository, {}, LIMITS), 'NOT_FOUND', /has no repository a\/b/);
});

test('what cannot be pushed', async scene => {
  const name = `${scene.registry.host}/a/b:1`;
  await failsWith(send(scene, name), 'NOT_FOUND', /no such image here/);
  await make(scene, name, [layer('x')]);
  await failsWith(send(scene, `a@sha256:${'0'.repeat(64)}`), 'USAGE', /cannot push to a digest/);
  await failsWith(
    send(scene, name, { platform: 'linux/s390x' }),
    'PLATFORM',
    /for linux\/amd64, not for linux\/s390x/,
  );
  const registries = { ...scene.engine.config.registries, blocked: [scene.registry.host] };
  await failsWith(send(scene, name, {}, engineOf(scene, { registries })), 'REGISTRY', /is blocked by/);
});

test.run();
