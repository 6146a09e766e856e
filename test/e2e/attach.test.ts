import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { collect, statusOf } from '../support/cli.ts';
import { busybox, removeContainers } from '../support/ready.ts';
import { requires } from '../support/requires.ts';
import { eventually, within } from '../support/within.ts';

const test = requires(suite('attach'), 'userns', 'busybox');
test.after.each(removeContainers);
const RUN_D = ['run', '-d', '-i', '--network', 'none'];
const TICKS = 'while :; do echo tick; sleep 0.05; done';

test('output from now on, input, status', async () => {
  const box = await busybox();
  const id = await box.ok(
    ...RUN_D,
    'busybox',
    'sh',
    '-c',
    'while read line; do echo "got $line"; [ "$line" = end ] && exit 9; done',
  );
  const child = box.start('attach', id);
  const [out, status] = [collect(child.stdout), statusOf(child)];
  child.stdin?.write('a\n');
  await eventually(10_000, 'the answer', () => out() === 'got a\n');
  child.stdin?.write('end\n');
  assert.is(await within(10_000, status, 'attach'), 9);
  assert.is(out(), 'got a\ngot end\n');
  await box.ok('rm', id);
});

test('two at once see the same output', async () => {
  const box = await busybox();
  const id = await box.ok(
    ...RUN_D,
    'busybox',
    'sh',
    '-c',
    'while [ ! -e /go ]; do sleep 0.05; done; echo hello; sleep 0.3',
  );
  const children = [box.start('attach', '--no-stdin', id), box.start('attach', '--no-stdin', id)];
  const outs = children.map(c => collect(c.stdout));
  const ends = children.map(statusOf);
  await new Promise(resolve => setTimeout(resolve, 500));
  await box.ok('exec', id, 'touch', '/go');
  await within(10_000, Promise.all(ends), 'both');
  assert.equal(
    outs.map(o => o()),
    ['hello\n', 'hello\n'],
  );
  await box.ok('rm', id);
});

test('a client that goes away does not end the container', async () => {
  const box = await busybox();
  const id = await box.ok(...RUN_D, 'busybox', 'sh', '-c', TICKS);
  const child = box.start('attach', '--sig-proxy=false', id);
  const [out, status] = [collect(child.stdout), statusOf(child)];
  await eventually(10_000, 'a tick', () => out().includes('tick'));
  child.kill('SIGKILL');
  await status;
  assert.is(await box.ok('inspect', '-f', '{{.State.Running}}', id), 'true');
  await box.ok('rm', '-f', id);
});

test('not running', async () => {
  const box = await busybox();
  const id = await box.ok('create', 'busybox', 'true');
  const done = await box('attach', id);
  assert.ok(done.code !== 0 && /not running|start/.test(done.stderr), done.stderr);
  await box.ok('rm', id);
});

test('no supervisor to be found: one sentence with the name, status 1', async () => {
  const box = await busybox();
  const id = await box.ok(...RUN_D, '--name', 'far', 'busybox', 'sleep', '1000');
  const elsewhere = box.with({ env: { TSBOX_RUNTIME_DIR: join(box.home.dir, 'elsewhere') } });
  await elsewhere.fails(
    1,
    /container far: there is no .*attach\.sock[\s\S]*TSBOX_RUNTIME_DIR/,
    'attach',
    'far',
  );
  await elsewhere.fails(1, /container far: there is no/, 'start', '-a', 'far');
  await box.ok('rm', '-f', id);
});

test('its supervisor is killed: said, status 1', async () => {
  const box = await busybox();
  const id = await box.ok(...RUN_D, '--name', 'lost', 'busybox', 'sh', '-c', TICKS);
  const child = box.start('attach', 'lost');
  const [out, err, status] = [collect(child.stdout), collect(child.stderr), statusOf(child)];
  await eventually(10_000, 'a tick', () => out().includes('tick'));
  process.kill(Number(await box.ok('inspect', '-f', '{{.Tsbox.SupervisorPid}}', id)), 'SIGKILL');
  assert.is(await within(10_000, status, 'attach'), 1);
  assert.match(err(), /supervisor of container lost was killed[\s\S]*tsbox start lost/);
  await box.ok('rm', '-f', id);
});

test.run();
