import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Box, openBox, TSBOX } from '../support/cli.ts';
import {
  busyboxImage,
  configBytes,
  digestOf,
  dockerArchive,
  layerWith,
  ociArchive,
} from '../support/images.ts';
import { openPty } from '../support/pty.ts';
import { busybox } from '../support/ready.ts';
import { requires } from '../support/requires.ts';
import { tempHome } from '../support/temp-home.ts';

/** save: what is in the archive, where it goes, and what stays behind when it fails. */
const test = requires(suite('save'), 'userns', 'busybox');
const ID = digestOf(configBytes(busyboxImage()));

async function setUp(): Promise<Box> {
  const box = await busybox();
  const base = busyboxImage();
  const other = { ...base, layers: [...base.layers, layerWith({ 'etc/other': 'x' })] };
  await box.ok('load', '-i', dockerArchive(other, 'other:1', join(box.home.dir, 'other.tar')));
  await box.ok('tag', 'busybox', 'busybox:two');
  return box;
}

const names = (path: string): string[] =>
  spawnSync('tar', ['-tf', path], { encoding: 'utf8' }).stdout.trim().split('\n');
const json = (path: string, name: string) =>
  JSON.parse(spawnSync('tar', ['-xOf', path, name], { encoding: 'utf8' }).stdout);

test('several images share their layers; names, tags and ids select', async () => {
  const box = await setUp();
  const path = join(box.home.dir, 'all.tar');
  await box.ok('save', '-o', path, 'busybox', 'other:1');
  const items = json(path, 'manifest.json') as { Config: string; RepoTags: string[]; Layers: string[] }[];
  assert.equal(
    items.map(item => item.RepoTags),
    [['busybox:latest', 'busybox:two'], ['other:1']],
  );
  assert.is(items[0]?.Config, `blobs/sha256/${ID.slice(7)}`);
  assert.is(items[0]?.Layers[0], items[1]?.Layers[0]);
  const all = names(path);
  assert.is(new Set(all).size, all.length, 'no member twice');
  // Two directories, three documents, two manifests, two configs, two layers.
  assert.is(all.length, 11, all.join(' '));
  await box.ok('save', '-o', path, 'busybox:two');
  assert.equal(
    (json(path, 'manifest.json') as { RepoTags: string[] }[]).map(item => item.RepoTags),
    [['busybox:two']],
  );
  await box.ok('save', '-o', path, ID.slice(7, 19));
  assert.equal((json(path, 'manifest.json') as { RepoTags: null }[])[0]?.RepoTags, null);
});

test('the same image makes the same bytes, on stdout too', async () => {
  const box = await busybox();
  const [one, two] = [join(box.home.dir, 'one.tar'), join(box.home.dir, 'two.tar')];
  await box.ok('save', '-o', one, 'busybox:latest');
  writeFileSync(two, 'what was here before');
  await box.ok('save', '-o', two, 'busybox:latest');
  const piped = spawnSync(TSBOX, ['save', 'busybox:latest'], { env: box.home.env, maxBuffer: 1 << 28 });
  assert.is(piped.status, 0, String(piped.stderr));
  assert.ok(readFileSync(one).equals(readFileSync(two)) && readFileSync(one).equals(piped.stdout));
  const shell = `'${TSBOX}' save busybox:latest > fifo-copy.tar`;
  assert.is(spawnSync('sh', ['-c', shell], { env: box.home.env, cwd: box.home.dir }).status, 0);
  assert.ok(readFileSync(join(box.home.dir, 'fifo-copy.tar')).equals(piped.stdout));
});

test('every format comes back, from a file, a pipe and a directory', async () => {
  const box = await busybox();
  const there = openBox(tempHome('there'));
  for (const format of ['docker-archive', 'oci-archive', 'oci-dir']) {
    const path = join(box.home.dir, `back-${format}`);
    await box.ok('save', '--format', format, '-o', path, 'busybox:latest');
    assert.match(await there.ok('load', '-i', path), /Loaded image: busybox:latest$/);
    assert.is(await there.ok('images', '-q', '--no-trunc'), ID);
    await there.ok('rmi', 'busybox');
    if (format === 'oci-dir') continue;
    assert.match(await there.with({ input: readFileSync(path) }).ok('load'), /Loaded image: busybox:latest$/);
    await there.ok('rmi', 'busybox');
  }
});

