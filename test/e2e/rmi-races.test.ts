import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { busyboxImage, dockerArchive, layerWith } from '../support/images.ts';
import { busybox, removeContainers } from '../support/ready.ts';
import { requires } from '../support/requires.ts';

/** An image that goes away while it is used, tagged or brought in. */
const test = requires(suite('rmi and others at once'), 'userns', 'busybox');
const ROUNDS = process.env.TSBOX_TEST_LONG ? 60 : 5;
test.after.each(removeContainers);

test('create and rmi -f: either there is a container that works, or an error that says why', async () => {
  const box = await busybox();
  const base = busyboxImage();
  const image = { ...base, layers: [...base.layers, layerWith({ 'srv/x': 'x' })] };
  const archive = dockerArchive(image, 'app:latest', join(box.home.dir, 'app.tar'));
  let made = 0;
  for (let round = 0; round < ROUNDS; round++) {
    await box.ok('load', '-q', '-i', archive);
    const creates = ['one', 'two', 'three'].map(name =>
      box('create', '--name', name, '--network', 'none', '--pull', 'never', 'app', 'cat', '/srv/x'),
    );
    const removal = new Promise(resolve => setTimeout(resolve, Math.random() * 120)).then(() =>
      box('rmi', '-f', 'app'),
    );
    const done = await Promise.all(creates);
    await removal;
    for (const { code, stdout, stderr } of done) {
      if (code !== 0) {
        assert.match(stderr, /no such image|is missing in the store/, stderr);
        continue;
      }
      made++;
      assert.is(await box.ok('start', '-a', stdout.trim()), 'x');
    }
    assert.match(await box.ok('system', 'check'), /^The store is in order\.$/);
    await removeContainers();
    await box('rmi', '-f', 'app');
  }
  assert.ok(made > 0 || ROUNDS < 10, 'no create was ever first');
});

test('rmi while the same is being loaded: afterwards it is there or not, and nothing else', async () => {
  const box = await busybox();
  const archive = join(box.home.dir, 'app.tar');
  for (let round = 0; round < ROUNDS; round++) {
    const loads = [1, 2].map(() => box('load', '-q', '-i', archive));
    const removals = [40, 90, 140].map(ms =>
      new Promise(resolve => setTimeout(resolve, ms + Math.random() * 50)).then(() =>
        box('rmi', '-f', 'app'),
      ),
    );
    const done = await Promise.all([...loads, ...removals]);
    for (const { code, stderr } of done) if (code !== 0) assert.match(stderr, /no such image/, stderr);
    assert.is(await box.ok('system', 'check'), 'The store is in order.');
    if ((await box.ok('images', '-q', 'app')) !== '') {
      assert.is(
        await box.ok('run', '--rm', '--network', 'none', '--pull', 'never', 'app', 'cat', '/srv/x'),
        'x',
      );
    }
  }
  await box('rmi', '-f', 'app');
  await box.ok('system', 'check');
  assert.is(readdirSync(join(box.home.store, 'layers')).length, 1);
});

test.run();
