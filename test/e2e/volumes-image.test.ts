import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Box } from '../support/cli.ts';
import { busyboxImage, dockerArchive, layerWith } from '../support/images.ts';
import { busybox, removeContainers, sh } from '../support/ready.ts';
import { requires } from '../support/requires.ts';

/** Volumes that an image declares, and those of other containers. */
const test = requires(suite('volumes of images and containers'), 'userns', 'busybox');
test.after.each(removeContainers);
const RUN = ['run', '--rm', '--network', 'none'];

let loaded: Promise<Box> | undefined;

/** An image with the volume /data that holds a file, and /missing, which it has not. */
function declaring(): Promise<Box> {
  loaded ??= load();
  return loaded;
}

async function load(): Promise<Box> {
  const box = await busybox();
  const image = busyboxImage({ Volumes: { '/data': {}, '/missing/': {}, '/': {} } });
  const layers = [...image.layers, layerWith({ 'data/file': 'of the image' })];
  await box.ok(
    'load',
    '-i',
    dockerArchive({ ...image, layers }, 'declaring:latest', join(box.home.dir, 'declaring.tar')),
  );
  return box;
}

const volumes = async (box: Box): Promise<number> =>
  (await box.ok('volume', 'ls', '-q')).split('\n').filter(Boolean).length;

test('an image’s volumes become anonymous ones, filled, and go with --rm', async () => {
  const box = await declaring();
  const script = 'grep -c -E " /(data|missing) " /proc/self/mounts; cat /data/file; echo x > /missing/made';
  assert.is(await box.ok(...RUN, 'declaring', 'sh', '-c', script), '2\nof the image');
  assert.is(await volumes(box), 0);
});

test('they stay with the container: restarts keep what is written, rm keeps them, rm -v does not', async () => {
  const box = await declaring();
  const make = () =>
    box.ok(
      'run',
      '-d',
      '--network',
      'none',
      'declaring',
      'sh',
      '-c',
      'echo again >> /data/log; exec sleep 1000',
    );
  const id = await make();
  await box.ok('stop', '-t', '0', id);
  await box.ok('start', id);
  assert.is(await box.ok('exec', id, 'sh', '-c', 'sleep 0.2; grep -c again /data/log'), '2');
  assert.is(await volumes(box), 2);
  await box.ok('rm', '-f', id);
  assert.is(await volumes(box), 2);
  await box.ok('volume', 'rm', ...(await box.ok('volume', 'ls', '-q')).split('\n'));
  await box.ok('rm', '-f', '-v', await make());
  assert.is(await volumes(box), 0);
});

test('what the user mounts there takes the place', async () => {
  const box = await declaring();
  const out = await box.ok(
    ...RUN,
    '-v',
    'mine:/data',
    '--tmpfs',
    '/missing',
    'declaring',
    'sh',
    '-c',
    'cat /data/file; grep -c tmpfs.*missing /proc/self/mounts; awk "/ .missing /{print \\$3}" /proc/self/mounts',
  );
  assert.match(out, /^of the image1\ntmpfs$/);
  assert.is(await box.ok('volume', 'ls', '-q'), 'mine');
  await box.ok('volume', 'rm', 'mine');
});

test('--volumes-from: the same volumes under the same targets, also read-only', async () => {
  const box = await declaring();
  await box.ok(
    'create',
    '--name',
    'giver',
    '-v',
    'shared:/srv/shared',
    '--tmpfs',
    '/not-this',
    'declaring',
    'true',
  );
  await sh('echo one > /srv/shared/file; echo two > /data/more', '--volumes-from', 'giver');
  assert.is(
    await sh(
      'cat /srv/shared/file /data/file /data/more; ls -d /not-this 2>/dev/null; true',
      '--volumes-from',
      'giver',
    ),
    'one\nof the imagetwo',
  );
  assert.is(
    await sh('echo x > /data/no 2>/dev/null || echo refused', '--volumes-from', 'giver:ro'),
    'refused',
  );
  assert.is(await volumes(box), 3, '--rm of a user does not take what the giver still has');
  await box.ok('rm', '-v', 'giver');
  assert.is(await box.ok('volume', 'ls', '-q'), 'shared');
  await box.fails(125, /no such container: nobody/, ...RUN, '--volumes-from', 'nobody', 'busybox', 'true');
  await box.fails(125, /--volumes-from "x:huh"/, ...RUN, '--volumes-from', 'x:huh', 'busybox', 'true');
  await box.ok('volume', 'rm', 'shared');
});

test('a create that fails leaves no volume behind', async () => {
  const box = await declaring();
  const done = await box('create', '-v', 'half:/x', '--name', 'twice', 'declaring', 'true');
  assert.is(done.code, 0);
  await box('create', '-v', 'other-half:/x', '--name', 'twice', 'declaring', 'true');
  assert.not.match(await box.ok('volume', 'ls', '-q'), /other-half/);
  await box.ok('rm', '-v', 'twice');
  await box.ok('volume', 'rm', 'half');
  assert.is(await volumes(box), 0);
});

test.run();