test('a manifest keeps its digest through a docker-archive', async () => {
  const box = openBox(tempHome('digest'));
  const image = busyboxImage({ Cmd: ['echo', 'digest'] });
  await box.ok('load', '-i', ociArchive(image, 'digest:1', join(box.home.dir, 'oci.tar')));
  const index = () => {
    const text = readFileSync(join(box.home.store, 'images/index.json'), 'utf8');
    return (JSON.parse(text) as { manifests: { digest: string }[] }).manifests.map(entry => entry.digest);
  };
  const before = index();
  const path = join(box.home.dir, 'docker.tar');
  await box.ok('save', '-o', path, 'digest:1');
  await box.ok('rmi', 'digest:1');
  await box.ok('load', '-i', path);
  assert.equal(index(), before);
  assert.is(await box.ok('run', '--rm', '--network', 'none', 'digest:1'), 'digest');
});

test('what cannot be saved leaves nothing, and not less than there was', async () => {
  const box = await busybox();
  const directory = join(box.home.dir, 'wrong');
  mkdirSync(directory);
  const path = join(directory, 'x.tar');
  writeFileSync(path, 'kept');
  await box.fails(1, /no such image: nobody/, 'save', '-o', path, 'busybox', 'nobody');
  await box.fails(125, /not for linux\/s390x/, 'save', '-o', path, '--platform', 'linux/s390x', 'busybox');
  await box.fails(125, /--format/, 'save', '-o', path, '--format', 'zip', 'busybox');
  assert.is(readFileSync(path, 'utf8'), 'kept');
  assert.equal(readdirSync(directory), ['x.tar']);
  await box.fails(125, /cannot write .*nowhere/, 'save', '-o', join(directory, 'nowhere/x.tar'), 'busybox');
  await box.fails(1, /not empty/, 'save', '--format', 'oci-dir', '-o', directory, 'busybox');
  await box.fails(125, /directory/, 'save', '--format', 'oci-dir', 'busybox');
  await box.fails(125, /directory|cannot write/, 'save', '-o', directory, 'busybox');
  assert.equal(readdirSync(directory), ['x.tar']);
});

test('a blob that is missing is said before anything is written', async () => {
  const box = openBox(tempHome('damaged'));
  const archive = dockerArchive(busyboxImage(), 'busybox:latest', join(box.home.dir, 'busybox.tar'));
  await box.ok('load', '-i', archive);
  const directory = join(box.home.dir, 'out');
  mkdirSync(directory);
  const blobs = join(box.home.store, 'images/blobs/sha256');
  const largest = readdirSync(blobs).sort(
    (a, b) => statSync(join(blobs, b)).size - statSync(join(blobs, a)).size,
  )[0];
  spawnSync('truncate', ['-s', '1000', join(blobs, largest ?? '')]);
  const path = join(directory, 'x.tar');
  // A layer that is shorter than its manifest says would make an archive that nobody can load.
  await box.fails(125, /blob sha256:\w+ .*bytes/, 'save', '-o', path, 'busybox');
  assert.equal(readdirSync(directory), []);
});

test('a terminal gets no archive', async () => {
  const box = await busybox();
  const pty = await openPty([TSBOX, 'save', 'busybox:latest'], box.home);
  assert.is(await pty.end(), 125);
  assert.match(pty.text(), /stdout is a terminal/);
});

test('a reader that goes away is no error, and save ends', async () => {
  const box = await busybox();
  const shell = `'${TSBOX}' save busybox:latest | head -c 1000 | wc -c`;
  const done = spawnSync('sh', ['-c', shell], { env: box.home.env, encoding: 'utf8', timeout: 20_000 });
  assert.is(done.stdout.trim(), '1000', done.stderr);
  assert.not.match(done.stderr, /at .*:\d+/);
});

test.run();
