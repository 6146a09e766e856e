import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { openBox } from '../support/cli.ts';
import {
  busyboxImage,
  dockerArchive,
  layerWith,
  ociArchive,
  ociBlobs,
  type TestImage,
} from '../support/images.ts';
import { requires } from '../support/requires.ts';
import { tempHome } from '../support/temp-home.ts';

/** load: compressions, the space it needs, what it does not do twice. */
const test = requires(suite('load'), 'userns', 'busybox', 'xz', 'bzip2', 'zstd');
const home = tempHome();
const box = openBox(home);
const packedWith = (program: string, path: string): string => {
  const done = spawnSync(program, ['-1', '-q', '-c', path], { maxBuffer: 1 << 30 });
  assert.is(done.status, 0, String(done.stderr));
  writeFileSync(`${path}.${program}`, done.stdout);
  return `${path}.${program}`;
};

function imageWith(files: Readonly<Record<string, string>>, config: object = {}): TestImage {
  const base = busyboxImage({ ...config });
  return { ...base, layers: [...base.layers, layerWith(files)] };
}

test('xz, bzip2, zstd and gzip, by name and through a pipe', async () => {
  const archive = dockerArchive(imageWith({ 'etc/packed': 'yes' }), 'packed:1', join(home.dir, 'packed.tar'));
  for (const program of ['xz', 'bzip2', 'zstd', 'gzip']) {
    assert.is(
      await box.ok('load', '-q', '-i', packedWith(program, archive)),
      'Loaded image: packed:1',
      program,
    );
    await box.ok('rmi', 'packed:1');
  }
  const piped = await box.with({ input: readFileSync(`${archive}.xz`) }).ok('load', '-q');
  assert.is(piped, 'Loaded image: packed:1');
  assert.is(await box.ok('run', '--rm', '--network', 'none', 'packed:1', 'cat', '/etc/packed'), 'yes');
  await box.ok('rmi', 'packed:1');
});

test('xz is missing: which package to install', async () => {
  const archive = dockerArchive(imageWith({}), 'x:1', join(home.dir, 'missing.tar'));
  const path = packedWith('xz', archive);
  // Everything tsbox itself needs, and no xz.
  const bin = join(home.dir, 'bin');
  mkdirSync(bin);
  for (const name of ['node', 'newuidmap', 'newgidmap', 'env', 'sh']) {
    const where = spawnSync('sh', ['-c', `command -v ${name}`], {
      env: home.env,
      encoding: 'utf8',
    }).stdout.trim();
    if (where) spawnSync('ln', ['-s', where, bin]);
  }
  const done = await box.with({ env: { PATH: bin } }).fails(125, /xz is not installed/, 'load', '-i', path);
  assert.match(done.stderr, /xz-utils/);
});

test('a layer that is here is neither unpacked nor written again', async () => {
  const own = openBox(tempHome('twice'));
  const first = ociArchive(imageWith({ 'etc/one': '1' }), 'one:1', join(home.dir, 'one.tar'));
  await own.ok('load', '-q', '-i', first);
  const saved = join(home.dir, 'again.tar');
  await own.ok('save', '-o', saved, 'one:1');
  const layers = join(own.home.store, 'layers');
  const stamp = () =>
    readdirSync(layers).map(name => `${name} ${readFileSync(join(layers, name, 'layer.json'))}`);
  const before = stamp();
  await own.ok('load', '-q', '-i', saved);
  assert.equal(stamp(), before);
  const said = await own.with({ env: { TSBOX_DEBUG: 'helper' } })('load', '-i', saved);
  assert.not.match(said.stderr, /unpack/, 'no process that unpacks was started');
});

test('an archive with a layer that no image names leaves no trace of it', async () => {
  const own = openBox(tempHome('stray'));
  const directory = join(home.dir, 'stray-files');
  mkdirSync(directory);
  const archive = dockerArchive(imageWith({}), 'kept:1', join(home.dir, 'kept.tar'));
  spawnSync('tar', ['-C', directory, '-xf', archive]);
  writeFileSync(join(directory, 'stray.tar'), layerWith({ 'etc/stray': 'x'.repeat(2 << 20) }));
  const path = join(home.dir, 'stray.tar');
  spawnSync('tar', ['-C', directory, '-cf', path, '.']);
  await own.ok('load', '-q', '-i', path);
  assert.is(readdirSync(join(own.home.store, 'layers')).length, 2);
});

test('--platform chooses among the variants of an index', async () => {
  const layout = join(home.dir, 'variants');
  const blobs = join(layout, 'blobs/sha256');
  mkdirSync(blobs, { recursive: true });
  const manifests = ['amd64', 'arm64'].map(architecture => {
    const made = ociBlobs({ ...busyboxImage({ Labels: { architecture } }), architecture });
    for (const [digest, bytes] of made.blobs) writeFileSync(join(blobs, digest.slice(7)), bytes);
    const digest = [...made.blobs].find(([, bytes]) => bytes.equals(made.manifest))?.[0];
    return {
      mediaType: made.mediaType,
      digest,
      size: made.manifest.length,
      platform: { os: 'linux', architecture },
    };
  });
  writeFileSync(join(layout, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests }));
  for (const architecture of ['arm64', 'amd64']) {
    const said = await box.ok('load', '-q', '--platform', `linux/${architecture}`, '-i', layout);
    const id = /sha256:\w+/.exec(said)?.[0] ?? '';
    assert.is(await box.ok('image', 'inspect', '--format', '{{.Architecture}}', id), architecture);
    await box.ok('rmi', id);
  }
  await box.fails(125, /s390x/, 'load', '--platform', 'linux/s390x', '-i', layout);
  await box.fails(125, /platform/, 'load', '--platform', 'a/b/c/d', '-i', layout);
});

test.run();
