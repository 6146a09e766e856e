import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { collect, statusOf } from '../support/cli.ts';
import { busybox, removeContainers } from '../support/ready.ts';
import { requires } from '../support/requires.ts';
import { eventually, within } from '../support/within.ts';

const test = requires(suite('logs'), 'userns', 'busybox');
test.after.each(removeContainers);

async function talker(name: string, script: string): Promise<string> {
  return (await busybox()).ok(
    'run',
    '-d',
    '--network',
    'none',
    '--name',
    name,
    'busybox',
    'sh',
    '-c',
    script,
  );
}

test('both streams, in order, also after the end', async () => {
  const box = await busybox();
  await talker('both', 'echo one; sleep 0.1; echo two >&2; sleep 0.1; echo three');
  await box.ok('wait', 'both');
  const done = await box('logs', 'both');
  assert.equal([done.stdout, done.stderr, done.code], ['one\nthree\n', 'two\n', 0]);
  await box.ok('rm', 'both');
});

test('bytes as they were: no newline at the end, long lines, control characters', async () => {
  const box = await busybox();
  await talker('bytes', 'printf "a\\tb\\033[1m"; head -c 100000 /dev/zero | tr "\\0" x; printf "\\nend"');
  await box.ok('wait', 'bytes');
  const done = await box('logs', 'bytes');
  assert.is(done.stdout, `a\tb\x1b[1m${'x'.repeat(100_000)}\nend`);
  await box.ok('rm', 'bytes');
});

test('--tail, --since, --until, -t', async () => {
  const box = await busybox();
  await talker('lines', 'for i in 1 2 3 4 5; do echo $i; done');
  await box.ok('wait', 'lines');
  assert.is(await box.ok('logs', '--tail', '2', 'lines'), '4\n5');
  assert.is(await box.ok('logs', '-n', '0', 'lines'), '');
  assert.is(await box.ok('logs', '--tail', 'all', 'lines'), '1\n2\n3\n4\n5');
  const stamped = (await box.ok('logs', '-t', 'lines')).split('\n');
  assert.match(stamped[0] ?? '', /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z 1$/);
  assert.is(await box.ok('logs', '--since', '1h', 'lines'), '1\n2\n3\n4\n5');
  assert.is(await box.ok('logs', '--until', '1h', 'lines'), '');
  assert.is(await box.ok('logs', '--since', new Date(Date.now() + 60_000).toISOString(), 'lines'), '');
  await box.fails(125, /since|yesterdayish/, 'logs', '--since', 'yesterdayish', 'lines');
  await box.ok('rm', 'lines');
});

test('-f follows and ends with the container', async () => {
  const box = await busybox();
  await talker('follow', 'echo first; while [ ! -e /go ]; do sleep 0.05; done; echo second');
  const child = box.start('logs', '-f', 'follow');
  const [out, status] = [collect(child.stdout), statusOf(child)];
  await eventually(10_000, 'the first line', () => out() === 'first\n');
  await box.ok('exec', 'follow', 'touch', '/go');
  assert.is(await within(10_000, status, 'logs -f'), 0);
  assert.is(out(), 'first\nsecond\n');
  await box.ok('rm', 'follow');
});

test('-f ends on Ctrl-C and leaves the container alone', async () => {
  const box = await busybox();
  await talker('alone', 'echo hi; sleep 1000');
  const child = box.start('logs', '-f', 'alone');
  const [out, status] = [collect(child.stdout), statusOf(child)];
  await eventually(10_000, 'the line', () => out() === 'hi\n');
  child.kill('SIGINT');
  await within(10_000, status, 'logs after Ctrl-C');
  assert.is(await box.ok('ps', '--filter', 'name=alone', '--format', '{{.Names}}'), 'alone');
  await box.ok('rm', '-f', 'alone');
});

test('a foreground run is logged, too', async () => {
  const box = await busybox();
  await box.ok('run', '--network', 'none', '--name', 'seen', 'busybox', 'echo', 'seen');
  assert.is(await box.ok('logs', 'seen'), 'seen');
  await box.ok('rm', 'seen');
});

test('a created container has no lines; an unknown one is an error', async () => {
  const box = await busybox();
  await box.ok('create', '--name', 'silent', 'busybox', 'true');
  assert.is(await box.ok('logs', 'silent'), '');
  await box.ok('rm', 'silent');
  await box.fails(1, /nobody/, 'logs', 'nobody');
});

const LIMITS = ['--log-opt', 'max-size=20k', '--log-opt', 'max-file=3'];

test('rotation keeps the newest files, and reading goes through all of them', async () => {
  const box = await busybox();
  const flags = ['--network', 'none', '--name', 'turned', ...LIMITS];
  await box.ok('run', '-d', ...flags, 'busybox', 'sh', '-c', 'seq 1 5000');
  await box.ok('wait', 'turned');
  const lines = (await box.ok('logs', 'turned')).split('\n').map(Number);
  assert.ok(lines.length > 400 && lines.length < 2000, `${lines.length} lines`);
  assert.equal(
    lines,
    lines.map((_, i) => 5000 - lines.length + 1 + i),
  );
  for (const tail of [1, 10, lines.length - 1]) {
    assert.is((await box.ok('logs', '--tail', String(tail), 'turned')).split('\n').length, tail);
  }
});

test('-f follows across rotation without a loss', async () => {
  const box = await busybox();
  const flags = [
    '--network',
    'none',
    '--name',
    'turning',
    '--log-opt',
    'max-size=20k',
    '--log-opt',
    'max-file=50',
  ];
  const script = 'i=0; while [ $i -lt 60 ]; do seq $((i*50+1)) $((i*50+50)); i=$((i+1)); sleep 0.02; done';
  await box.ok('run', '-d', ...flags, 'busybox', 'sh', '-c', script);
  const followed = (await box.ok('logs', '-f', 'turning')).split('\n').map(Number);
  assert.is(followed.length, 3000);
  assert.ok(followed.every((n, i) => n === i + 1));
});

test('--log-driver none keeps nothing, and logs says so', async () => {
  const box = await busybox();
  await box.ok('run', '--network', 'none', '--name', 'mute', '--log-driver', 'none', 'busybox', 'echo', 'x');
  await box.fails(1, /keeps no log/, 'logs', 'mute');
});

test('200,000 lines take no time', async () => {
  const box = await busybox();
  await talker('long', 'seq 1 200000');
  await box.ok('wait', 'long');
  const done = await box('logs', 'long');
  assert.is(done.stdout.length, 1_288_895);
  assert.ok(done.duration < 5000, `${done.duration} ms`);
});

test.run();
