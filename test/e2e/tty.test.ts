import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { TSBOX } from '../support/cli.ts';
import { openPty } from '../support/pty.ts';
import { busybox, removeContainers, sleeper } from '../support/ready.ts';
import { requires } from '../support/requires.ts';

/** `-t` on a real terminal: what a person sees and types. */
const test = requires(suite('terminals'), 'userns', 'busybox', 'script');
test.after.each(removeContainers);

async function onTerminal(args: string[], size?: { rows: number; cols: number }) {
  return openPty([TSBOX, ...args], (await busybox()).home, size);
}
const RUN = ['run', '--rm', '-it', '--network', 'none', 'busybox'];

test('a shell: prompt, echo, job control, status', async () => {
  const pty = await onTerminal([...RUN, 'sh']);
  await pty.expect(/\/ # /);
  pty.type('tty; echo $((6*7))\n');
  await pty.expect(/\/dev\/(pts\/0|console)\n42\n/);
  pty.type('exit 5\n');
  assert.is(await pty.end(), 5);
});

test('the size is the terminal’s, and follows it', async () => {
  const pty = await onTerminal([...RUN, 'sh'], { rows: 33, cols: 111 });
  await pty.expect(/# /);
  pty.type('stty size\n');
  await pty.expect(/\n33 111\n/);
  pty.resize(44, 122);
  pty.type('sleep 0.3; stty size\n');
  await pty.expect(/\n44 122\n/);
  pty.type('exit\n');
  assert.is(await pty.end(), 0);
});

test('Ctrl-C goes to the command, not to tsbox', async () => {
  const pty = await onTerminal([
    ...RUN,
    'sh',
    '-c',
    'trap "echo interrupted; exit 4" INT; echo ready; while :; do sleep 0.05; done',
  ]);
  await pty.expect(/ready/);
  pty.type('\x03');
  await pty.expect(/interrupted/);
  assert.is(await pty.end(), 4);
});

test('Ctrl-D ends the input', async () => {
  const pty = await onTerminal([...RUN, 'cat']);
  pty.type('hello\n');
  await pty.expect(/hello\nhello\n/);
  pty.type('\x04');
  assert.is(await pty.end(), 0);
});

test('Ctrl-P Ctrl-Q detaches, attach comes back', async () => {
  const box = await busybox();
  const pty = await onTerminal(['run', '-it', '--name', 'away', '--network', 'none', 'busybox', 'sh']);
  await pty.expect(/# /);
  pty.type('x=kept\n');
  pty.type('\x10\x11');
  await pty.end();
  assert.is(await box.ok('inspect', '-f', '{{.State.Running}}', 'away'), 'true');
  const back = await onTerminal(['attach', 'away']);
  back.type('\necho is-$x\n');
  await back.expect(/is-kept/);
  back.type('exit 3\n');
  assert.is(await back.end(), 3);
  await box.ok('rm', 'away');
});

test('exec -it', async () => {
  const box = await busybox();
  const id = await sleeper();
  const pty = await onTerminal(['exec', '-it', id, 'sh'], { rows: 20, cols: 70 });
  await pty.expect(/# /);
  pty.type('stty size; tty\n');
  await pty.expect(/\n20 70\n\/dev\/pts\/\d+\n/);
  pty.type('exit 6\n');
  assert.is(await pty.end(), 6);
  await box.ok('rm', '-f', id);
});

test('the terminal is left as it was found', async () => {
  const { home } = await busybox();
  const words = RUN.map(w => `'${w}'`).join(' ');
  const pty = await openPty(
    [
      'sh',
      '-c',
      `a=$(stty -g); '${TSBOX}' ${words} true; b=$(stty -g); [ "$a" = "$b" ] && echo same || echo different`,
    ],
    home,
  );
  await pty.expect(/same|different/);
  assert.match(pty.text(), /same/);
  await pty.end();
});

for (const signal of ['TERM', 'KILL'] as const) {
  test(`and also when tsbox is killed by SIG${signal}`, async () => {
    const { home } = await busybox();
    const words = RUN.map(w => `'${w}'`).join(' ');
    const command = `'${TSBOX}' ${words} sh -c 'echo up; sleep 1000'`;
    const script = `a=$(stty -g); ${command} & pid=$!; sleep 2; kill -${signal} $pid; wait $pid; sleep 0.5; b=$(stty -g); [ "$a" = "$b" ] && echo same || echo different`;
    const pty = await openPty(['sh', '-c', script], home);
    await pty.expect(/same|different/, 15_000);
    assert.match(pty.text(), /same/);
    await pty.end();
    const ids = (await (await busybox()).ok('ps', '-aq')).split('\n').filter(Boolean);
    if (ids.length > 0) await (await busybox())('rm', '-f', ...ids);
  });
}

test('-t without a terminal: -i is refused as docker does, -t alone works', async () => {
  const box = await busybox();
  await box.fails(125, /TTY|terminal/i, ...RUN, 'true');
  const done = await box(
    'run',
    '--rm',
    '-t',
    '--network',
    'none',
    'busybox',
    'sh',
    '-c',
    'test -t 1 && echo tty',
  );
  assert.equal([done.code, done.stdout], [0, 'tty\r\n'], done.stderr);
});

test('-d -t gives the command a terminal that attach can find', async () => {
  const box = await busybox();
  const id = await box.ok('run', '-dit', '--network', 'none', 'busybox', 'sh');
  const pty = await onTerminal(['attach', id]);
  pty.type('\ntest -t 0 && echo yes-$((1+1))\n');
  await pty.expect(/yes-2/);
  pty.type('exit\n');
  await pty.end();
  await box.ok('rm', id);
});

test.run();
