import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  busyboxImage,
  configBytes,
  digestOf,
  dockerArchive,
  layerWith,
  ociArchive,
} from '../support/images.ts';
import { busybox } from '../support/ready.ts';
import { requires } from '../support/requires.ts';

/** images, tag, rmi, load, import. */
const test = requires(suite('images'), 'userns', 'busybox');
const ID = digestOf(configBytes(busyboxImage()));

async function archive(name: string, tag: string, files: Record<string, string>): Promise<string> {
  const box = await busybox();
  const base = busyboxImage();
  const image = { ...base, layers: [...base.layers, layerWith(files)] };
  return dockerArchive(image, tag, join(box.home.dir, `${name}.tar`));
}

test('images: docker’s table, -q, --no-trunc, --digests, --format', async () => {
  const box = await busybox();
  const [head = '', row = ''] = (await box.ok('images')).split('\n');
  assert.match(head, /^REPOSITORY\s+TAG\s+IMAGE ID\s+CREATED\s+SIZE$/);
  assert.match(row, new RegExp(`^busybox\\s+latest\\s+${ID.slice(7, 19)}\\s+.* ago\\s+[\\d.]+ ?[kMG]B$`));
  assert.is(await box.ok('images', '-q'), ID.slice(7, 19));
  assert.is(await box.ok('images', '-q', '--no-trunc'), ID);
  assert.is(await box.ok('images', '--format', '{{.Repository}}:{{.Tag}}'), 'busybox:latest');
});

test('images REPOSITORY[:TAG] and filters', async () => {
  const box = await busybox();
  await box.ok('tag', 'busybox', 'other:v1');
  assert.is(await box.ok('images', '--format', '{{.Repository}}', 'other'), 'other');
  assert.is(await box.ok('images', '--format', '{{.Tag}}', 'other:v1'), 'v1');
  assert.is(await box.ok('images', '-q', 'nobody'), '');
  assert.is(await box.ok('images', '--format', '{{.Repository}}', '--filter', 'reference=oth*'), 'other');
  await box.ok('rmi', 'other:v1');
});

test('tag: a second name; rmi takes one name, then the image', async () => {
  const box = await busybox();
  await box.ok('load', '-i', await archive('two', 'two:latest', { 'etc/two': '2' }));
  await box.ok('tag', 'two', 'localhost:5000/team/two:v2');
  assert.match(await box.ok('rmi', 'two'), /^Untagged: two:latest$/);
  assert.is(
    await box.ok('run', '--rm', '--network', 'none', 'localhost:5000/team/two:v2', 'cat', '/etc/two'),
    '2',
  );
  const out = await box.ok('rmi', 'localhost:5000/team/two:v2');
  assert.match(out, /Untagged: localhost:5000\/team\/two:v2\nDeleted: sha256:[0-9a-f]{64}/);
  assert.not.match(await box.ok('images'), /two/);
});

test('rmi: not while a container uses it, unless -f', async () => {
  const box = await busybox();
  await box.ok('load', '-i', await archive('used', 'used:latest', { 'etc/used': '1' }));
  const id = await box.ok('create', 'used', 'true');
  const done = await box('rmi', 'used');
  assert.ok(done.code !== 0 && new RegExp(id.slice(0, 12)).test(done.stderr), done.stderr);
  await box.ok('rm', id);
  await box.ok('rmi', 'used');
  const gone = await box('rmi', 'used');
  assert.ok(gone.code !== 0 && /used/.test(gone.stderr));
});

test('by id and by the first digits of the id', async () => {
  const box = await busybox();
  for (const name of [ID, ID.slice(7), ID.slice(7, 19)]) {
    assert.is(await box.ok('run', '--rm', '--network', 'none', '--pull', 'never', name, 'echo', 'hi'), 'hi');
  }
});

test('load: from stdin, an OCI archive, an archive without a name', async () => {
  const box = await busybox();
  const oci = ociArchive(busyboxImage({ Cmd: ['echo', 'oci'] }), 'from-oci:1', join(box.home.dir, 'oci.tar'));
  assert.match(await box.ok('load', '-i', oci), /Loaded image: .*from-oci:1/);
  assert.is(await box.ok('run', '--rm', '--network', 'none', 'from-oci:1'), 'oci');
  const { readFileSync } = await import('node:fs');
  const { gzipSync } = await import('node:zlib');
  const bytes = readFileSync(await archive('piped', 'piped:latest', { 'etc/piped': 'p' }));
  assert.match(await box.with({ input: bytes }).ok('load'), /Loaded image: .*piped:latest/);
  assert.match(
    await box.with({ input: gzipSync(bytes, { level: 1 }) }).ok('load'),
    /Loaded image: .*piped:latest/,
  );
  const unnamed = dockerArchive(
    busyboxImage({ Cmd: ['echo', 'no name'] }),
    undefined,
    join(box.home.dir, 'unnamed.tar'),
  );
  const said = await box.ok('load', '-i', unnamed);
  const id = /Loaded image ID: (sha256:[0-9a-f]{64})/.exec(said)?.[1] ?? '';
  assert.is(await box.ok('run', '--rm', '--network', 'none', id), 'no name', said);
  await box.ok('rmi', 'from-oci:1', 'piped', id);
});

test('load of what is there already changes nothing', async () => {
  const box = await busybox();
  const path = dockerArchive(busyboxImage(), 'busybox:latest', join(box.home.dir, 'again.tar'));
  await box.ok('load', '-i', path);
  assert.is(await box.ok('images', '-q'), ID.slice(7, 19));
});

test('import: a root tarball from a file or stdin, with a name', async () => {
  const box = await busybox();
  const { writeFileSync } = await import('node:fs');
  const [layer = Buffer.alloc(0)] = busyboxImage().layers;
  const path = join(box.home.dir, 'root.tar');
  writeFileSync(path, layer);
  assert.match(await box.ok('import', path, 'imported:v1'), /^sha256:[0-9a-f]{64}$/);
  assert.is(await box.ok('run', '--rm', '--network', 'none', 'imported:v1', 'echo', 'hi'), 'hi');
  await box.with({ input: layer }).ok('import', '-', 'imported:v2');
  assert.is(
    await box
      .ok('run', '--rm', '--network', 'none', 'imported:v2', 'cat', '/etc/os-release')
      .then(t => t.split('\n')[0]),
    'ID=tsbox-test',
  );
  await box.ok('rmi', 'imported:v1', 'imported:v2');
});

test('after rmi of everything the store holds no layer and no blob', async () => {
  const box = await busybox();
  await box.ok('rmi', 'busybox');
  assert.is(await box.ok('images', '-q'), '');
  const { readdirSync } = await import('node:fs');
  assert.equal(readdirSync(join(box.home.store, 'layers')), []);
  assert.equal(readdirSync(join(box.home.store, 'images/blobs/sha256')), []);
});

test.run();
