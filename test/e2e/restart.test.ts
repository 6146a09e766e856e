import { once } from 'node:events';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { isAlive, processStart } from '../../src/host/probe.ts';
import { collect, statusOf } from '../support/cli.ts';
import { busybox, field, removeContainers, sleeper } from '../support/ready.ts';
import { requires } from '../support/requires.ts';
import { eventually, within } from '../support/within.ts';

/** restart, restart policies, rename, update and port. */
const test = requires(suite('restart'), 'userns', 'busybox');
test.after.each(removeContainers);
const long = requires(test, 'long');

const start = async (policy: string, script: string): Promise<string> => {
  const flags = ['--network', 'none', '--restart', policy];
  return (await busybox()).ok('run', '-d', ...flags, 'busybox', 'sh', '-c', script);
};
const count = async (id: string): Promise<number> => Number(await field(id, '{{.RestartCount}}'));
const status = (id: string): Promise<string> => field(id, '{{.State.Status}}');

test('on-failure:2 tries twice more, then gives up', async () => {
  const id = await start('on-failure:2', 'echo x >> /runs; exit 5');
  await eventually(
    10_000,
    'it gives up',
    async () => (await count(id)) === 2 && (await status(id)) === 'exited',
  );
  await new Promise(resolve => setTimeout(resolve, 700));
  assert.is(await field(id, '{{.RestartCount}} {{.State.ExitCode}}'), '2 5');
  const policy = await field(
    id,
    '{{.HostConfig.RestartPolicy.Name}} {{.HostConfig.RestartPolicy.MaximumRetryCount}}',
  );
  assert.is(policy, 'on-failure 2');
});

test('on-failure leaves a success alone', async () => {
  const box = await busybox();
  const id = await start('on-failure', 'sleep 0.2');
  await box.ok('wait', id);
  await new Promise(resolve => setTimeout(resolve, 400));
  assert.is(await field(id, '{{.State.Status}} {{.RestartCount}}'), 'exited 0');
});

test('always: also after a success, and killed from outside; stop ends it', async () => {
  const box = await busybox();
  const id = await start('always', 'sleep 1000');
  process.kill(Number(await field(id, '{{.State.Pid}}')), 'SIGKILL');
  await eventually(
    5000,
    'it is back',
    async () => (await count(id)) === 1 && (await status(id)) === 'running',
  );
  await box.ok('stop', '-t', '0', id);
  await new Promise(resolve => setTimeout(resolve, 500));
  assert.is(await status(id), 'exited');
  await box.ok('start', id);
  assert.is(await field(id, '{{.State.Status}} {{.RestartCount}}'), 'running 0', 'counted anew');
});

test('while it waits: restarting, and stop, start and rm -f work', async () => {
  const box = await busybox();
  const id = await start('always', 'exit 3');
  await eventually(
    20_000,
    'a longer wait',
    async () => (await count(id)) >= 3 && (await status(id)) === 'restarting',
  );
  // Each wait is twice as long as the one before: a look falls into one of them.
  const listed = async () => /^Restarting \(3\) /.test(await box.ok('ps', '--format', '{{.Status}}'));
  await eventually(20_000, 'listed as restarting', listed);
  await eventually(20_000, 'nothing to execute in', async () => {
    const done = await box('exec', id, 'true');
    // Now and then it runs, for a moment: long enough, or it takes the command along.
    if (done.code === 0 || done.code === 137) return false;
    assert.equal([done.code, /not running/.test(done.stderr)], [1, true], done.stderr);
    return true;
  });
  await box.ok('stop', id);
  assert.is(await status(id), 'exited');
  await new Promise(resolve => setTimeout(resolve, 1000));
  assert.is(await status(id), 'exited');
  await box.ok('start', id);
  await box.ok('rm', '-f', id);
  await new Promise(resolve => setTimeout(resolve, 500));
  assert.is(await box.ok('ps', '-aq'), '');
});

test('rename and update during the wait hold for the next start', async () => {
  const box = await busybox();
  const [renamed, calmed] = await Promise.all([longWait('old'), longWait('calm')]);
  await box.ok('rename', 'old', 'new');
  await box.ok('update', '--restart', 'no', calmed.id);
  await eventually(20_000, 'nobody waits', () => !renamed.waits() && !calmed.waits());
  assert.match(await box.ok(...events(renamed.id)), /^old\nnew$/);
  assert.is(await box.ok(...events(calmed.id)), 'calm');
  assert.not(existsSync(calmed.file), 'restart.json, which went with the policy');
});

const events = (id: string): string[] => [
  ...['events', '--since', '5m', '--until', '0s', '--filter', `container=${id}`],
  ...['--filter', 'event=start', '--format', '{{.Actor.Attributes.name}}'],
];

/** A container that was killed and has seconds to wait for its restart. */
async function longWait(name: string) {
  const box = await busybox();
  const id = await sleeper('--restart', 'always', '--name', name);
  const file = join(box.home.store, 'containers', id, 'restart.json');
  writeFileSync(file, JSON.stringify({ version: 1, count: 6, delay: 4000, waiter: '' }));
  const [first, supervisor] = (await field(id, '{{.State.Pid}} {{.Tsbox.SupervisorPid}}'))
    .split(' ')
    .map(Number);
  const start = processStart(Number(supervisor)) ?? 0;
  process.kill(Number(first), 'SIGKILL');
  await eventually(10_000, 'it waits', async () => (await status(id)) === 'restarting');
  return { id, file, waits: () => isAlive(Number(supervisor), start) };
}

