import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { sha256 } from '../../../src/oci/digest.ts';
import { type Descriptor, encodeManifest } from '../../../src/oci/manifest.ts';
import { OCI_CONFIG, OCI_LAYER, OCI_MANIFEST } from '../../../src/oci/media-types.ts';
import { ImageStore } from '../../../src/store/images.ts';

const test = suite<{ dir: string; images: ImageStore }>('store: images');

test.before.each(context => {
  context.dir = mkdtempSync(join(tmpdir(), 'tsbox-images-'));
  context.images = new ImageStore(join(context.dir, 'images'), join(context.dir, 'tmp'));
});
test.after.each(({ dir }) => rmSync(dir, { recursive: true }));

/** Stores an image that differs from others by `label`; `variant` changes the manifest, not the config. */
async function store(
  images: ImageStore,
  label: string,
  variant = 'a',
): Promise<{ id: string; manifest: Descriptor }> {
  const layer = { mediaType: OCI_LAYER, digest: sha256(`${label} layer ${variant}`), size: 10 };
  const config = {
    created: '2026-01-02T03:04:05Z',
    architecture: 'amd64',
    os: 'linux',
    config: { Labels: { label } },
    rootfs: { type: 'layers', diff_ids: [sha256(`${label} diff`)] },
  };
  const blob = await images.blobs.put(Buffer.from(JSON.stringify(config)));
  const manifest = await images.blobs.put(
    encodeManifest({ mediaType: OCI_MANIFEST, config: { mediaType: OCI_CONFIG, ...blob }, layers: [layer] }),
  );
  return { id: blob.digest, manifest: { mediaType: OCI_MANIFEST, ...manifest } };
}

const namesById = async (images: ImageStore) =>
  Object.fromEntries((await images.list()).map(i => [i.config.config.Labels?.label, i.names]));

async function codeOf(work: Promise<unknown>): Promise<string | undefined> {
  return work.then(
    () => undefined,
    (error: { code?: string }) => error.code,
  );
}

test('an empty store has no images', async ({ images }) => {
  assert.equal(await images.list(), []);
  assert.is(await images.resolve('alpine'), undefined);
  assert.equal([...(await images.referenced())], []);
});

test('found by every form of its name and id', async ({ images }) => {
  const { id, manifest } = await store(images, 'one');
  const extra = { size: 1234, digests: [`docker.io/library/alpine@${sha256('index')}`] };
  assert.is(await images.add('alpine', manifest, extra), id);
  const forms = [
    'alpine',
    'alpine:latest',
    'library/alpine',
    'docker.io/library/alpine:latest',
    'index.docker.io/alpine',
    `alpine@${sha256('index')}`,
    `alpine@${manifest.digest}`,
    id,
    id.slice(7),
    id.slice(7, 19),
    id.slice(0, 19),
    id.slice(7, 9),
    manifest.digest,
  ];
  for (const form of forms) assert.is((await images.resolve(form))?.id, id, form);
  const absent = [
    'alpin',
    'alpine:3',
    'quay.io/alpine',
    `alpine@${sha256('no')}`,
    `debian@${manifest.digest}`,
    sha256('no'),
  ];
  for (const form of absent) assert.is(await images.resolve(form), undefined, form);
  const record = await images.resolve('alpine');
  assert.is(record?.size, 1234);
  assert.is(record?.created, '2026-01-02T03:04:05Z');
  assert.equal(record?.layers, [sha256('one diff')]);
  assert.equal(record?.names, ['docker.io/library/alpine:latest']);
  assert.is(record?.layerDescriptors.length, 1);
});

test('what can be neither name nor id is an error', async ({ images }) => {
  for (const form of ['', 'UPPER', 'a b', 'a:b:c/d', '../x', 'x'.repeat(300)]) {
    assert.is(await codeOf(images.resolve(form)), 'BAD_REFERENCE', form);
  }
});

test('the beginning of several ids is an error', async ({ images }) => {
  const first = new Map<string, string>();
  for (let i = 0; i < 300; i++) {
    const { id, manifest } = await store(images, `n${i}`);
    const prefix = id.slice(7, 9);
    if (first.has(prefix)) {
      await images.add(undefined, manifest);
      assert.is(await codeOf(images.resolve(prefix)), 'BAD_REFERENCE');
      assert.is((await images.resolve(id.slice(7, 30)))?.id, id);
      return;
    }
    first.set(prefix, id);
    await images.add(undefined, manifest);
  }
  assert.unreachable('300 ids without a common beginning');
});

test('a name wins over the beginning of an id', async ({ images }) => {
  const one = await store(images, 'one');
  const two = await store(images, 'two');
  await images.add('x', one.manifest);
  const prefix = one.id.slice(7, 12);
  await images.add(prefix, two.manifest);
  assert.is((await images.resolve(prefix))?.id, two.id);
});

test('names move, images stay', async ({ images }) => {
  const one = await store(images, 'one');
  const two = await store(images, 'two');
  await images.add('app', one.manifest);
  await images.add('app', two.manifest);
  assert.equal(await namesById(images), { one: [], two: ['docker.io/library/app:latest'] });
  await images.tag(one.id, 'app:old');
  await images.tag(one.id, 'app');
  assert.equal(await namesById(images), {
    one: ['docker.io/library/app:old', 'docker.io/library/app:latest'],
    two: [],
  });
  assert.is(await codeOf(images.tag(sha256('no'), 'x')), 'NOT_FOUND');
  assert.is(await codeOf(images.tag(one.id, `app@${sha256('x')}`)), 'BAD_REFERENCE');
});

