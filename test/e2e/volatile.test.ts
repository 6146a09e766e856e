import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { busybox, removeContainers } from '../support/ready.ts';
import { requires } from '../support/requires.ts';

/** What is written into a --rm container goes with it: the kernel's overlay need not write it to the disk first. */
const test = requires(suite('volatile overlay'), 'userns', 'busybox', 'overlay');
test.after.each(removeContainers);

const OVERLAY = ['--network', 'none', '--storage-driver', 'overlay', 'busybox'];
const options = ['sh', '-c', "grep '^overlay / ' /proc/mounts"];

test('a --rm container has it, another does not', async () => {
  const box = await busybox();
  assert.match(await box.ok('run', '--rm', ...OVERLAY, ...options), /volatile/);
  assert.not.match(await box.ok('run', ...OVERLAY, ...options), /volatile/);
});

test('a start that failed, and a copy into it before, do not keep it from starting', async () => {
  const box = await busybox();
  await box.ok('create', '--rm', '--name', 'again', ...OVERLAY, '/begin');
  for (let i = 0; i < 2; i++) {
    const done = await box('start', 'again');
    assert.match(done.stderr, /\/begin/, 'the command is missing, not the mount');
  }
  const script = join(box.home.dir, 'begin');
  writeFileSync(script, '#!/bin/sh\nexit 9\n', { mode: 0o755 });
  await box.ok('cp', script, 'again:/begin');
  assert.is((await box('start', '-a', 'again')).code, 9);
});

test.run();
