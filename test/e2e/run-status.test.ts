import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { collect, statusOf } from '../support/cli.ts';
import { busybox, removeContainers, sh } from '../support/ready.ts';
import { requires } from '../support/requires.ts';
import { eventually, within } from '../support/within.ts';

/** The exit status and the streams of `run` are the command's own. */
const test = requires(suite('run: status and streams'), 'userns', 'busybox');
test.after.each(removeContainers);
const RUN = ['run', '--rm', '--network', 'none'];

test('the status is the command’s', async () => {
  const box = await busybox();
  for (const code of [0, 1, 7, 125, 255]) {
    assert.is((await box(...RUN, 'busybox', 'sh', '-c', `exit ${code}`)).code, code);
  }
});

test('127 for a command that is not there, with its name', async () => {
  const box = await busybox();
  await box.fails(127, /no-such-command/, ...RUN, 'busybox', 'no-such-command');
  await box.fails(127, /\/bin\/missing/, ...RUN, 'busybox', '/bin/missing', 'x');
});

test('126 for a command that cannot be executed', async () => {
  const box = await busybox();
  await box.fails(126, /\/etc\/passwd/, ...RUN, 'busybox', '/etc/passwd');
  await box.fails(126, /\/etc/, ...RUN, 'busybox', '/etc');
});

test('stdout and stderr stay apart', async () => {
  const done = await (await busybox())(...RUN, 'busybox', 'sh', '-c', 'echo out; echo err >&2');
  assert.equal([done.stdout, done.stderr], ['out\n', 'err\n']);
});

test('arguments arrive byte for byte', async () => {
  const words = ['', ' ', "it's", '$HOME', 'a\nb', '-x', '--', 'é…', '*', '\\', '"', 'x'.repeat(5000)];
  const out = await (await busybox()).ok(
    ...RUN,
    'busybox',
    'sh',
    '-c',
    'for a; do printf "%s|" "$a"; done',
    'sh',
    ...words,
  );
  assert.is(out, words.map(w => `${w}|`).join(''));
});

test('stdin reaches the command with -i', async () => {
  const box = await busybox();
  const input = Buffer.alloc(1 << 20, 'tsbox\0\xff');
  const done = await box.with({ input })(...RUN, '-i', 'busybox', 'sh', '-c', 'wc -c; exit 3');
  assert.equal([done.stdout.trim(), done.code], [String(input.length), 3]);
  const echoed = await box.with({ input: 'one\ntwo\n' }).ok(...RUN, '-i', 'busybox', 'cat');
  assert.is(echoed, 'one\ntwo');
});

test('stdin is empty without -i', async () => {
  const done = await (await busybox()).with({ input: 'secret\n' })(...RUN, 'busybox', 'cat');
  assert.equal([done.stdout, done.code], ['', 0]);
});

test('a command that does not read its stdin is not waited for', async () => {
  const box = await busybox();
  const child = box.start(...RUN, '-i', 'busybox', 'true');
  assert.is(await within(10_000, statusOf(child), 'run with an open stdin'), 0);
});

test('megabytes of output arrive whole', async () => {
  const done = await (await busybox())(
    ...RUN,
    'busybox',
    'sh',
    '-c',
    'head -c 3000000 /dev/zero; head -c 100000 /dev/zero >&2',
  );
  assert.equal([done.stdout.length, done.stderr.length], [3_000_000, 100_000]);
});

test('output can be cut off: head ends early and nothing hangs', async () => {
  const box = await busybox();
  const child = box.start(...RUN, 'busybox', 'yes');
  child.stdout?.once('data', () => child.stdout?.destroy());
  await within(10_000, statusOf(child), 'the end after a closed stdout');
});

test('a signal is forwarded from the first word of the command on, by run and by start -a', async () => {
  const box = await busybox();
  const script = 'trap "exit 8" USR1; echo ready; while :; do sleep 0.05; done';
  await box.ok('create', '--name', 'again', '--network', 'none', 'busybox', 'sh', '-c', script);
  for (const words of [
    [...RUN, 'busybox', 'sh', '-c', script],
    ['start', '-a', 'again'],
  ])
    for (let round = 0; round < 5; round++) {
      const child = box.start(...words);
      child.stdout?.once('data', () => child.kill('SIGUSR1'));
      assert.is(await within(10_000, statusOf(child), `the end of ${words[0]}`), 8);
    }
  await box.ok('rm', 'again');
});

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGUSR1'] as const) {
  test(`${signal} is forwarded to the command`, async () => {
    const box = await busybox();
    const name = signal.slice(3);
    const script = `trap 'echo got ${name}; exit 9' ${name}; echo ready; while :; do sleep 0.05; done`;
    const child = box.start(...RUN, 'busybox', 'sh', '-c', script);
    const [out, status] = [collect(child.stdout), statusOf(child)];
    await eventually(10_000, 'ready', () => out().includes('ready'));
    child.kill(signal);
    assert.is(await within(10_000, status, 'the end after the signal'), 9);
    assert.match(out(), `got ${name}`);
  });
}

test('a command ended by a signal gives 128 + its number', async () => {
  const out = await (await busybox())(...RUN, '--init', 'busybox', 'sh', '-c', 'kill -TERM $$');
  assert.is(out.code, 143);
});

test('the killed client takes a foreground --rm container with it or lets it end; nothing is left', async () => {
  const box = await busybox();
  const child = box.start(...RUN, '--name', 'orphan', 'busybox', 'sh', '-c', 'echo ready; sleep 2');
  const [out, status] = [collect(child.stdout), statusOf(child)];
  await eventually(10_000, 'ready', () => out().includes('ready'));
  child.kill('SIGKILL');
  await status;
  await eventually(
    10_000,
    'the container is gone',
    async () => (await box.ok('ps', '-aq', '--filter', 'name=orphan')) === '',
  );
});

test('the shell sees a sane world', async () => {
  assert.is(await sh('id -u; id -g; pwd; echo $$'), '0\n0\n/\n1');
  assert.is(await sh('ls -A /dev/fd/ | sort -n | head -3 | tr "\\n" " "'), '0 1 2 ');
});

test.run();
