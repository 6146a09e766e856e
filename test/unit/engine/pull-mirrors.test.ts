import * as assert from 'uvu/assert';
import { sha256 } from '../../../src/oci/digest.ts';
import { startFakeRegistry } from '../../support/fake-registry.ts';
import { addImage, engineOf, failsWith, get, layer, pullSuite } from '../../support/pull-scene.ts';

/** Mirrors of a registry, and what a short name stands for. */
const test = pullSuite('engine/pull: mirrors and aliases');

test("docker.io's mirror serves alpine", async scene => {
  const image = addImage(scene, 'library/alpine', 'latest', [layer('x')]);
  const registries = {
    mirrors: { 'docker.io': [scene.registry.host] },
    insecure: [],
    blocked: [],
    aliases: {},
  };
  const result = await get(scene, 'alpine', {}, engineOf(scene, { registries }));
  assert.is(result.reference, 'docker.io/library/alpine:latest');
  const record = await scene.images.resolve('alpine');
  assert.is(record?.id, sha256(image.config));
  assert.equal(record?.digests, [`docker.io/library/alpine@${image.digest}`]);
});

test('a mirror that fails is passed over, also in the middle', async scene => {
  const mirror = await startFakeRegistry();
  try {
    const image = addImage(scene, 'a/b', '1', [layer('x'), layer('y')]);
    mirror.addImage('a/b', '1', [layer('x'), layer('y')]);
    mirror.blobs.delete(sha256(image.layers[1] ?? ''));
    const registries = {
      mirrors: { [scene.registry.host]: [mirror.host] },
      insecure: [],
      blocked: [],
      aliases: {},
    };
    const engine = engineOf(scene, { registries });
    assert.is((await get(scene, `${scene.registry.host}/a/b:1`, {}, engine)).id, sha256(image.config));
    assert.is(mirror.count(/blobs/) > 0, true);
    await failsWith(
      get(scene, `${scene.registry.host}/no/such`, {}, engine),
      'NOT_FOUND',
      /mirrors failed before: 127/,
    );
  } finally {
    await mirror.stop();
  }
});

test('a short name stands for what its alias says; what is here under docker.io goes before it', async scene => {
  const { registry, images } = scene;
  const image = addImage(scene, 'team/fedora', '40', [layer('x')]);
  const repository = `${registry.host}/team/fedora`;
  const registries = { ...scene.engine.config.registries, aliases: { fedora: repository } };
  const engine = engineOf(scene, { registries });
  assert.is((await get(scene, 'fedora:40', {}, engine)).reference, `${repository}:40`);
  registry.seen.length = 0;
  const here = await get(scene, 'fedora:40', { policy: 'missing' }, engine);
  assert.equal([here.reference, here.downloaded, registry.seen.length], [`${repository}:40`, false, 0]);
  const { findImage } = await import('../../../src/engine/find-image.ts');
  assert.is((await findImage(engine, 'fedora:40')).id, sha256(image.config));
  await failsWith(findImage(engine, 'fedora:41'), 'NOT_FOUND', /no such image: fedora:41/);
  await images.tag(here.id, 'docker.io/library/fedora:40');
  assert.is(
    (await get(scene, 'fedora:40', { policy: 'never' }, engine)).reference,
    'docker.io/library/fedora:40',
  );
});

test('a registry that lets one more is said, once', async scene => {
  const { registry, warned } = scene;
  addImage(scene, 'a/b', '1', [layer('x')]);
  registry.mischief = ({ path }) =>
    path.includes('manifests')
      ? { headers: { 'ratelimit-limit': '100;w=21600', 'ratelimit-remaining': '1;w=21600' } }
      : undefined;
  await get(scene, `${registry.host}/a/b:1`);
  assert.equal(warned.filter(text => text.includes('1 more pulls of 100 within 6 hours')).length, 1);
});

test.run();
