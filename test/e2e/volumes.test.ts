import { existsSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { busyboxImage, dockerArchive, layerWith } from '../support/images.ts';
import { busybox, removeContainers, sh } from '../support/ready.ts';
import { requires } from '../support/requires.ts';

const test = requires(suite('run -v'), 'userns', 'busybox');
test.after.each(removeContainers);
const RUN = ['run', '--rm', '--network', 'none'];

async function shared(name: string): Promise<string> {
  const dir = join((await busybox()).home.dir, name);
  mkdirSync(dir, { recursive: true });
  return dir;
}

test('a host directory: read and write, owned by the caller outside and root inside', async () => {
  const dir = await shared('rw');
  writeFileSync(join(dir, 'in'), 'hello');
  assert.is(
    await sh('cat /data/in; echo made > /data/out; stat -c %u:%g /data/in', '-v', `${dir}:/data`),
    'hello0:0',
  );
  assert.is(readFileSync(join(dir, 'out'), 'utf8'), 'made\n');
  assert.is(statSync(join(dir, 'out')).uid, process.getuid?.());
});

test(':ro cannot be written', async () => {
  const dir = await shared('ro');
  const out = await sh('echo x > /data/file 2>/dev/null || echo refused', '-v', `${dir}:/data:ro`);
  assert.equal([out, existsSync(join(dir, 'file'))], ['refused', false]);
});

test('a single file', async () => {
  const file = join(await shared('single'), 'file');
  writeFileSync(file, 'content');
  assert.is(await sh('cat /etc/mine', '-v', `${file}:/etc/mine:ro`), 'content');
});

test('a relative path counts from the current directory', async () => {
  const dir = await shared('relative');
  writeFileSync(join(dir, 'file'), 'here');
  const box = (await busybox()).with({ cwd: dir });
  assert.is(await box.ok(...RUN, '-v', './file:/f', 'busybox', 'cat', '/f'), 'here');
});

test('a missing host path is an error that names it, and nothing is made', async () => {
  const box = await busybox();
  const path = join(box.home.dir, 'not-there');
  await box.fails(125, /not-there/, ...RUN, '-v', `${path}:/data`, 'busybox', 'true');
  assert.not(existsSync(path));
  assert.is(await box.ok('ps', '-aq'), '');
});

test('malformed specifications', async () => {
  const box = await busybox();
  for (const spec of [
    '',
    ':',
    'a:b',
    '/tmp:relative',
    '/tmp:/x:maybe',
    '/tmp:/x:ro:rw:z',
    '/tmp:/',
    'a/b:/x',
    '/a:/b:/c:/d',
  ]) {
    const done = await box(...RUN, '-v', spec, 'busybox', 'true');
    assert.is(done.code, 125, `-v '${spec}': ${done.stdout}${done.stderr}`);
  }
});

test('a named volume keeps what is written', async () => {
  const box = await busybox();
  await sh('echo kept > /data/file', '-v', 'kept:/data');
  assert.is(await sh('cat /data/file', '-v', 'kept:/data'), 'kept');
  assert.match(await box.ok('volume', 'ls'), /kept/);
  await box.ok('volume', 'rm', 'kept');
  assert.not.match(await box.ok('volume', 'ls'), /kept/);
});

test('a new named volume starts with what the image has there', async () => {
  const box = await busybox();
  const image = busyboxImage();
  const layers = [...image.layers, layerWith({ 'seed/file': 'from the image' })];
  await box.ok(
    'load',
    '-i',
    dockerArchive({ ...image, layers }, 'seeded:latest', join(box.home.dir, 'seeded.tar')),
  );
  assert.is(await box.ok(...RUN, '-v', 'seed:/seed', 'seeded', 'cat', '/seed/file'), 'from the image');
  await box.ok('volume', 'rm', 'seed');
});

test('a volume in use cannot be removed', async () => {
  const box = await busybox();
  const id = await box.ok('create', '-v', 'used:/data', 'busybox', 'true');
  const done = await box('volume', 'rm', 'used');
  assert.equal([done.code === 0, /in use/.test(done.stderr)], [false, true], done.stderr);
  await box.ok('rm', id);
  await box.ok('volume', 'rm', 'used');
});

test('a link in the image does not lead a mount out of it', async () => {
  const box = await busybox();
  const outside = await shared('outside');
  const image = busyboxImage();
  const layers = [
    ...image.layers,
    layerWith({ link: { link: outside }, 'up/link': { link: '../../../../../../..' } }),
  ];
  await box.ok(
    'load',
    '-i',
    dockerArchive({ ...image, layers }, 'linked:latest', join(box.home.dir, 'linked.tar')),
  );
  const dir = await shared('given');
  writeFileSync(join(dir, 'file'), 'given');
  const out = await box.ok(
    ...RUN,
    '-v',
    `${dir}:/link/inner`,
    '-v',
    `${dir}:/up/link/top`,
    'linked',
    'sh',
    '-c',
    'cat /link/inner/file /top/file',
  );
  assert.equal([out, existsSync(join(outside, 'inner'))], ['givengiven', false]);
});

test('a host path that is a link is followed once, on the host', async () => {
  const dir = await shared('target');
  writeFileSync(join(dir, 'file'), 'followed');
  const link = join((await busybox()).home.dir, 'link-to-target');
  symlinkSync(dir, link);
  assert.is(await sh('cat /data/file', '-v', `${link}:/data`), 'followed');
});

test.run();
