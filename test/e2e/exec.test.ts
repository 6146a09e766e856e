import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { HELPER } from '../helpers/harness.ts';
import { statusOf } from '../support/cli.ts';
import { busybox, sleeper } from '../support/ready.ts';
import { requires } from '../support/requires.ts';
import { eventually, within } from '../support/within.ts';

const test = requires(suite('exec'), 'userns', 'busybox');
const ranges = requires(test, 'subid');
const slowed = requires(test, 'strace');
let id = '';

test.before(async () => {
  id = await sleeper('--name', 'target', '-e', 'FROM=run', '-w', '/var').catch(() => '');
});
test.after(async () => {
  if (id) await (await busybox())('rm', '-f', id);
});

test('output, status, by name, id and the first digits of the id', async () => {
  const box = await busybox();
  for (const name of ['target', id, id.slice(0, 12)])
    assert.is(await box.ok('exec', name, 'echo', 'hi'), 'hi');
  const done = await box('exec', 'target', 'sh', '-c', 'echo out; echo err >&2; exit 5');
  assert.equal([done.code, done.stdout, done.stderr], [5, 'out\n', 'err\n']);
});

test('it joins every namespace and the root of the container', async () => {
  const box = await busybox();
  const script = 'for n in user mnt pid net uts ipc cgroup; do readlink /proc/self/ns/$n; done';
  const [inside, first] = await Promise.all([
    box.ok('exec', 'target', 'sh', '-c', script),
    box.ok('exec', 'target', 'sh', '-c', script.replace('self', '1')),
  ]);
  assert.is(inside, first);
  assert.match(await box.ok('exec', 'target', 'cat', '/proc/1/cmdline'), 'sleep');
});

test('environment and directory come from run, -e and -w replace them', async () => {
  const box = (await busybox()).with({ env: { BARE: 'caller' } });
  assert.is(await box.ok('exec', 'target', 'sh', '-c', 'echo $FROM $(pwd)'), 'run /var');
  const out = await box.ok(
    'exec',
    '-e',
    'FROM=exec',
    '-e',
    'BARE',
    '-w',
    '/etc',
    'target',
    'sh',
    '-c',
    'echo $FROM $BARE $(pwd)',
  );
  assert.is(out, 'exec caller /etc');
});

ranges('-u', async () => {
  const box = await busybox();
  assert.is(await box.ok('exec', '-u', 'app', 'target', 'id', '-un'), 'app');
  assert.is(await box.ok('exec', '-u', '5:6', 'target', 'sh', '-c', 'id -u; id -g'), '5\n6');
});

test('-i gives stdin', async () => {
  const box = await busybox();
  assert.is(await box.with({ input: 'through' }).ok('exec', '-i', 'target', 'cat'), 'through');
  assert.is(await box.with({ input: 'not' }).ok('exec', 'target', 'cat'), '');
});

test('-d comes back at once and the command goes on', async () => {
  const box = await busybox();
  await box.ok('exec', '-d', 'target', 'sh', '-c', 'sleep 0.2; echo done > /tmp/mark; sleep 1000');
  await eventually(
    10_000,
    'the mark',
    async () => (await box('exec', 'target', 'cat', '/tmp/mark')).code === 0,
  );
});

test('127 and 126 as in run, 1 without such a container', async () => {
  const box = await busybox();
  await box.fails(127, /no-such/, 'exec', 'target', 'no-such');
  await box.fails(126, /passwd/, 'exec', 'target', '/etc/passwd');
  await box.fails(1, /nobody/, 'exec', 'nobody', 'true');
  await box.fails(125, /nowhere/, 'exec', '-w', '/nowhere', 'target', 'true');
});

test('a container that is not running is an error that says so', async () => {
  const box = await busybox();
  const made = await box.ok('create', 'busybox', 'true');
  const done = await box('exec', made, 'true');
  assert.ok(done.code !== 0 && /not running/.test(done.stderr), done.stderr);
  await box.ok('rm', made);
});

test('capabilities and seccomp are those of run', async () => {
  const box = await busybox();
  const script = 'grep -E "^(Cap|Seccomp|NoNewPrivs)" /proc/self/status';
  const [now, first] = [
    await box.ok('exec', 'target', 'sh', '-c', script),
    await box.ok('exec', 'target', 'sh', '-c', script.replace('self', '1')),
  ];
  assert.is(now, first);
  assert.match(now, /Seccomp:\s+2/);
});

test('signals to the client reach the command, from its first word on', async () => {
  const box = await busybox();
  for (let round = 0; round < 5; round++) {
    const child = box.start(
      'exec',
      'target',
      'sh',
      '-c',
      'trap "exit 8" TERM; echo ready; while :; do sleep 0.05; done',
    );
    child.stdout?.once('data', () => child.kill('SIGTERM'));
    assert.is(await within(10_000, statusOf(child), 'the end of exec'), 8);
  }
});

slowed('a command that is over before its supervisor has been told of it', async () => {
  const box = await busybox();
  const wrapper = join(box.home.dir, 'slow');
  // The process that has made the command's sleeps before it can say its pid.
  const slow = 'strace -f -qq -o /dev/null -e trace=clone -e inject=clone:delay_exit=200000';
  writeFileSync(wrapper, `#!/bin/sh\nexec ${slow} ${HELPER} "$@"\n`, { mode: 0o755 });
  const done = await box.with({ env: { TSBOX_HELPER: wrapper } })('exec', 'target', 'echo', 'short');
  assert.equal([done.code, done.stdout, done.stderr], [0, 'short\n', '']);
});

test('many at once', async () => {
  const box = await busybox();
  const outs = await Promise.all(
    Array.from({ length: 10 }, (_, i) => box.ok('exec', 'target', 'echo', `${i}`)),
  );
  assert.equal(
    outs,
    Array.from({ length: 10 }, (_, i) => `${i}`),
  );
});

test('commands of exec end with the container', async () => {
  const box = await busybox();
  const other = await sleeper();
  const child = box.start('exec', other, 'sleep', '1000');
  const status = statusOf(child);
  await eventually(10_000, 'two sleeps', async () =>
    /sleep[\s\S]*sleep/.test(await box.ok('exec', other, 'ps')),
  );
  await box.ok('rm', '-f', other);
  assert.is(await within(10_000, status, 'the end of exec'), 137);
});

test.run();
