import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { busyboxImage, digestOf, ociArchive } from '../support/images.ts';
import { busybox, removeContainers } from '../support/ready.ts';
import { requires } from '../support/requires.ts';

/** Damage of every kind, and what system check makes of it. */
const test = requires(suite('system check'), 'userns', 'busybox');
test.after.each(removeContainers);

const IN_ORDER = 'The store is in order.';
const DIFF_ID = digestOf(busyboxImage().layers[0] ?? '');
const store = async (...path: string[]): Promise<string> => join((await busybox()).home.store, ...path);
const layer = (...path: string[]): Promise<string> => store('layers', DIFF_ID.slice(7), ...path);
const works = async (): Promise<void> => {
  const box = await busybox();
  assert.is(
    await box.ok('run', '--rm', '--network', 'none', '--pull', 'never', 'busybox', 'echo', 'hi'),
    'hi',
  );
};

/** The blob of the layer: the largest. */
async function layerBlob(): Promise<string> {
  const dir = await store('images/blobs/sha256');
  const [first = ''] = readdirSync(dir)
    .map(name => join(dir, name))
    .sort((a, b) => readFileSync(b).length - readFileSync(a).length);
  return first;
}

async function reload(): Promise<void> {
  const box = await busybox();
  await box.ok('load', '-q', '-i', join(box.home.dir, 'busybox.tar'));
}

