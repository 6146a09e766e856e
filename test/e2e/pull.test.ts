import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { openBox } from '../support/cli.ts';
import {
  busyboxImage,
  configBytes,
  digestOf,
  layerWith,
  ociBlobs,
  type TestImage,
} from '../support/images.ts';
import { push, putManifest } from '../support/push.ts';
import { type Registry, startRegistry } from '../support/registry.ts';
import { requires } from '../support/requires.ts';
import { tempHome } from '../support/temp-home.ts';

/** From the real registry. */
const test = requires(suite('pull'), 'userns', 'busybox', 'registry');
const zstd = requires(test, 'zstd');
const INDEX = 'application/vnd.oci.image.index.v1+json';
let registry: Registry;
let homes = 0;

const fresh = (): ReturnType<typeof openBox> => openBox(tempHome(`pull-${++homes}`));
const layered = (text: string): TestImage => {
  const base = busyboxImage();
  return {
    ...base,
    layers: [...base.layers, ...['a', 'b', 'c'].map(n => layerWith({ [`srv/${n}`]: text + n }))],
  };
};

test.before(async () => {
  registry = await startRegistry();
});
test.after(() => registry?.stop());

test('layers, config and name arrive; run needs nothing more', async () => {
  const box = fresh();
  const image = layered('x');
  const digest = await push(registry, 'team/app', 'v1', image);
  const name = `${registry.host}/team/app:v1`;
  const out = await box.ok('pull', name);
  assert.match(out, new RegExp(`Digest: ${digest}`));
  assert.match(out, new RegExp(`^Status: Downloaded newer image for ${name}$`, 'm'));
  assert.is(out.split('\n').at(-1), name);
  assert.is(await box.ok('images', '--format', '{{.ID}}', '--no-trunc'), digestOf(configBytes(image)));
  assert.is(
    await box.ok('run', '--rm', '--network', 'none', name, 'cat', '/srv/a', '/srv/b', '/srv/c'),
    'xaxbxc',
  );
  assert.match(await box.ok('pull', name), /Status: Image is up to date/);
});

test('--policy: never asks nobody, missing only when it is not here', async () => {
  const box = fresh();
  const name = `${registry.host}/team/policy`;
  await push(registry, 'team/policy', 'latest', busyboxImage());
  await box.fails(1, /no such image here/, 'pull', '--policy', 'never', name);
  assert.match(await box.ok('pull', '--policy', 'missing', name), /Downloaded newer/);
  await push(registry, 'team/policy', 'latest', layered('new'));
  assert.match(await box.ok('pull', '--policy', 'missing', name), /up to date/);
  assert.match(await box.ok('pull', name), /Downloaded newer/);
  await box.fails(125, /invalid value 'often' for --policy/, 'pull', '--policy', 'often', name);
});

test('-q prints the name alone', async () => {
  const box = fresh();
  await push(registry, 'team/quiet', 'latest', busyboxImage());
  assert.is(await box.ok('pull', '-q', `${registry.host}/team/quiet`), `${registry.host}/team/quiet:latest`);
});

test('run pulls what is missing, and says so on stderr', async () => {
  const box = fresh();
  await push(registry, 'team/missing', 'latest', busyboxImage());
  const done = await box('run', '--rm', '--network', 'none', `${registry.host}/team/missing`, 'echo', 'here');
  assert.equal([done.code, done.stdout], [0, 'here\n'], done.stderr);
  assert.match(done.stderr, /Unable to find image .* locally/);
});

zstd('zstd layers', async () => {
  const box = fresh();
  await push(registry, 'team/zstd', 'latest', layered('z'), 'zstd');
  assert.is(
    await box.ok('run', '-q', '--rm', '--network', 'none', `${registry.host}/team/zstd`, 'cat', '/srv/b'),
    'zb',
  );
});

test('by digest', async () => {
  const box = fresh();
  const digest = await push(registry, 'team/digest', 'latest', busyboxImage());
  const name = `${registry.host}/team/digest@${digest}`;
  await box.ok('pull', name);
  assert.is(await box.ok('run', '--rm', '--network', 'none', name, 'echo', 'hi'), 'hi');
});

