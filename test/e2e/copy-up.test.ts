import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Box } from '../support/cli.ts';
import { busyboxImage, dockerArchive, layerWith } from '../support/images.ts';
import { busybox, removeContainers } from '../support/ready.ts';
import { requires } from '../support/requires.ts';

/** What a volume holds when it is mounted for the first time. */
const test = requires(suite('copy-up'), 'userns', 'busybox');
test.after.each(removeContainers);
const RUN = ['run', '--rm', '--network', 'none'];

let loaded: Promise<Box> | undefined;

/** An image of two layers: /seed with a file replaced and one removed above, and links in the way. */
function seeded(): Promise<Box> {
  loaded ??= load();
  return loaded;
}

async function load(): Promise<Box> {
  const box = await busybox();
  const image = busyboxImage();
  const secret = join(box.home.dir, 'secret');
  writeFileSync(secret, 'of the host');
  const layers = [
    ...image.layers,
    layerWith({ 'seed/old': 'x', 'seed/file': 'below', 'seed/sub/deep': 'deep', inside: { link: '/seed' } }),
    layerWith({ 'seed/file': 'above', 'seed/.wh.old': '', outside: { link: `../../../..${box.home.dir}` } }),
  ];
  await box.ok(
    'load',
    '-i',
    dockerArchive({ ...image, layers }, 'seeded:latest', join(box.home.dir, 'seeded.tar')),
  );
  return box;
}

const LIST = 'cd /seed && find . -type f | sort | xargs -n1 echo -n; cat file';

test('the image as a container would see it there, all layers together', async () => {
  const box = await seeded();
  const list = await box.ok(...RUN, '-v', 'fresh:/seed', 'seeded', 'sh', '-c', LIST);
  assert.is(list, './file./sub/deepabove');
  await box.ok(...RUN, '-v', 'fresh:/seed', 'seeded', 'rm', '-r', '/seed/file', '/seed/sub');
  assert.is(
    await box.ok(...RUN, '-v', 'fresh:/seed', 'seeded', 'ls', '-A', '/seed'),
    'file\nsub',
    'an empty one is filled again, as docker does',
  );
});

test('a volume that was made before and is empty is filled; one that holds something is not', async () => {
  const box = await seeded();
  await box.ok('volume', 'create', 'before');
  assert.is(await box.ok(...RUN, '-v', 'before:/seed', 'seeded', 'cat', '/seed/file'), 'above');
  await box.ok(...RUN, '-v', 'used:/x', 'busybox', 'touch', '/x/mine');
  assert.is(await box.ok(...RUN, '-v', 'used:/seed', 'seeded', 'ls', '/seed'), 'mine');
});

test('nocopy, and a volume that another container has', async () => {
  const box = await seeded();
  assert.is(await box.ok(...RUN, '-v', 'none:/seed:nocopy', 'seeded', 'ls', '-A', '/seed'), '');
  await box.ok('create', '-v', 'taken:/elsewhere', 'busybox', 'true');
  assert.is(await box.ok(...RUN, '-v', 'taken:/seed', 'seeded', 'ls', '-A', '/seed'), '');
});

test('an anonymous volume is filled too', async () => {
  const box = await seeded();
  assert.is(await box.ok(...RUN, '-v', '/seed', 'seeded', 'cat', '/seed/file'), 'above');
});

test('links lead to other places of the image, never of the host', async () => {
  const box = await seeded();
  assert.is(await box.ok(...RUN, '-v', 'linked:/inside', 'seeded', 'cat', '/seed/file'), 'above');
  const tried = await box(...RUN, '-v', 'stolen:/outside', 'seeded', 'ls', '-AR', '/outside/');
  assert.not.match(tried.stdout, /secret/, 'the target is a link to the host’s home');
  const looked = await box.ok(...RUN, '-v', 'stolen:/look', 'busybox', 'ls', '-AR', '/look');
  assert.not.match(looked, /secret/);
});

test.run();
