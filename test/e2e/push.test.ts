import { writeFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { capture, openBox } from '../support/cli.ts';
import { busyboxImage, digestOf, dockerArchive, layerWith, type TestImage } from '../support/images.ts';
import { push } from '../support/push.ts';
import { type Registry, startRegistry } from '../support/registry.ts';
import { hasSubids, requires } from '../support/requires.ts';
import { tempHome } from '../support/temp-home.ts';

/** To the real registry. */
const test = requires(suite('push'), 'userns', 'busybox', 'registry');
const skopeo = requires(test, 'skopeo');
let registry: Registry;
let homes = 0;

const fresh = (): ReturnType<typeof openBox> => openBox(tempHome(`push-${++homes}`));
const layered = (text: string): TestImage => {
  const base = busyboxImage();
  return { ...base, layers: [...base.layers, ...['a', 'b'].map(n => layerWith({ [`srv/${n}`]: text + n }))] };
};
const load = async (box: ReturnType<typeof openBox>, image: TestImage, name: string): Promise<void> => {
  await box.ok('load', '-q', '-i', dockerArchive(image, name, `${box.home.dir}/image.tar`));
};
const manifestOf = async (
  repository: string,
  reference: string,
): Promise<{ digest: string; layers: string[] }> => {
  const accept =
    'application/vnd.oci.image.manifest.v1+json,application/vnd.docker.distribution.manifest.v2+json';
  const response = await fetch(`${registry.url}/v2/${repository}/manifests/${reference}`, {
    headers: { accept },
  });
  assert.is(response.status, 200, `${repository}:${reference}`);
  const bytes = Buffer.from(await response.arrayBuffer());
  const { layers } = JSON.parse(bytes.toString()) as { layers: { mediaType: string }[] };
  return { digest: digestOf(bytes), layers: layers.map(layer => layer.mediaType) };
};

test.before(async () => {
  registry = await startRegistry();
});
test.after(() => registry?.stop());

test('an image that was pulled keeps its digest; blobs are mounted, not sent', async () => {
  const box = fresh();
  const digest = await push(registry, 'team/from', 'v1', layered('x'));
  await box.ok('pull', '-q', `${registry.host}/team/from:v1`);
  const name = `${registry.host}/team/to:v2`;
  await box.ok('tag', `${registry.host}/team/from:v1`, name);
  const out = await box.ok('push', name);
  assert.match(out, new RegExp(`The push refers to repository \\[${registry.host}/team/to\\]`));
  assert.match(out, /^[0-9a-f]{12}: Mounted from team\/from$/m);
  assert.match(out, new RegExp(`^v2: digest: ${digest} size: [0-9]+$`, 'm'));
  assert.is((await manifestOf('team/to', 'v2')).digest, digest);
  assert.match(await box.ok('push', name), /Layer already exists/);
});

test('layers that were made here are compressed; the image is the same when it comes back', async () => {
  const box = fresh();
  const name = `${registry.host}/team/made:1`;
  await load(box, layered('m'), name);
  const id = await box.ok('images', '-q', '--no-trunc', name);
  const out = await box.ok('push', name);
  const digest = /digest: (sha256:[0-9a-f]{64})/.exec(out)?.[1];
  const there = await manifestOf('team/made', '1');
  assert.is(there.digest, digest);
  assert.ok(
    there.layers.every(type => /gzip$/.test(type)),
    String(there.layers),
  );
  assert.match(await box.ok('inspect', '-f', '{{.RepoDigests}}', name), new RegExp(`team/made@${digest}`));
  const other = fresh();
  await other.ok('pull', '-q', name);
  assert.is(await other.ok('images', '-q', '--no-trunc', name), id);
  assert.is(await other.ok('run', '--rm', '--network', 'none', name, 'cat', '/srv/a', '/srv/b'), 'mamb');
  const again = await box.ok('push', name);
  assert.match(again, /Layer already exists/);
  assert.match(again, new RegExp(`digest: ${digest}`));
});

test('a committed image', async () => {
  const box = fresh();
  const base = `${registry.host}/team/base:1`;
  const name = `${registry.host}/team/committed:1`;
  await push(registry, 'team/base', '1', layered('c'));
  const change = 'echo new > /srv/new; chown 1000:1000 /srv/new; rm /srv/a';
  await box.ok('run', '-q', '--name', 'changed', '--network', 'none', base, 'sh', '-c', change);
  await box.ok('commit', 'changed', name);
  assert.match(await box.ok('push', name), /Mounted from team\/base/);
  const other = fresh();
  const look = ['sh', '-c', 'stat -c %u:%g /srv/new; cat /srv/new; ls /srv'];
  const seen = await other.ok('run', '-q', '--rm', '--network', 'none', name, ...look);
  // Where there is one id alone, root emulation only pretends to chown.
  assert.is(seen, `${hasSubids() ? '1000:1000' : '0:0'}\nnew\nb\nnew`);
});

test('in pieces, by flag and by configuration', async () => {
  const box = fresh();
  const name = `${registry.host}/team/pieces`;
  await load(box, layered('p'), name);
  await box.ok('push', '-q', '--chunk-size', '100k', name);
  const there = await manifestOf('team/pieces', 'latest');
  await box.ok('tag', name, `${name}:2`);
  const config = `${box.home.dir}/config.toml`;
  writeFileSync(config, '[registries]\nchunk_size = 65536\n');
  await box.ok('--config', config, 'push', '-q', `${name}:2`);
  assert.is((await manifestOf('team/pieces', '2')).digest, there.digest);
});

test('-q prints the name alone; --all-tags pushes every tag, and pull --all-tags brings them', async () => {
  const box = fresh();
  const name = `${registry.host}/team/tags`;
  await load(box, layered('t'), `${name}:one`);
  await box.ok('tag', `${name}:one`, `${name}:two`);
  assert.is(await box.ok('push', '-q', '-a', name), `${name}:one\n${name}:two`);
  await box.fails(125, /cannot be used with --all-tags/, 'push', '-a', `${name}:one`);
  const other = fresh();
  assert.is(await other.ok('pull', '-qa', name), `${name}:one\n${name}:two`);
  await other.fails(125, /cannot be used with --all-tags/, 'pull', '-a', `${name}:one`);
});

test('without its blobs: what the registry has stays as it is, the rest is packed again', async () => {
  const box = fresh();
  const config = `${box.home.dir}/config.toml`;
  writeFileSync(config, '[images]\nkeep_blobs = false\n');
  const from = `${registry.host}/team/dropped:1`;
  const digest = await push(registry, 'team/dropped', '1', layered('d'));
  await box.ok('--config', config, 'pull', '-q', from);
  assert.match(await box.ok('push', from), new RegExp(`digest: ${digest}`));
  const second = await startRegistry();
  try {
    const to = `${second.host}/team/dropped:1`;
    await box.ok('tag', from, to);
    await box.ok('push', '-q', to);
    const other = fresh();
    assert.is(
      await other.ok('run', '-q', '--rm', '--network', 'none', to, 'cat', '/srv/a', '/srv/b'),
      'dadb',
    );
  } finally {
    await second.stop();
  }
});

test('what cannot be pushed', async () => {
  const box = fresh();
  await load(box, busyboxImage(), `${registry.host}/team/one`);
  await box.fails(1, /no such image here/, 'push', `${registry.host}/team/nobody`);
  await box.fails(1, /no such image here/, 'push', '-a', `${registry.host}/team/nobody`);
  await box.fails(125, /cannot push to a digest/, 'push', `a@sha256:${'0'.repeat(64)}`);
  await box.fails(
    125,
    /not for linux\/s390x/,
    'push',
    '--platform',
    'linux/s390x',
    `${registry.host}/team/one`,
  );
  await box.fails(125, /--chunk-size/, 'push', '--chunk-size', 'big', `${registry.host}/team/one`);
  await box.ok('tag', `${registry.host}/team/one`, '127.0.0.1:1/team/one');
  await box.fails(125, /connection refused/, 'push', '-q', '127.0.0.1:1/team/one');
});

skopeo('skopeo reads what was pushed', async () => {
  const box = fresh();
  const name = `${registry.host}/team/skopeo:1`;
  await load(box, layered('s'), name);
  await box.ok('push', '-q', name);
  const done = await capture('skopeo', ['inspect', '--tls-verify=false', `docker://${name}`], box.home);
  assert.is(done.code, 0, done.stderr);
  assert.is((JSON.parse(done.stdout) as { Layers: string[] }).Layers.length, layered('s').layers.length);
});

test.run();
