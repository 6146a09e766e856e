import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { statusOf } from '../support/cli.ts';
import { busybox, field, removeContainers, sleeper } from '../support/ready.ts';
import { requires } from '../support/requires.ts';
import { within } from '../support/within.ts';

/** create, start, stop, kill, wait, rm and what `-d` promises. */
const test = requires(suite('lifecycle'), 'userns', 'busybox');
test.after.each(removeContainers);

test('-d prints the full id once the command runs', async () => {
  const box = await busybox();
  const id = await sleeper();
  assert.match(id, /^[0-9a-f]{64}$/);
  assert.is(await field(id, '{{.State.Status}} {{.State.Running}}'), 'running true');
  await box.ok('rm', '-f', id);
});

test('-d fails as run does when the command is not there, and leaves nothing', async () => {
  const box = await busybox();
  await box.fails(127, /nothing-here/, 'run', '-d', '--rm', '--network', 'none', 'busybox', 'nothing-here');
  assert.is(await box.ok('ps', '-aq'), '');
});

test('create, start, start again, start -a', async () => {
  const box = await busybox();
  const id = await box.ok(
    'create',
    '--network',
    'none',
    '--name',
    'made',
    'busybox',
    'sh',
    '-c',
    'echo run $((++n)) >> /count; wc -l < /count; exit 4',
  );
  assert.match(id, /^[0-9a-f]{64}$/);
  assert.is(await field('made', '{{.State.Status}}'), 'created');
  assert.is(await box.ok('start', 'made'), 'made');
  assert.is(await box.ok('wait', 'made'), '4');
  const again = await box('start', '-a', 'made');
  assert.equal([again.code, again.stdout.trim()], [4, '2']);
  await box.ok('rm', 'made');
});

test('starting a running container is not an error and changes nothing', async () => {
  const box = await busybox();
  const id = await sleeper();
  const pid = await field(id, '{{.State.Pid}}');
  await box.ok('start', id);
  assert.is(await field(id, '{{.State.Pid}}'), pid);
  await box.ok('rm', '-f', id);
});

test('stop: the stop signal first', async () => {
  const box = await busybox();
  const id = await box.ok(
    'run',
    '-d',
    '--network',
    'none',
    'busybox',
    'sh',
    '-c',
    'trap "exit 3" TERM; while :; do sleep 0.05; done',
  );
  const begun = Date.now();
  assert.is(await box.ok('stop', id), id);
  assert.ok(Date.now() - begun < 5000, 'it did not wait for the time-out');
  assert.is(await field(id, '{{.State.Status}} {{.State.ExitCode}}'), 'exited 3');
  assert.is(await box.ok('stop', id), id, 'stopping what is stopped is fine');
  await box.ok('rm', id);
});

test('stop: SIGKILL after -t seconds', async () => {
  const box = await busybox();
  const id = await sleeper(); // pid 1 without a handler ignores SIGTERM
  const begun = Date.now();
  await box.ok('stop', '-t', '1', id);
  const took = Date.now() - begun;
  assert.ok(took >= 900 && took < 5000, `${took} ms`);
  assert.is(await field(id, '{{.State.ExitCode}}'), '137');
  await box.ok('rm', id);
});

test('--stop-signal and the image’s StopSignal', async () => {
  const box = await busybox();
  const id = await box.ok(
    'run',
    '-d',
    '--network',
    'none',
    '--stop-signal',
    'USR1',
    'busybox',
    'sh',
    '-c',
    'trap "exit 5" USR1; while :; do sleep 0.05; done',
  );
  await box.ok('stop', id);
  assert.is(await field(id, '{{.State.ExitCode}}'), '5');
  await box.ok('rm', id);
});