/** Looks, mends, looks again. */
async function mends(expected: RegExp, ...flags: string[]): Promise<void> {
  const box = await busybox();
  const looked = await box('system', 'check', '--dry-run', ...flags);
  assert.is(looked.code, 1, looked.stdout + looked.stderr);
  assert.match(looked.stdout, expected);
  assert.match(looked.stdout, /\(would be: /);
  assert.match(await box.ok('system', 'check', ...flags), expected);
  assert.is(await box.ok('system', 'check', ...flags), IN_ORDER);
}

test('a store that is in order, also with containers and volumes', async () => {
  const box = await busybox();
  assert.is(await box.ok('system', 'check', '--full'), IN_ORDER);
  await box.ok('run', '-d', '--network', 'none', '-v', 'data:/data', 'busybox', 'sleep', '1000');
  await box.ok('create', '--rm', 'busybox', 'true');
  assert.is(await box.ok('system', 'check', '--full', '--repair'), IN_ORDER);
});

test('a layer that is not whole, or not there, is unpacked again', async () => {
  rmSync(await layer('layer.json'));
  await mends(/layer sha256:[0-9a-f]{64}: has no layer\.json/);
  await works();
  writeFileSync(await layer('layer.json'), '{"version":1,"diffId":"x"}');
  await mends(/describes something else/);
  const box = await busybox();
  rmSync(await layer(), { recursive: true });
  await mends(/is missing, and an image needs it/);
  await works();
  await box.ok('create', 'busybox', 'true');
  assert.is(await box.ok('system', 'check', '--full'), IN_ORDER);
});

test('--full compares trees with their archives', async () => {
  const box = await busybox();
  const damage: [string, () => Promise<void>][] = [
    [
      '/etc/passwd has \\d+ bytes instead of \\d+',
      async () => appendFileSync(await layer('fs/etc/passwd'), 'x'),
    ],
    [
      '/etc/group has other content',
      async () => {
        const path = await layer('fs/etc/group');
        writeFileSync(path, readFileSync(path, 'utf8').replace('root', 'toor'));
      },
    ],
    ['/bin/sh is missing', async () => rmSync(await layer('fs/bin/sh'))],
  ];
  for (const [expected, act] of damage) {
    await act();
    assert.is(await box.ok('system', 'check'), IN_ORDER);
    await mends(new RegExp(`differs from its archive: ${expected}`), '--full');
  }
  await works();
});

test('a layer under a running container is left alone', async () => {
  const box = await busybox();
  await box.ok('run', '-d', '--name', 'up', '--network', 'none', 'busybox', 'sleep', '1000');
  rmSync(await layer('layer.json'));
  const done = await box('system', 'check');
  assert.is(done.code, 1);
  assert.match(done.stdout, /container up runs on it: stop it/);
  assert.is(await box.ok('exec', 'up', 'echo', 'hi'), 'hi');
  await removeContainers();
  await mends(/has no layer\.json/);
});

test('a blob that is cut off, or holds something else', async () => {
  truncateSync(await layerBlob(), 100);
  await mends(/blob sha256:[0-9a-f]{64}: has 100 bytes instead of \d+: removed|would be: removed/);
  await works();
  await reload();
  const path = await layerBlob();
  const bytes = readFileSync(path);
  bytes[1000] = (bytes[1000] ?? 0) ^ 1;
  writeFileSync(path, bytes);
  const box = await busybox();
  assert.is(await box.ok('system', 'check'), IN_ORDER);
  await mends(/blob sha256:[0-9a-f]{64}: has the content of sha256:/, '--full');
  await works();
  await reload();
  assert.ok(existsSync(path));
});

test('an image without its manifest goes off the list, the others stay', async () => {
  const box = await busybox();
  const other = ociArchive(
    busyboxImage({ Cmd: ['echo', 'other'] }),
    'other:1',
    join(box.home.dir, 'other.tar'),
  );
  await box.ok('load', '-q', '-i', other);
  const index = JSON.parse(readFileSync(await store('images/index.json'), 'utf8'));
  const { digest } = index.manifests.find((m: { annotations: Record<string, string> }) =>
    m.annotations['org.opencontainers.image.ref.name']?.endsWith('other:1'),
  );
  rmSync(await store('images/blobs/sha256', digest.slice(7)));
  assert.is(await box.ok('images', '--format', '{{.Repository}}'), 'busybox');
  await mends(/image other:1: .* taken off the list; pull or load it again: tsbox pull other:1/);
  await works();
  await box.ok('load', '-q', '-i', other);
  assert.is(await box.ok('run', '--rm', '--network', 'none', 'other:1'), 'other');
  await box.ok('rmi', 'other:1');
});

test('a list of images that is no JSON: the images are found again', async () => {
  const box = await busybox();
  writeFileSync(await store('images/index.json'), '{"manifests": [');
  await box.fails(125, /not JSON/, 'images');
  await mends(/images\/index\.json: .* kept as index\.json\.damaged/);
  assert.is(await box.ok('images', '--format', '{{.Repository}}'), '<none>');
  await reload();
  await works();
  rmSync(await store('images/index.json.damaged'));
});

test('containers: a lost name comes back, a damaged record is told', async () => {
  const box = await busybox();
  const id = await box.ok('create', '--name', 'lost', 'busybox', 'true');
  rmSync(await store('containers/.names/lost'), { recursive: true });
  await mends(/name [0-9a-f]{12}: its name lost is not registered: registered again|would be/);
  assert.match((await box('create', '--name', 'lost', 'busybox')).stderr, /already in use/);
  writeFileSync(await store('containers', id, 'config.json'), '{');
  const done = await box('system', 'check');
  assert.is(done.code, 1);
  assert.match(done.stdout, /container [0-9a-f]{12}: .* is damaged: .* \(to do: .*tsbox rm -f/);
  await box.ok('rm', '-f', id);
  assert.is(await box.ok('system', 'check'), IN_ORDER);
});

test('volumes: a record is written again, the data stays', async () => {
  const box = await busybox();
  const write = 'echo precious > /v/x';
  await box.ok('run', '--rm', '--network', 'none', '-v', 'vol:/v', 'busybox', 'sh', '-c', write);
  rmSync(await store('volumes/vol/volume.json'));
  mkdirSync(await store('volumes/empty'));
  await mends(/volume vol: has no readable volume\.json/);
  assert.is(existsSync(await store('volumes/empty')), false);
  assert.is(
    await box.ok('run', '--rm', '--network', 'none', '-v', 'vol:/v', 'busybox', 'cat', '/v/x'),
    'precious',
  );
  await box.ok('volume', 'rm', 'vol');
});

test('leftovers of killed commands', async () => {
  const box = await busybox();
  const runtime = join(box.home.env.XDG_RUNTIME_DIR ?? '', 'tsbox');
  const dead = `${process.pid}-1-00000000-0000-0000-0000-000000000000`;
  const left = [
    await store('tmp/layer-0123456789abcdef/fs'),
    await store(`tmp/gone-x.${dead}`),
    await store(`containers/.new-x.${dead}`),
    await store('containers/.names/nobody'),
    await store('images/blobs/sha256/stranger'),
  ];
  if (existsSync(runtime)) left.push(join(runtime, '0123456789abcdef'));
  for (const path of left) mkdirSync(path, { recursive: true });
  const unused = await store('images/blobs/sha256', digestOf('unused').slice(7));
  writeFileSync(unused, 'unused');
  await mends(/tmp\/layer-0123456789abcdef: was left by a command that was killed/);
  for (const path of [...left, unused]) assert.is(existsSync(path), false, path);
  await works();
});

test.run();
