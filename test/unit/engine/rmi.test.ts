import { mkdirSync, readdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { collect, whileAdding } from '../../../src/engine/collect.ts';
import type { Engine } from '../../../src/engine/context.ts';
import { imageStore } from '../../../src/engine/find-image.ts';
import { images } from '../../../src/engine/images.ts';
import { inspectImage } from '../../../src/engine/inspect-image.ts';
import { rmi } from '../../../src/engine/rmi.ts';
import { sweep } from '../../../src/engine/sweep.ts';
import { tag } from '../../../src/engine/tag.ts';
import { TsboxError } from '../../../src/errors.ts';
import { sha256 } from '../../../src/oci/digest.ts';
import { encodeManifest } from '../../../src/oci/manifest.ts';
import { OCI_CONFIG, OCI_LAYER, OCI_MANIFEST } from '../../../src/oci/media-types.ts';
import { LayerStore } from '../../../src/store/layers.ts';
import { addContainer, engineOf, rejects, tempStore, writeState } from '../../support/container-store.ts';
import { within } from '../../support/within.ts';

const test = suite<{ engine: Engine }>('engine: images, tag, rmi, inspect');

test.before.each(context => {
  context.engine = engineOf(tempStore());
  mkdirSync(context.engine.paths.images);
});

/** An image without unpacked layers: nothing here needs a namespace. */
async function addImage(
  engine: Engine,
  name: string | undefined,
  labels: Record<string, string> = {},
  created = '2026-01-01T00:00:00Z',
  digests: readonly string[] = [],
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
  return imageStore(engine).add(name, { mediaType: OCI_MANIFEST, ...manifest }, { size: 77, digests });
}

function addLayer(engine: Engine, diffId: string): void {
  const dir = new LayerStore(engine.paths.layers).path(diffId);
  mkdirSync(join(dir, 'fs'), { recursive: true });
  writeFileSync(join(dir, 'layer.json'), JSON.stringify({ version: 1, diffId, size: 5, entries: 1 }));
}

const exactly = (text: string): RegExp => new RegExp(`^${text.replace(/[()]/g, '\\$&')}$`);

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

test('by id: one tag with its digests goes at once, several only with force', async ({ engine }) => {
  const digest = `app@${sha256('index')}`;
  const id = await addImage(engine, 'app:1', {}, undefined, [`docker.io/library/${digest}`]);
  assert.equal((await rmi(engine, id)).untagged, ['app:1', digest]);
  const again = await addImage(engine, 'app:1');
  const words = `conflict: unable to delete ${id.slice(7, 19)} (must be forced) - image is referenced in multiple repositories`;
  for (const name of ['app:2', 'other']) {
    await tag(engine, again, name);
    await rejects(rmi(engine, again.slice(7, 19)), 'CONFLICT', exactly(words), /--force/);
  }
  assert.equal(await rmi(engine, again.slice(7, 19), { force: true }), {
    untagged: ['app:1', 'app:2', 'other:latest'],
    deleted: [again],
  });
});

test('with the last tag of a repository go its digests, but not the image that has another name', async ({
  engine,
}) => {
  const [one, two] = ['docker.io/library/app', 'quay.io/app'].map(name => `${name}@${sha256('index')}`);
  await addImage(engine, 'app:1', {}, undefined, [one ?? '', two ?? '']);
  await tag(engine, 'app:1', 'app:2');
  assert.equal((await rmi(engine, 'app:1')).untagged, ['app:1']);
  assert.equal(await rmi(engine, 'app:2'), {
    untagged: ['app:2', `app@${sha256('index')}`],
    deleted: [],
  });
  const [left] = await images(engine);
  assert.equal([left?.names, left?.digests], [[], [two]]);
});

test('a stopped container keeps its image, unless forced', async ({ engine }) => {
  const id = await addImage(engine, 'app');
  const container = await use(engine, id);
  const by = `container ${container.id.slice(0, 12)}`;
  const reference = `conflict: unable to remove repository reference "app" (must force) - ${by} is using its referenced image ${id.slice(7, 19)}`;
  const delete_ = `conflict: unable to delete ${id.slice(7, 19)} (must be forced) - image is being used by stopped ${by}`;
  await rejects(rmi(engine, 'app'), 'CONFLICT', exactly(reference), /tsbox rm /);
  await rejects(rmi(engine, id), 'CONFLICT', exactly(delete_), /--force/);
  assert.equal(await names(engine), ['app:latest']);
  await tag(engine, 'app', 'app:2');
  assert.equal(await rmi(engine, 'app:2'), { untagged: ['app:2'], deleted: [] });
  assert.equal((await rmi(engine, 'app', { force: true })).deleted, [id]);
});

test('a running container keeps its image, whatever is forced; its name can go', async ({ engine }) => {
  const id = await addImage(engine, 'app');
  const container = await use(engine, id);
  writeState(engine.paths, container.id, {});
  await rejects(
    rmi(engine, id, { force: true }),
    'CONFLICT',
    /\(cannot be forced\) - image is being used by running container/,
    /rm -f/,
  );
  await rejects(rmi(engine, 'app'), 'CONFLICT', /is using its referenced image/, /rm -f/);
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

test('while an image is being added, what was asked for since stays; the rest goes', async ({ engine }) => {
  await addImage(engine, 'one');
  const { blobs } = imageStore(engine);
  const old = new Date(Date.now() - 3_600_000);
  const put = async (text: string, size: number) => {
    const { digest } = await blobs.put(Buffer.alloc(size, text));
    utimesSync(blobs.path(digest), old, old);
    return digest;
  };
  const [garbage, wanted, small] = [
    await put('garbage', 2 << 20),
    await put('wanted', 2 << 20),
    await put('small', 10),
  ];
  await whileAdding(engine, async () => {
    assert.ok(await blobs.has(wanted));
    const fresh = await blobs.put(Buffer.alloc(2 << 20, 'on its way'));
    const { blobs: taken } = await within(2000, collect(engine), 'no lock is held while images are added');
    assert.equal(taken, [garbage]);
    assert.ok(await blobs.has(fresh.digest));
    assert.ok(await blobs.has(small));
  });
  // Whoever it was spared for has looked again at its end.
  assert.is((await blobs.list()).length, 3);
  await rmi(engine, 'one');
  assert.equal(await blobs.list(), []);
  assert.equal(readdirSync(engine.paths.tmp), []);
});

test('the mark of a command that was killed does not count', async ({ engine }) => {
  mkdirSync(join(engine.paths.tmp, 'adding-0123456789abcdef'));
  await imageStore(engine).blobs.put(Buffer.from('left by it'));
  assert.is((await collect(engine)).blobs.length, 1);
  await imageStore(engine).blobs.put(Buffer.from('left by it'));
  await sweep(engine);
  assert.equal(await imageStore(engine).blobs.list(), []);
  assert.equal(readdirSync(engine.paths.tmp), []);
});

test('a container keeps its layers, also one whose image is gone', async ({ engine }) => {
  const used = sha256('used');
  addLayer(engine, used);
  await addContainer(engine.paths, { image: { reference: 'x', id: sha256('gone'), layers: [used] } });
  assert.equal((await collect(engine)).layers, []);
  assert.ok(await new LayerStore(engine.paths.layers).has(used));
});

test('a damaged image: the others are listed, nothing is collected, it can be removed', async ({
  engine,
}) => {
  const id = await addImage(engine, 'bad', { a: '1' });
  await addImage(engine, 'good', { a: '2' });
  const { blobs } = imageStore(engine);
  const { manifestDigest } = (await imageStore(engine).resolve('bad')) ?? {};
  await blobs.remove(manifestDigest ?? '');
  assert.equal(await names(engine), ['good:latest']);
  await rejects(collect(engine), 'STORE_CORRUPT', /missing/, /system check/);
  assert.equal((await rmi(engine, 'bad')).deleted, [id]);
  await collect(engine);
  assert.is((await blobs.list()).length, 3);
});

test('when the disk is full, what a failed command leaves unused is removed', async ({ engine }) => {
  const { blobs } = imageStore(engine);
  const failing = (code: 'NO_SPACE' | 'REGISTRY') =>
    whileAdding(engine, async () => {
      await blobs.put(Buffer.from(code));
      throw new TsboxError(code, 'as told', { hint: 'none' });
    });
  await rejects(failing('REGISTRY'), 'REGISTRY');
  assert.is((await blobs.list()).length, 1, 'a next pull finds it');
  await rejects(failing('NO_SPACE'), 'NO_SPACE');
  assert.equal(await blobs.list(), []);
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
