import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { collect, statusOf, TSBOX } from '../support/cli.ts';
import { openPty } from '../support/pty.ts';
import { busybox, removeContainers, sleeper } from '../support/ready.ts';
import { missingNeed, requires } from '../support/requires.ts';
import { eventually, within } from '../support/within.ts';

/** What goes between a client and its command, and what ends with the client. */
const test = requires(suite('streams'), 'userns', 'busybox');
test.after.each(removeContainers);
const onTerminal = requires(test, 'script');
const long = requires(test, 'long');

/** Says every signal that it gets. */
const TRAP = 'trap "echo got" TERM; echo ready; while :; do sleep 0.05; done';

for (const proxy of [true, false]) {
  test(`--sig-proxy=${proxy}: a signal for the client ${proxy ? 'is the command’s' : 'ends the client alone'}`, async () => {
    const box = await busybox();
    const flags = ['--network', 'none', '--name', 'trapper', `--sig-proxy=${proxy}`];
    const client = box.start('run', ...flags, 'busybox', 'sh', '-c', TRAP);
    const [out, status] = [collect(client.stdout), statusOf(client)];
    await eventually(10_000, 'it is ready', () => out().includes('ready'));
    client.kill('SIGTERM');
    if (proxy) await eventually(10_000, 'it got it', () => out().includes('got'));
    else assert.is(await within(10_000, status, 'the client'), 143);
    assert.is(await box.ok('inspect', '-f', '{{.State.Running}}', 'trapper'), 'true');
    await new Promise(resolve => setTimeout(resolve, 200));
    assert.is(await box.ok('logs', 'trapper'), proxy ? 'ready\ngot' : 'ready');
    await box.ok('rm', '-f', 'trapper');
    await status;
  });
}

for (const verb of ['run', 'attach', 'exec'] as const) {
  onTerminal(`${verb} --detach-keys: these and no others`, async () => {
    const box = await busybox();
    const keys = ['--detach-keys', 'ctrl-x,q'];
    const shell = ['--network', 'none', '--name', 'left', 'busybox', 'sh'];
    if (verb === 'exec') await sleeper('--name', 'left');
    if (verb === 'attach') await box.ok('run', '-dit', ...shell);
    const words = {
      run: ['run', '-it', ...keys, ...shell],
      attach: ['attach', ...keys, 'left'],
      exec: ['exec', '-it', ...keys, 'left', 'sh'],
    };
    const pty = await openPty([TSBOX, ...words[verb]], box.home);
    pty.type('\necho one-$((1+1))\n');
    await pty.expect(/one-2/);
    pty.type('\x10\x11echo still-$((1+2))\n');
    await pty.expect(/still-3/);
    pty.type('\x18q');
    await pty.end();
    assert.is(await box.ok('inspect', '-f', '{{.State.Running}}', 'left'), 'true');
  });
}

test('what one of two attached clients types, both read', async () => {
  const box = await busybox();
  const id = await box.ok('run', '-di', '--network', 'none', 'busybox', 'cat');
  const [typing, looking] = [box.start('attach', id), box.start('attach', '--no-stdin', id)];
  const outs = [typing, looking].map(client => collect(client.stdout));
  const ends = [typing, looking].map(statusOf);
  let sent = '';
  await eventually(10_000, 'both are there', async () => {
    typing.stdin?.write('.\n');
    sent += '.\n';
    await new Promise(resolve => setTimeout(resolve, 50));
    return outs.every(out => out().includes('.'));
  });
  typing.stdin?.end('the end\n');
  await eventually(10_000, 'both read it', () => outs.every(out => out().endsWith('the end\n')));
  await box.ok('rm', '-f', id);
  await within(10_000, Promise.all(ends), 'both');
  assert.is(outs[0]?.(), `${sent}the end\n`);
  assert.match(outs[1]?.() ?? '', /^(\.\n)+the end\n$/);
});

const AMOUNT = missingNeed('long') ? 48 * 1024 * 1024 : 1024 * 1024 * 1024;

for (const stream of ['stdout', 'stderr'] as const) {
  const run = missingNeed('long') && stream === 'stderr' ? long : test;
  run(`${AMOUNT >> 20} MiB of noise through ${stream}, byte for byte`, async () => {
    const box = await busybox();
    const noise = `head -c ${AMOUNT} /dev/urandom | tee /proc/self/fd/3 | sha256sum`;
    const script = stream === 'stdout' ? `{ ${noise} >&2; } 3>&1` : `{ ${noise}; } 3>&2`;
    const child = box.start(
      'run',
      '--rm',
      '--network',
      'none',
      '--log-driver',
      'none',
      'busybox',
      'sh',
      '-c',
      script,
    );
    const [data, words] = stream === 'stdout' ? [child.stdout, child.stderr] : [child.stderr, child.stdout];
    const [said, status, hash] = [collect(words), statusOf(child), createHash('sha256')];
    let size = 0;
    data?.on('data', (chunk: Buffer) => {
      size += chunk.length;
      hash.update(chunk);
    });
    if (data) await once(data, 'end');
    assert.is(await status, 0);
    assert.is(size, AMOUNT);
    assert.is(said().split(' ')[0], hash.digest('hex'));
  });
}

test.run();
