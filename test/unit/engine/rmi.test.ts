import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Engine } from '../../../src/engine/context.ts';
import { imageStore } from '../../../src/engine/find-image.ts';
import { images } from '../../../src/engine/images.ts';
import { inspectImage } from '../../../src/engine/inspect-image.ts';
import { rmi } from '../../../src/engine/rmi.ts';
import { tag } from '../../../src/engine/tag.ts';
import { sha256 } from '../../../src/oci/digest.ts';
import { encodeManifest } from '../../../src/oci/manifest.ts';
import { OCI_CONFIG, OCI_LAYER, OCI_MANIFEST } from '../../../src/oci/media-types.ts';
import { tryLock } from '../../../src/store/lock.ts';
import { addContainer, engineOf, rejects, tempStore, writeState } from '../../support/container-store.ts';

const test = suite<{ engine: Engine }>('engine: images, tag, rmi, inspect');

test.before.each(context => {
  context.engine = engineOf(tempStore());
});

/** An image without unpacked layers: nothing here needs a namespace. */
async function addImage(
  engine: Engine,
  name: string | undefined,
  labels: Record<string, string> = {},
  created = '2026-01-01T00:00:00Z',
) {
  const { blobs } = imageStore(engine);
  const seed = JSON.stringify([labels, created]);
  const rootfs = { type: 'layers', diff_ids: [sha256(`diff ${seed}`)] };
  const config = {
    created,
    architecture: 'amd64',
    os: 'linux',
    config: { Labels: labels, Cmd: ['sh'] },
    rootfs,
  };
  const layer = await blobs.put(Buffer.from(`layer ${seed}`));
  const blob = await blobs.put(Buffer.from(JSON.stringify(config)));
  const manifest = await blobs.put(
    encodeManifest({
      mediaType: OCI_MANIFEST,
      config: { mediaType: OCI_CONFIG, ...blob },
      layers: [{ mediaType: OCI_LAYER, ...layer }],
    }),
  );
  return imageStore(engine).add(name, { mediaType: OCI_MANIFEST, ...manifest }, { size: 77 });
}

const use = (engine: Engine, id: string) =>
  addContainer(engine.paths, { image: { reference: 'x', id, layers: [] } });
const names = async (engine: Engine) => (await images(engine)).flatMap(i => i.names).sort();

test('a name among others is taken away, the last one takes the image with it', async ({ engine }) => {
  const id = await addImage(engine, 'app');
  await tag(engine, 'app', 'quay.io/team/app:2');
  assert.equal(await rmi(engine, 'app'), { untagged: ['app:latest'], deleted: [] });
  assert.equal(await names(engine), ['quay.io/team/app:2']);
  assert.equal(await rmi(engine, 'quay.io/team/app:2'), { untagged: ['quay.io/team/app:2'], deleted: [id] });
  assert.equal(await names(engine), []);
  assert.equal(await imageStore(engine).blobs.list(), []);
});

test('by id: one repository goes at once, several only with force', async ({ engine }) => {
  const id = await addImage(engine, 'app:1');
  await tag(engine, id, 'app:2');
  assert.equal((await rmi(engine, id)).untagged, ['app:1', 'app:2']);
  const again = await addImage(engine, 'app:1');
  await tag(engine, again, 'other');
  await rejects(rmi(engine, again.slice(7, 19)), 'CONFLICT', /2 repositories/, /--force/);
  assert.equal(await rmi(engine, again.slice(7, 19), { force: true }), {
    untagged: ['app:1', 'other:latest'],
    deleted: [again],
  });
});

test('a stopped container keeps its image, unless forced', async ({ engine }) => {
  const id = await addImage(engine, 'app');
  const container = await use(engine, id);
  const short = new RegExp(container.id.slice(0, 12));
  await rejects(rmi(engine, 'app'), 'CONFLICT', short, /tsbox rm /);
  await rejects(rmi(engine, id), 'CONFLICT', /stopped container/, /--force/);
  assert.equal(await names(engine), ['app:latest']);
  await tag(engine, 'app', 'app:2');
  assert.equal(await rmi(engine, 'app:2'), { untagged: ['app:2'], deleted: [] });
  assert.equal((await rmi(engine, 'app', { force: true })).deleted, [id]);
});

test('a running container keeps its image, whatever is forced; its name can go', async ({ engine }) => {
  const id = await addImage(engine, 'app');
  const container = await use(engine, id);
  writeState(engine.paths, container.id, {});
  await rejects(rmi(engine, id, { force: true }), 'CONFLICT', /running container/, /rm -f/);
  await rejects(rmi(engine, 'app'), 'CONFLICT', /uses its image/, /rm -f/);
  assert.equal(await rmi(engine, 'app', { force: true }), { untagged: ['app:latest'], deleted: [] });
  assert.equal(
    (await images(engine)).map(i => [i.id, i.names]),
    [[id, []]],
  );
});