test('an index: the platform is picked, --platform picks another, none fits', async () => {
  const box = fresh();
  const mine = process.arch === 'x64' ? 'amd64' : process.arch;
  const entries = [];
  for (const architecture of [mine, 's390x']) {
    const image = { ...busyboxImage({ Cmd: ['echo', architecture] }), architecture };
    const { manifest, mediaType } = ociBlobs(image);
    const digest = await push(registry, 'team/multi', architecture, image);
    entries.push({ mediaType, digest, size: manifest.length, platform: { os: 'linux', architecture } });
  }
  const index = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: INDEX, manifests: entries }));
  await putManifest(registry, 'team/multi', 'latest', index, INDEX);
  const name = `${registry.host}/team/multi`;
  assert.is(await box.ok('run', '-q', '--rm', '--network', 'none', name), mine);
  await box.ok('pull', '-q', '--platform', 'linux/s390x', name);
  assert.is(await box.ok('inspect', '--type', 'image', '-f', '{{.Architecture}}', name), 's390x');
  await box.fails(125, /linux\/riscv64/, 'pull', '--platform', 'linux/riscv64', name);
  const again = ['--rm', '--network', 'none', '--pull', 'always', '--platform', `linux/${mine}`];
  const quiet = await box('run', '-q', ...again, name);
  assert.is(`${quiet.stdout}${quiet.stderr}`, `${mine}\n`);
  await box.fails(125, /linux\/riscv64/, 'run', ...again, '--platform', 'linux/riscv64', name);
});

test('layers shared by two images are fetched and unpacked once', async () => {
  const box = fresh();
  await push(registry, 'team/one', 'latest', busyboxImage());
  await push(registry, 'team/more', 'latest', layered('s'));
  await box.ok('pull', '-q', `${registry.host}/team/one`);
  assert.match(await box.ok('pull', `${registry.host}/team/more`), /Already exists/);
  assert.is(readdirSync(join(box.home.store, 'layers')).length, 4);
});

test('a layer changed in the registry is refused: one line, nothing kept', async () => {
  const box = fresh();
  const { blobs } = ociBlobs(layered('bad'));
  await push(registry, 'team/bad', 'latest', layered('bad'));
  const digest = [...blobs.keys()].at(-1) ?? '';
  const path = join(
    registry.storage,
    'docker/registry/v2/blobs/sha256',
    digest.slice(7, 9),
    digest.slice(7),
    'data',
  );
  const bytes = readFileSync(path);
  writeFileSync(
    path,
    bytes.map((b, i) => (i === bytes.length - 5 ? b ^ 1 : b)),
  );
  await box.fails(125, new RegExp(digest.slice(7, 19)), 'pull', '-q', `${registry.host}/team/bad`);
  assert.is(await box.ok('images', '-aq'), '');
  assert.equal(readdirSync(join(box.home.store, 'tmp')), []);
});

test('what does not exist', async () => {
  const box = fresh();
  await push(registry, 'team/app', 'v1', busyboxImage());
  await box.fails(1, /nobody/, 'pull', `${registry.host}/team/nobody`);
  await box.fails(1, /v9/, 'pull', `${registry.host}/team/app:v9`);
  const ran = await box('run', '--rm', `${registry.host}/team/app:v9`);
  assert.is(ran.code, 125);
  assert.match(ran.stderr, /no such image: .*v9/);
  assert.is(await box.ok('ps', '-aq'), '');
});

test('ten at once of the same image', async () => {
  const box = fresh();
  await push(registry, 'team/race', 'latest', layered('r'));
  const outs = await Promise.all(
    Array.from({ length: 10 }, () =>
      box
        .with({ limit: 60_000 })
        .ok('run', '-q', '--rm', '--network', 'none', `${registry.host}/team/race`, 'cat', '/srv/a'),
    ),
  );
  assert.equal(new Set(outs), new Set(['ra']));
});

test('the store is an OCI layout that others can read', async () => {
  const box = fresh();
  const image = layered('o');
  await push(registry, 'team/layout', 'latest', image);
  await box.ok('pull', '-q', `${registry.host}/team/layout`);
  const dir = join(box.home.store, 'images');
  assert.match(JSON.parse(readFileSync(join(dir, 'oci-layout'), 'utf8')).imageLayoutVersion, /^1\./);
  const index = JSON.parse(readFileSync(join(dir, 'index.json'), 'utf8')) as {
    manifests: { digest: string }[];
  };
  for (const { digest } of index.manifests) {
    const blob = readFileSync(join(dir, 'blobs/sha256', digest.slice(7)));
    assert.is(digestOf(blob), digest);
  }
});

test.run();
