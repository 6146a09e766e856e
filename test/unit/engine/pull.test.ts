import { rmSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { ensureImage, pull } from '../../../src/engine/pull.ts';
import type { ProgressEvent } from '../../../src/log.ts';
import { sha256 } from '../../../src/oci/digest.ts';
import { OCI_CONFIG, OCI_LAYER_GZIP, OCI_MANIFEST } from '../../../src/oci/media-types.ts';
import {
  addImage,
  assertNothingHalfMade,
  engineOf,
  failsWith,
  get,
  LIMITS,
  layer,
  pullSuite,
} from '../../support/pull-scene.ts';

/** The registry half of `pull`. */
const test = pullSuite('engine/pull');

test('pulls by tag, names it, and fetches nothing the second time', async scene => {
  const { registry, images } = scene;
  const image = addImage(scene, 'a/b', '1', [layer('x'), layer('y')]);
  const result = await get(scene, `${registry.host}/a/b:1`);
  const reference = `${registry.host}/a/b:1`;
  assert.equal(result, { id: sha256(image.config), reference, digest: image.digest, downloaded: true });
  const record = await images.resolve(`${registry.host}/a/b:1`);
  assert.equal(record?.names, [reference]);
  assert.equal(record?.digests, [`${registry.host}/a/b@${image.digest}`]);
  assert.equal(record?.layers, image.diffIds);
  assert.is(record?.size, 2468);
  for (const blob of image.layers) assert.ok(await images.blobs.has(sha256(blob)));
  assertNothingHalfMade(scene);
  registry.seen.length = 0;
  assert.not((await get(scene, reference)).downloaded);
  assert.equal(
    registry.seen.map(request => request.method),
    ['HEAD'],
  );
});

test('a tag that moved is fetched, the shared layer is not', async scene => {
  const { registry, images } = scene;
  const old = addImage(scene, 'a/b', '1', [layer('base'), layer('old')]);
  await get(scene, `${registry.host}/a/b:1`);
  addImage(scene, 'a/b', '1', [layer('base'), layer('new')]);
  registry.seen.length = 0;
  const result = await get(scene, `${registry.host}/a/b:1`);
  assert.ok(result.downloaded);
  assert.is(registry.count(/blobs/), 2, 'config and one layer');
  assert.is((await images.resolve(`${registry.host}/a/b:1`))?.id, result.id);
  assert.equal((await images.resolve(sha256(old.config)))?.names, []);
});

test('by digest: no name, also when a tag stands before it', async scene => {
  const { registry, images } = scene;
  const image = addImage(scene, 'a/b', '1', [layer('x')]);
  const reference = `${registry.host}/a/b:1@${image.digest}`;
  assert.is((await get(scene, reference)).reference, reference);
  const record = await images.resolve(`${registry.host}/a/b@${image.digest}`);
  assert.equal(record?.names, []);
  assert.equal(record?.digests, [`${registry.host}/a/b@${image.digest}`]);
  assert.not((await get(scene, reference)).downloaded);
  assert.is(registry.count(/manifests/), 1, 'a digest that is here is not asked for again');
});

test('policies', async scene => {
  const { registry } = scene;
  const reference = `${registry.host}/a/b:1`;
  addImage(scene, 'a/b', '1', [layer('x')]);
  await failsWith(get(scene, reference, { policy: 'never' }), 'NOT_FOUND', /no such image here/);
  assert.is(registry.seen.length, 0);
  assert.ok((await get(scene, reference, { policy: 'missing' })).downloaded);
  registry.seen.length = 0;
  assert.not((await get(scene, reference, { policy: 'missing' })).downloaded);
  assert.not((await get(scene, reference, { policy: 'never' })).downloaded);
  assert.is(registry.seen.length, 0);
});

test('an image whose tree is missing is not "here"', async scene => {
  const { registry, engine } = scene;
  const reference = `${registry.host}/a/b:1`;
  const image = addImage(scene, 'a/b', '1', [layer('x')]);
  await get(scene, reference);
  rmSync(join(engine.paths.layers, (image.diffIds[0] ?? '').slice(7)), { recursive: true });
  await failsWith(get(scene, reference, { policy: 'never' }), 'NOT_FOUND', /no such image here/);
});

test('chooses from an index and says what there is', async scene => {
  const { registry } = scene;
  const amd = addImage(scene, 'a/b', 'amd', [layer('x')]);
  const arm = addImage(scene, 'a/b', 'arm', [layer('y')], { architecture: 'arm64' });
  const top = registry.addIndex('a/b', 'both', [
    { digest: arm.digest, platform: 'linux/arm64/v8' },
    { digest: amd.digest, platform: 'linux/amd64' },
  ]);
  const reference = `${registry.host}/a/b:both`;
  const first = await get(scene, reference);
  assert.is(first.id, sha256(amd.config));
  assert.is(first.digest, top);
  assert.is((await get(scene, reference, { platform: 'linux/arm64' })).id, sha256(arm.config));
  await failsWith(
    get(scene, reference, { platform: 'linux/s390x' }),
    'PLATFORM',
    /it has linux\/arm64, linux\/amd64|it has linux\/arm64\/v8, linux\/amd64/,
  );
  assert.is((await get(scene, `${registry.host}/a/b@${top}`)).digest, top);
});

test('a lone image for another platform: an error when asked for, else a warning', async scene => {
  const { registry, engine } = scene;
  addImage(scene, 'a/b', '1', [layer('x')], { architecture: 's390x' });
  await failsWith(
    get(scene, `${registry.host}/a/b:1`),
    'PLATFORM',
    /is for linux\/s390x, not for linux\/amd64/,
  );
  await pull(engine, `${registry.host}/a/b:1`, {}, LIMITS);
  assert.match(scene.warned.join(), /is for linux\/s390x/);
  addImage(scene, 'a/b', '2', [layer('x')], { os: 'windows' });
  await failsWith(pull(engine, `${registry.host}/a/b:2`, {}, LIMITS), 'PLATFORM', /windows/);
});

test('a damaged layer names nothing and leaves nothing half-made', async scene => {
  const { registry, images } = scene;
  const image = addImage(scene, 'a/b', '1', [layer('x'), layer('y')]);
  const bad = sha256(image.layers[1] ?? '');
  registry.mischief = request => (request.path.endsWith(bad) ? { corrupt: true } : undefined);
  await failsWith(get(scene, `${registry.host}/a/b:1`), 'DIGEST', /content of sha256/);
  assert.is(await images.resolve(`${registry.host}/a/b:1`), undefined);
  assert.not(await images.blobs.has(bad));
  assertNothingHalfMade(scene);
  registry.mischief = () => undefined;
  assert.ok((await get(scene, `${registry.host}/a/b:1`)).downloaded);
});

test('a damaged config and a damaged manifest are refused', async scene => {
  const { registry } = scene;
  const image = addImage(scene, 'a/b', '1', []);
  registry.mischief = request =>
    request.path.endsWith(sha256(image.config)) ? { corrupt: true } : undefined;
  await failsWith(get(scene, `${registry.host}/a/b:1`), 'DIGEST', /content of sha256/);
  registry.mischief = request => (request.method === 'GET' ? { corrupt: true } : undefined);
  await failsWith(get(scene, `${registry.host}/a/b@${image.digest}`), 'DIGEST', /.*/);
  assertNothingHalfMade(scene);
});

test('a connection that breaks is resumed, and said', async scene => {
  const { registry } = scene;
  const image = addImage(scene, 'a/b', '1', [
    Buffer.from(Array.from({ length: 300_000 }, () => Math.random() * 256)),
  ]);
  const path = sha256(image.layers[0] ?? '');
  registry.mischief = (request, nth) =>
    request.path.endsWith(path) && nth === 1 ? { cutAfter: 100_000 } : undefined;
  const events: ProgressEvent[] = [];
  await get(scene, `${registry.host}/a/b:1`, { onProgress: event => events.push(event) });
  assert.is(registry.seen.filter(request => request.headers.range !== undefined).length, 1);
  const said = events.map(event => event.status);
  for (const word of [
    /^Pulling from a\/b$/,
    /^Pulling fs layer$/,
    /^Downloading$/,
    /^Retrying in 1 seconds$/,
    /^Download complete$/,
    /^Pull complete$/,
  ]) {
    assert.ok(
      said.some(status => word.test(status)),
      `${word} of ${said.join()}`,
    );
  }
});

test('layers come three at a time, equal ones once', async scene => {
  const { registry } = scene;
  const layers = ['a', 'b', 'c', 'd', 'e', 'a', 'a'].map(layer);
  addImage(scene, 'a/b', '1', layers);
  let open = 0;
  let most = 0;
  registry.mischief = request => {
    if (request.method !== 'GET' || !request.path.includes('blobs')) return undefined;
    open += 1;
    most = Math.max(most, open);
    setTimeout(() => {
      open -= 1;
    }, 90);
    return { delay: 100 };
  };
  await get(scene, `${registry.host}/a/b:1`);
  assert.is(most, 3);
  assert.is(registry.count(/blobs/), 6, 'config and five layers');
});

test('space is checked before a layer is asked for', async scene => {
  const { registry } = scene;
  const image = addImage(scene, 'a/b', '1', [layer('x')]);
  const text = image.manifest
    .toString()
    .replace(`"size":${image.layers[0]?.length}`, '"size":8000000000000000');
  registry.addManifest('a/b', 'huge', OCI_MANIFEST, Buffer.from(text));
  await failsWith(
    get(scene, `${registry.host}/a/b:huge`),
    'NO_SPACE',
    /needs about 8000000\.0 GB, but .* has /,
  );
  assert.is(registry.count(new RegExp(sha256(image.layers[0] ?? ''))), 0);
});

const ODD: ReadonlyArray<readonly [string, (text: string) => string, RegExp]> = [
  [
    'an artifact',
    text => text.replace(OCI_CONFIG, 'application/vnd.cncf.helm.config.v1+json'),
    /no container image/,
  ],
  [
    'an unknown layer',
    text => text.replace(OCI_LAYER_GZIP, 'application/x-layer'),
    /unknown type "application\/x-layer"/,
  ],
  [
    'a layer too many',
    text => text.replace(/"layers":\[(.*?)\]/, '"layers":[$1,$1]'),
    /2 layers and its config 1/,
  ],
  ['a huge config', text => text.replace(/("config":.*?"size":)[0-9]+/, '$1999999999'), /config is larger/],
];
for (const [name, change, problem] of ODD) {
  test(`refuses ${name}`, async scene => {
    const image = addImage(scene, 'a/b', '1', [layer('x')]);
    scene.registry.addManifest('a/b', 'odd', OCI_MANIFEST, Buffer.from(change(image.manifest.toString())));
    await failsWith(get(scene, `${scene.registry.host}/a/b:odd`), 'MANIFEST', problem);
    assertNothingHalfMade(scene);
  });
}

test('without keep_blobs a layer is checked and not kept', async scene => {
  const { registry, images } = scene;
  const image = addImage(scene, 'a/b', '1', [layer('x')]);
  const engine = engineOf(scene, { images: { keepBlobs: false, requireSignature: false } });
  await get(scene, `${registry.host}/a/b:1`, {}, engine);
  assert.not(await images.blobs.has(sha256(image.layers[0] ?? '')));
  assert.is((await images.resolve(`${registry.host}/a/b:1`))?.id, sha256(image.config));
});

test('pulls at once download each blob once, also when one of them is called off', async scene => {
  const { registry } = scene;
  addImage(scene, 'a/b', '1', ['a', 'b', 'c', 'd'].map(layer));
  registry.mischief = ({ path }) => (path.includes('/blobs/') ? { delay: 100 } : undefined);
  const stop = new AbortController();
  const name = `${registry.host}/a/b:1`;
  const pulls = [1, 2, 3].map(() => get(scene, name));
  const calledOff = get(scene, name, {}, engineOf(scene, {}, stop.signal)).catch(() => undefined);
  setTimeout(() => stop.abort(), 250);
  const results = await Promise.all(pulls);
  await calledOff;
  assert.is(new Set(results.map(result => result.id)).size, 1);
  const complete = registry.seen.filter(({ method, path }) => method === 'GET' && path.includes('/blobs/'));
  const paths = complete.map(({ path }) => path);
  // What the one that was called off had begun is begun again.
  assert.ok(paths.length <= new Set(paths).size + 3, paths.join(' '));
  assertNothingHalfMade(scene);
});

test('two pulls at once download each blob once', async scene => {
  const { registry } = scene;
  addImage(scene, 'a/b', '1', ['a', 'b', 'c', 'd'].map(layer));
  addImage(scene, 'a/c', '1', ['a', 'b', 'e'].map(layer));
  registry.mischief = ({ path }) => (path.includes('/blobs/') ? { delay: 100 } : undefined);
  const names = ['a/b:1', 'a/b:1', 'a/c:1'];
  await Promise.all(names.map(name => get(scene, `${registry.host}/${name}`)));
  const digests = registry.seen.flatMap(({ path }) => /blobs\/(sha256:[0-9a-f]+)/.exec(path)?.[1] ?? []);
  assert.is(digests.length, 5 + 2);
  assert.is(new Set(digests).size, 5 + 2);
  assertNothingHalfMade(scene);
});

test('an abort leaves nothing half-made', async scene => {
  const { registry } = scene;
  const stop = new AbortController();
  addImage(scene, 'a/b', '1', [layer('x'), layer('y')]);
  registry.mischief = request =>
    /GET/.test(request.method) && request.path.includes('blobs') ? { dripMs: 50 } : undefined;
  setTimeout(() => stop.abort(), 150);
  await failsWith(
    get(scene, `${registry.host}/a/b:1`, {}, engineOf(scene, {}, stop.signal)),
    'ABORTED',
    /cancelled/,
  );
  assertNothingHalfMade(scene);
});

test('ensureImage: by name, by id, by policy', async scene => {
  const { registry, engine } = scene;
  const image = addImage(scene, 'a/b', '1', [layer('x')]);
  const reference = `${registry.host}/a/b:1`;
  await failsWith(ensureImage(engine, reference, { policy: 'never' }), 'NOT_FOUND', /no such image here/);
  const id = sha256(image.config);
  assert.is((await ensureImage(engine, reference, { platform: 'linux/amd64' })).id, id);
  registry.seen.length = 0;
  assert.is((await ensureImage(engine, reference, {})).id, id);
  assert.is((await ensureImage(engine, id, { policy: 'always' })).id, id);
  assert.is((await ensureImage(engine, id.slice(7, 19), {})).id, id);
  assert.is(registry.seen.length, 0);
  await ensureImage(engine, reference, { policy: 'always' });
  assert.is(registry.seen.length, 1);
  await failsWith(ensureImage(engine, 'f'.repeat(64), {}), 'NOT_FOUND', /no such image here/);
  await failsWith(ensureImage(engine, 'Bad Name', {}), 'BAD_REFERENCE', /invalid image reference/);
});

test.run();