test('update gives a policy to one that runs, and takes it away', async () => {
  const box = await busybox();
  const id = await sleeper();
  assert.is(await box.ok('update', '--restart', 'unless-stopped', id), id);
  process.kill(Number(await field(id, '{{.State.Pid}}')), 'SIGKILL');
  await eventually(
    5000,
    'it is back',
    async () => (await count(id)) === 1 && (await status(id)) === 'running',
  );
  await box.ok('update', '--restart', 'no', id);
  process.kill(Number(await field(id, '{{.State.Pid}}')), 'SIGKILL');
  await eventually(5000, 'it stays away', async () => (await status(id)) === 'exited');
  await box.fails(1, /restart policy/, 'update', '--restart', 'sometimes', id);
});

test('restart: another process, the same container', async () => {
  const box = await busybox();
  const [id, other] = [await sleeper('--name', 'again'), await sleeper()];
  const pid = await field(id, '{{.State.Pid}}');
  assert.is(await box.ok('restart', '-t', '0', 'again', other), `again\n${other}`);
  assert.not.equal(await field(id, '{{.State.Pid}}'), pid);
  await box.ok('stop', '-t', '0', id);
  await box.ok('restart', id);
  assert.is(await status(id), 'running', 'one that did not run is started');
});

test('restart of one with --rm: it stays, with what it wrote, and goes at its end', async () => {
  const box = await busybox();
  const id = await sleeper('--rm', '-v', '/anonymous');
  await box.ok('exec', id, 'sh', '-c', 'echo kept > /here; echo too > /anonymous/there');
  await box.ok('restart', '-t', '0', id);
  assert.is(await box.ok('exec', id, 'cat', '/here', '/anonymous/there'), 'kept\ntoo');
  await box.ok('kill', id);
  await eventually(10_000, 'its removal', async () => (await box('inspect', id)).code === 1);
  assert.is(await box.ok('volume', 'ls', '-q'), '');
});

test('run --rm has the status of its command, whoever removes the container', async () => {
  const box = await busybox();
  for (let round = 0; round < 3; round++) {
    const child = box.start('run', '--rm', '--name', 'gone', '--network', 'none', 'busybox', 'sleep', '1000');
    const [said, status] = [collect(child.stderr), statusOf(child)];
    await eventually(10_000, 'its start', async () => (await box('exec', 'gone', 'true')).code === 0);
    await box.ok('rm', '-f', 'gone');
    assert.equal([await within(10_000, status), said()], [137, '']);
  }
});

test('rename: found by the new name alone, the old one is free', async () => {
  const box = await busybox();
  const [id] = [await sleeper('--name', 'before'), await sleeper('--name', 'taken')];
  await box.ok('rename', 'before', 'after');
  assert.is(await field('after', '{{.Id}} {{.Name}}'), `${id} /after`);
  await box.fails(1, /no such container/, 'rename', 'before', 'x1');
  await box.fails(1, /already in use/, 'rename', 'after', 'taken');
  await box.fails(125, /invalid container name/, 'rename', 'after', 'no good');
  await box.ok('create', '--name', 'before', 'busybox', 'true');
});

long('exec in one that just starts or just ends: it runs, or says that the container does not', async () => {
  const box = await busybox();
  const id = await box.ok('create', '--network', 'none', 'busybox', 'sh', '-c', 'sleep 0.02');
  const seen = new Set<string>();
  for (let i = 0; i < 30; i++) {
    const started = box.ok('start', id);
    await new Promise(resolve => setTimeout(resolve, (i % 10) * 10));
    const { code, stderr } = await box('exec', id, 'true');
    seen.add(
      code === 1 && /^tsbox: container \S+ is not running/.test(stderr) ? 'not running' : `${code} ${stderr}`,
    );
    await started;
    await box.ok('wait', id);
  }
  seen.delete('137 '); // it ended under the command
  seen.delete('0 ');
  assert.equal([...seen], ['not running']);
});

test('two starts at once: one does it, both succeed', async () => {
  const box = await busybox();
  for (let round = 0; round < 3; round++) {
    const id = await box.ok('create', '--network', 'none', 'busybox', 'sleep', '1000');
    const starts = await Promise.all([box('start', id), box('start', id), box('start', id)]);
    assert.equal(
      starts.map(done => [done.code, done.stderr]),
      [
        [0, ''],
        [0, ''],
        [0, ''],
      ],
    );
    await box.ok('rm', '-f', id);
  }
});

test('a start that waits for an export ends with SIGTERM', async () => {
  const box = await busybox();
  const id = await box.ok('create', '--network', 'none', 'busybox', 'sleep', '1000');
  // Nobody reads what it writes: it holds the lock.
  const held = box.start('export', id);
  await within(10_000, once(held.stdout as Readable, 'readable'), 'the export begins');
  const start = box.start('start', id);
  const ended = statusOf(start);
  await new Promise(resolve => setTimeout(resolve, 1000));
  start.kill('SIGTERM');
  assert.not.equal(await within(10_000, ended, 'the start that was told to end'), 0);
  assert.is(await status(id), 'created');
  held.kill('SIGKILL');
  await statusOf(held);
});

test('stop -s: with another signal', async () => {
  const box = await busybox();
  const trap = 'trap "exit 9" HUP; while :; do sleep 0.05; done';
  const id = await box.ok('run', '-d', '--network', 'none', 'busybox', 'sh', '-c', trap);
  await box.ok('stop', '-s', 'HUP', id);
  assert.is(await field(id, '{{.State.ExitCode}}'), '9');
});

test('generate systemd: starts and stops this container of this store', async () => {
  const box = await busybox();
  const id = await box.ok('create', '--name', 'unit', 'busybox', 'true');
  const unit = await box.ok('generate', 'systemd', 'unit');
  assert.match(unit, new RegExp(`^ExecStart=.* --root .* start ${id}$`, 'm'));
  assert.match(unit, /^WantedBy=default.target$/m);
});

test.run();