test('adding the same again changes nothing', async ({ images, dir }) => {
  const { manifest } = await store(images, 'one');
  await images.add('app', manifest);
  const before = readFileSync(join(dir, 'images/index.json'), 'utf8');
  await images.add('app', manifest);
  assert.is(readFileSync(join(dir, 'images/index.json'), 'utf8'), before);
  await images.add(undefined, manifest);
  assert.equal(
    (await images.list()).map(i => i.names),
    [['docker.io/library/app:latest']],
  );
});

test('names are taken away one by one', async ({ images }) => {
  const { id, manifest } = await store(images, 'one');
  const digest = `docker.io/library/app@${sha256('index')}`;
  await images.add('app', manifest, { digests: [digest] });
  await images.tag(id, 'app:2');
  assert.ok(await images.untag('docker.io/library/app:latest'));
  assert.not.ok(await images.untag('docker.io/library/app:latest'));
  assert.equal((await images.resolve(id))?.names, ['docker.io/library/app:2']);
  assert.ok(await images.untag('docker.io/library/app:2'));
  assert.equal((await images.resolve(id))?.names, []);
  assert.equal((await images.resolve(id))?.digests, [digest]);
  assert.ok(await images.untag(digest));
  assert.equal((await images.resolve(id))?.digests, []);
  assert.ok(await images.remove(id));
  assert.not.ok(await images.remove(id));
  assert.equal(await images.list(), []);
});

test('a pull by digest gives no name', async ({ images }) => {
  const { manifest } = await store(images, 'one');
  await images.add(`app@${manifest.digest}`, manifest);
  const record = await images.resolve(`app@${manifest.digest}`);
  assert.equal(record?.names, []);
  assert.equal(record?.digests, [`docker.io/library/app@${manifest.digest}`]);
});

test('two manifests of one config are one image', async ({ images }) => {
  const a = await store(images, 'one', 'gzip');
  const b = await store(images, 'one', 'zstd');
  assert.is(a.id, b.id);
  await images.add('a', a.manifest);
  await images.add('b', b.manifest);
  assert.equal(await namesById(images), {
    one: ['docker.io/library/a:latest', 'docker.io/library/b:latest'],
  });
  const used = await images.referenced();
  for (const digest of [a.manifest.digest, b.manifest.digest, a.id]) assert.ok(used.has(digest));
  await images.remove(a.id);
  assert.equal(await images.list(), []);
});

test('writers at once lose nothing', async ({ images, dir }) => {
  const stored = await Promise.all(Array.from({ length: 12 }, (_, i) => store(images, `n${i}`)));
  // Stores of their own, as other processes would have.
  const others = stored.map(() => new ImageStore(join(dir, 'images'), join(dir, 'tmp')));
  await Promise.all(stored.map(({ manifest }, i) => others[i]?.add(`app:${i}`, manifest)));
  assert.is((await images.list()).flatMap(i => i.names).length, 12);
});

test('the directory is an OCI layout', async ({ images, dir }) => {
  const { manifest, id } = await store(images, 'one');
  await images.add('app', manifest);
  assert.equal(JSON.parse(readFileSync(join(dir, 'images/oci-layout'), 'utf8')), {
    imageLayoutVersion: '1.0.0',
  });
  const index = JSON.parse(readFileSync(join(dir, 'images/index.json'), 'utf8'));
  assert.is(index.schemaVersion, 2);
  assert.is(index.manifests[0].digest, manifest.digest);
  assert.is(
    index.manifests[0].annotations['org.opencontainers.image.ref.name'],
    'docker.io/library/app:latest',
  );
  assert.is(index.manifests[0].annotations['io.tsbox.image-id'], id);
});

test('entries of other tools are images too, indexes among them are left alone', async ({ images, dir }) => {
  const { manifest, id } = await store(images, 'one');
  const other = await store(images, 'two');
  await images.add('mine', other.manifest);
  const path = join(dir, 'images/index.json');
  const index = JSON.parse(readFileSync(path, 'utf8'));
  const foreign = { mediaType: 'application/vnd.oci.image.index.v1+json', digest: sha256('index'), size: 5 };
  index.manifests.push(manifest, foreign);
  writeFileSync(path, JSON.stringify(index));
  assert.is((await images.resolve(id))?.id, id);
  await images.tag(id, 'named');
  assert.equal(await namesById(images), {
    two: ['docker.io/library/mine:latest'],
    one: ['docker.io/library/named:latest'],
  });
  assert.ok(readFileSync(path, 'utf8').includes(sha256('index')));
});

test('damage has a name', async ({ images, dir }) => {
  const { manifest, id } = await store(images, 'one');
  await images.add('app', manifest);
  await images.blobs.remove(id);
  assert.is(await codeOf(images.resolve('app')), 'STORE_CORRUPT');
  for (const text of ['{', '{}', '{"manifests":[{"digest":"../x"}]}', '{"manifests":[null]}', 'null']) {
    writeFileSync(join(dir, 'images/index.json'), text);
    assert.is(await codeOf(images.list()), 'STORE_CORRUPT', text);
  }
});

test('what a killed writer left is swept by the next', async ({ images, dir }) => {
  const { manifest } = await store(images, 'one');
  await images.add('app', manifest);
  writeFileSync(join(dir, 'images/.tmp-index.json-dead'), 'x');
  await images.add('app:2', manifest);
  assert.not.ok(readdirSync(join(dir, 'images')).some(name => name.startsWith('.tmp-')));
});

test.run();