test('blobs that another image needs stay', async ({ engine }) => {
  await addImage(engine, 'one', { a: '1' });
  const two = await addImage(engine, 'two', { a: '2' });
  const before = (await imageStore(engine).blobs.list()).length;
  await rmi(engine, 'one');
  assert.is((await imageStore(engine).blobs.list()).length, before - 3);
  assert.is((await inspectImage(engine, 'two')).Id, two);
});

test('nothing is collected while an image is being added', async ({ engine }) => {
  await addImage(engine, 'one');
  await imageStore(engine).blobs.put(Buffer.from('on its way'));
  const adding = await tryLock(`${engine.paths.images}/garbage.lock`, { kind: 'shared' });
  await rmi(engine, 'one');
  assert.is((await imageStore(engine).blobs.list()).length, 4);
  await adding?.release();
  await addImage(engine, 'two');
  await rmi(engine, 'two');
  assert.equal(await imageStore(engine).blobs.list(), []);
});

test('what is not there, or is no name', async ({ engine }) => {
  for (const work of [
    () => rmi(engine, 'none'),
    () => rmi(engine, sha256('none')),
    () => tag(engine, 'none', 'x'),
    () => inspectImage(engine, 'none'),
    () => images(engine, { filters: { before: ['none'] } }),
  ]) {
    await rejects(work(), 'NOT_FOUND', /no such image/, /tsbox images/);
  }
  const id = await addImage(engine, 'app');
  await rejects(rmi(engine, 'UPPER'), 'BAD_REFERENCE');
  await rejects(tag(engine, 'app', 'Bad Name'), 'BAD_REFERENCE');
  await rejects(tag(engine, 'app', `app@${id}`), 'BAD_REFERENCE');
});

test('newest first, filtered as docker does', async ({ engine }) => {
  await addImage(engine, 'old/app:1', { tier: 'a', x: '' }, '2024-01-01T00:00:00Z');
  await addImage(engine, 'localhost:5000/new:2', { tier: 'b' }, '2026-01-01T00:00:00Z');
  await addImage(engine, undefined, { tier: 'a' }, '2025-01-01T00:00:00Z');
  const list = async (filters: Record<string, string[]>, reference?: string) =>
    (await images(engine, { filters, ...(reference !== undefined && { reference }) })).map(
      i => i.names[0] ?? '<none>',
    );
  assert.equal(await list({}), ['localhost:5000/new:2', '<none>', 'old/app:1']);
  assert.equal(await list({ dangling: ['true'] }), ['<none>']);
  assert.equal(await list({ dangling: ['0'] }), ['localhost:5000/new:2', 'old/app:1']);
  assert.equal(await list({ label: ['tier=a'] }), ['<none>', 'old/app:1']);
  assert.equal(await list({ label: ['tier=a', 'x'] }), ['old/app:1']);
  assert.equal(await list({ before: ['localhost:5000/new:2'] }), ['<none>', 'old/app:1']);
  assert.equal(await list({ since: ['old/app:1'] }), ['localhost:5000/new:2', '<none>']);
  for (const pattern of ['old/app', 'old/app:1', 'old/*', '*/app', 'docker.io/old/app', 'old/ap?:1']) {
    assert.equal(await list({ reference: [pattern] }), ['old/app:1'], pattern);
  }
  for (const pattern of ['app', 'old', '*', 'old/app:2', 'old.app'])
    assert.equal(await list({ reference: [pattern] }), [], pattern);
  assert.equal(await list({}, 'localhost:5000/new'), ['localhost:5000/new:2']);
  // Of an image with several names, those that match.
  await tag(engine, 'old/app:1', 'second');
  assert.equal(
    (await images(engine, { reference: 'second' })).map(i => i.names),
    [['second:latest']],
  );
  assert.equal((await images(engine, { filters: { reference: ['second', 'old/*'] } }))[0]?.names.length, 2);
  await rejects(list({ colour: ['red'] }), 'USAGE', /colour/, /dangling/);
  await rejects(list({ dangling: ['perhaps'] }), 'USAGE', /perhaps/);
});

test('inspect has the shape of docker’s', async ({ engine }) => {
  const id = await addImage(engine, 'app', { a: '1' });
  const { Id, RepoTags, Config, RootFS, Size, Os, Architecture, Created } = await inspectImage(engine, 'app');
  assert.equal(
    { Id, RepoTags, Size, Os, Architecture, Created },
    {
      Id: id,
      RepoTags: ['app:latest'],
      Size: 77,
      Os: 'linux',
      Architecture: 'amd64',
      Created: '2026-01-01T00:00:00Z',
    },
  );
  const { Cmd, Entrypoint, Labels, WorkingDir } = Config as Record<string, unknown>;
  assert.equal(
    { Cmd, Entrypoint, Labels, WorkingDir },
    { Cmd: ['sh'], Entrypoint: null, Labels: { a: '1' }, WorkingDir: '' },
  );
  assert.is((RootFS as { Layers: unknown[] }).Layers.length, 1);
});

test.run();