test('kill: SIGKILL, or a signal by name or number', async () => {
  const box = await busybox();
  const id = await box.ok(
    'run',
    '-d',
    '--network',
    'none',
    'busybox',
    'sh',
    '-c',
    'trap "echo hup" HUP; trap "exit 6" USR2; while :; do sleep 0.05; done',
  );
  for (const name of ['HUP', 'SIGHUP', '1']) await box.ok('kill', '-s', name, id);
  await box.ok('kill', '--signal', 'USR2', id);
  assert.is(await box.ok('wait', id), '6');
  const done = await box('kill', id);
  assert.ok(done.code !== 0 && /not running/.test(done.stderr), done.stderr);
  await box.fails(1, /NONSENSE/, 'kill', '-s', 'NONSENSE', id);
  await box.ok('rm', id);
  const other = await sleeper();
  await box.ok('kill', other);
  assert.is(await box.ok('wait', other), '137');
  await box.ok('rm', other);
});

test('wait blocks until the end and prints the status', async () => {
  const box = await busybox();
  const id = await box.ok('run', '-d', '--network', 'none', 'busybox', 'sh', '-c', 'sleep 0.3; exit 11');
  const done = await box('wait', id);
  assert.equal([done.code, done.stdout], [0, '11\n']);
  await box.ok('rm', id);
});

test('wait ends when a --rm container goes away', async () => {
  const box = await busybox();
  const id = await sleeper('--rm');
  const waiting = box('wait', id);
  await box.ok('kill', id);
  const done = await within(10_000, waiting, 'wait');
  assert.is(done.stdout.trim(), '137');
});

test('rm: not a running container, unless -f', async () => {
  const box = await busybox();
  const id = await sleeper();
  const done = await box('rm', id);
  assert.ok(done.code !== 0 && /running/.test(done.stderr), done.stderr);
  assert.is(await box.ok('rm', '-f', id), id);
  const gone = await box('rm', id);
  assert.ok(gone.code !== 0, gone.stderr);
  await box.ok('rm', '-f', 'never-there');
});

test('several names: those that exist are done, the status says that one failed', async () => {
  const box = await busybox();
  const [a, b] = [await sleeper(), await sleeper()];
  const done = await box('rm', '-f', a, b);
  assert.equal([done.code, done.stdout], [0, `${a}\n${b}\n`]);
  const c = await sleeper();
  const mixed = await box('stop', '-t', '0', 'nobody', c);
  assert.ok(mixed.code !== 0 && mixed.stdout === `${c}\n` && /nobody/.test(mixed.stderr), mixed.stderr);
  await box.ok('rm', c);
});

test('the record survives the client: a killed supervisor is seen as dead, and rm clears up', async () => {
  const box = await busybox();
  const id = await sleeper('--name', 'shot');
  const supervisor = Number(
    await box.ok('inspect', '--format', '{{.State.SupervisorPid}}', id).catch(() => ''),
  );
  if (supervisor > 0) {
    process.kill(supervisor, 'SIGKILL');
    await within(
      10_000,
      async () => {
        while ((await field(id, '{{.State.Running}}')) === 'true');
      },
      'the container to be seen as ended',
    );
    assert.is(await field(id, '{{.State.Running}}'), 'false');
  }
  await box.ok('rm', '-f', id);
  assert.is(await box.ok('ps', '-aq'), '');
});

test('twenty at once', async () => {
  const box = await busybox();
  const ids = await Promise.all(Array.from({ length: 20 }, () => sleeper()));
  assert.is(new Set(ids).size, 20);
  assert.is((await box.ok('ps', '-q')).split('\n').length, 20);
  await box.ok('rm', '-f', ...ids);
  assert.is(await box.ok('ps', '-aq'), '');
});

test('one name, ten contenders: one wins', async () => {
  const box = await busybox();
  const starts = Array.from({ length: 10 }, () => box.start('create', '--name', 'wanted', 'busybox', 'true'));
  const codes = await Promise.all(starts.map(statusOf));
  assert.is(codes.filter(code => code === 0).length, 1, codes.join(' '));
  await box.ok('rm', 'wanted');
});

test.run();
