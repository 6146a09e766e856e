import { cpSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { capture, TSBOX } from '../support/cli.ts';
import { busybox, removeContainers } from '../support/ready.ts';
import { requires } from '../support/requires.ts';

/** The quick commands read their packs of modules and no package: an installation without all the rest must do for them. */
const test = requires(suite('packs'), 'userns', 'busybox', 'packs');
const networked = requires(test, 'slirp4netns', 'tun');
test.after.each(removeContainers);

const FILES = [
  'tsbox.cjs',
  'tsbox.main.cjs',
  'tsbox.run.cjs',
  'tsbox.list.cjs',
  'tsbox.net.cjs',
  'tsbox.main.run.cache',
  'tsbox.run.run.cache',
  'tsbox.main.exec.cache',
  'tsbox-helper',
  'seccomp',
];

test('run, exec, ps, images, inspect, logs, stats, stop, start and rm need neither the rest nor node_modules', async () => {
  const box = await busybox();
  // What this machine can do is found out once, by the rest.
  await box.ok('run', '--rm', '--network', 'none', 'busybox', 'true');
  const dir = join(box.home.dir, 'hot');
  mkdirSync(dir, { recursive: true });
  for (const name of FILES)
    cpSync(join(dirname(TSBOX), name), join(dir, name), { preserveTimestamps: true, recursive: true });
  const hot = async (...args: string[]): Promise<string> => {
    const done = await capture(join(dir, 'tsbox.cjs'), args, box.home);
    assert.equal([done.code, done.stderr], [0, ''], args.join(' '));
    return done.stdout;
  };
  assert.is(await hot('run', '--rm', '--network', 'none', 'busybox', 'echo', 'hi'), 'hi\n');
  await hot('run', '-d', '--name', 'one', '--network', 'none', 'busybox', 'sh', '-c', 'echo out; sleep 1000');
  assert.is(await hot('exec', 'one', 'echo', 'in'), 'in\n');
  assert.match(await hot('ps', '-a'), /one\n$/);
  assert.match(await hot('images'), /busybox/);
  assert.match(await hot('inspect', 'one'), /"Name": "\/one"/);
  assert.is(await hot('logs', 'one'), 'out\n');
  assert.match(await hot('stats', '--no-stream'), /one/);
  for (const verb of [['stop', '-t', '0'], ['start'], ['rm', '-f']])
    assert.is(await hot(...verb, 'one'), 'one\n');
});

networked('nor does a run in a network of the user’s', async () => {
  const box = await busybox();
  await box.ok('network', 'create', 'net');
  const words = ['run', '--rm', '--network', 'net', 'busybox', 'echo', 'ho'];
  const done = await capture(join(box.home.dir, 'hot/tsbox.cjs'), words, box.home);
  assert.equal([done.code, done.stdout, done.stderr], [0, 'ho\n', '']);
});

test('what the rest lacks is said, not thrown', async () => {
  const box = await busybox();
  const done = await capture(join(box.home.dir, 'hot/tsbox.cjs'), ['doctor'], box.home);
  assert.is(done.code, 125);
  assert.match(done.stderr, /tsbox\.rest\.cjs/);
});

test.run();
