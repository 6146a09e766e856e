import { linkSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { busyboxImage, dockerArchive, layerOf } from '../support/images.ts';
import { busybox, removeContainers, sh, sleeper } from '../support/ready.ts';
import { requires } from '../support/requires.ts';

/** --userns keep-id: who works in a mounted project is the same inside and outside, and no layer is copied or chowned for it. */
const test = requires(suite('keep-id'), 'userns', 'busybox', 'subid', 'user', 'fuse', 'fuse-overlayfs');
test.after.each(removeContainers);
const me = `${process.getuid?.()}:${process.getgid?.()}`;

test('a project keeps its owner both ways, and its owner has a name', async () => {
  const dir = join((await busybox()).home.dir, 'project');
  mkdirSync(dir);
  writeFileSync(join(dir, 'source'), 'x');
  const script = 'id -un; stat -c %u:%g /p /p/source /bin/busybox /etc/passwd; touch /p/built; mkdir /p/out';
  const out = await sh(script, '--userns', 'keep-id', '-v', `${dir}:/p`);
  assert.is(out, `${userInfo().username}\n${me}\n${me}\n0:0\n0:0`);
  for (const name of ['built', 'out']) {
    const { uid, gid } = statSync(join(dir, name));
    assert.is(`${uid}:${gid}`, me, name);
  }
});

test('keep-id:uid=,gid=: the caller under the number that the image has a user for', async () => {
  const dir = join((await busybox()).home.dir, 'as-app');
  mkdirSync(dir);
  const out = await sh(
    'id -un; id -u; touch /p/made; stat -c %u:%g /p/made /bin/busybox',
    '--userns',
    'keep-id:uid=1000,gid=44',
    '-v',
    `${dir}:/p`,
  );
  assert.is(out, 'app\n1000\n1000:44\n0:0');
  const { uid, gid } = statSync(join(dir, 'made'));
  assert.is(`${uid}:${gid}`, me);
});

test('only a uid; the image’s root when asked for; exec is the same user', async () => {
  assert.is(await sh('id -u; id -g', '--userns', 'keep-id:uid=7'), `7\n${process.getgid?.()}`);
  assert.is(
    await sh('id -u; touch /etc/made && stat -c %u /etc/made', '--userns', 'keep-id', '-u', '0:0'),
    '0\n0',
  );
  const id = await sleeper('--userns', 'keep-id:uid=1000,gid=1000');
  assert.is(await (await busybox()).ok('exec', id, 'id', '-un'), 'app');
});

test('no layer is copied or chowned: the same inodes, owners and times before and after', async () => {
  const store = join((await busybox()).home.dir, '.local/share/tsbox/layers');
  const look = () =>
    readdirSync(store).map(layer => {
      const names = ['fs', 'fs/bin', 'fs/bin/busybox', 'fs/etc/passwd'];
      return [layer, ...names.map(name => statSync(join(store, layer, name)))].map(s =>
        typeof s === 'string' ? s : [s.ino, s.uid, s.gid, s.ctimeMs, s.nlink],
      );
    });
  const before = look();
  await sh('echo more >> /etc/passwd; rm /bin/ls', '--userns', 'keep-id', '-u', '0');
  await sh('id', '--userns', 'keep-id:uid=5,gid=5');
  assert.equal(look(), before);
});

test('what the container writes to its own root is there after a restart, with its owner', async () => {
  const box = await busybox();
  const script = 'stat -c %u:%g /tmp/mine 2>/dev/null; touch /tmp/mine';
  await box.ok(
    'run',
    '--name',
    'again',
    '--network',
    'none',
    '--userns',
    'keep-id',
    'busybox',
    'sh',
    '-c',
    script,
  );
  assert.is(await box.ok('start', '-a', 'again'), me);
});

test('a volume of the image has the image’s owners, whatever the map', async () => {
  const box = await busybox();
  const dir = join(box.home.dir, 'layer');
  mkdirSync(join(dir, 'srv/data'), { recursive: true });
  writeFileSync(join(dir, 'srv/data/file'), 'x');
  linkSync(join(dir, 'srv/data/file'), join(dir, 'srv/data/twice'));
  const image = busyboxImage({ Volumes: { '/srv/data': {} } });
  const layers = [...image.layers, layerOf(dir, '1000:44')];
  await box.ok(
    'load',
    '-i',
    dockerArchive({ ...image, layers }, 'owned:latest', join(box.home.dir, 'owned.tar')),
  );
  for (const mode of ['ranges', 'keep-id', 'keep-id:uid=1000,gid=1000']) {
    const flags = ['run', '--rm', '--network', 'none', '--userns', mode, '-u', '0:0'];
    const out = await box.ok(
      ...flags,
      'owned',
      'stat',
      '-c',
      '%u:%g',
      '/srv/data',
      '/srv/data/file',
      '/srv/data/twice',
    );
    assert.is(out, '1000:44\n1000:44\n1000:44', mode);
  }
});

test('a driver that would show wrong owners is refused', async () => {
  const box = await busybox();
  const flags = ['run', '--rm', '--network', 'none', '--userns', 'keep-id', '--storage-driver', 'overlay'];
  await box.fails(125, /keep-id does not work with --storage-driver overlay/, ...flags, 'busybox', 'true');
});

test.run();
