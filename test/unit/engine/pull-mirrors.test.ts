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

test.run();
