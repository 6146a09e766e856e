// run as: self, ranges, single
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { requires } from '../support/requires.ts';
import { eventually, within } from '../support/within.ts';
import * as h from './harness.ts';

const test = requires(suite('helper services'), 'userns', 'busybox');
const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'tsbox-hs-'));

test.before(() => h.busyboxTree(path.join(dir, 'rootfs')));
test.after(() => fs.rmSync(dir, { recursive: true, force: true }));

const service = (name: string, script: string, ...more: string[]): h.Rec[] => [
  ['service', name, ...more],
  ['exec', '/bin/sh', 'sh', '-c', script, '{pid}'],
];

test('services: descriptors, pid, ready before the command, killed at the end', async () => {
  const file = path.join(dir, 'service');
  const run = new h.Run('supervise', [
    ...h.header(dir, ['front', 'oe']),
    ['plan', 'init'],
    ...h.rootPlan(),
    ['barrier'],
    ...service(
      'helper',
      `ls /proc/self/fd > ${file}; readlink /proc/$0/ns/net >> ${file}; readlink /proc/self/ns/net >> ${file}; echo x >&3; cat <&4; echo end >> ${file}; exec sleep 998`,
      'ready',
    ),
  ]);
  await within(
    10_000,
    run.until(() => run.events.find(e => e[0] === 'service')),
  );
  assert.equal(
    run.events.find(e => e[0] === 'service'),
    ['service', 'helper', 'ready', 'x\n'],
  );
  await within(10_000, run.event('prepared'));
  run.channel.write(h.frame([['plan', 'resume'], h.env, h.sh('readlink /proc/self/ns/net')]));
  assert.is(await within(10_000, run.exit), 0);
  const lines = fs.readFileSync(file, 'utf8').split('\n');
  assert.equal(lines.slice(0, 5), ['0', '1', '2', '3', '4']);
  assert.is(lines.at(6), run.stdout.toString().trim());
  assert.is.not(lines.at(7), lines.at(6));
  await eventually(5000, 'the end of the service', () => h.processesWith('sleep 998').length === 0);
});

test('services: one that joins the container', async () => {
  const run = new h.Run('supervise', [
    ...h.header(dir, ['front', 'oe']),
    ['plan', 'init'],
    ...h.rootPlan(),
    ['barrier'],
    ['service', 'inside', 'ready'],
    ['join', h.CLONE.USER + h.CLONE.NET],
    ['exec', '/bin/sh', 'sh', '-c', 'id -u; ip link set lo up && echo x >&3; cat <&4'],
  ]);
  await within(10_000, run.event('prepared'));
  await within(
    10_000,
    run.until(() => run.events.find(e => e[0] === 'service')),
  );
  assert.equal(
    run.events.find(e => e[0] === 'service'),
    ['service', 'inside', 'ready', 'x\n'],
  );
  run.channel.write(h.frame([['plan', 'resume'], h.env, h.sh('ifconfig lo | grep -c UP')]));
  assert.is(await within(10_000, run.exit), 0);
  assert.is(run.stdout.toString(), '1\n');
});

test('services: one that ends early is reported with what it said', async () => {
  const run = new h.Run('supervise', [
    ...h.header(dir, ['front', 'oe']),
    ['plan', 'init'],
    ...h.rootPlan(),
    ['barrier'],
    ...service('bad', 'echo why >&2; exit 3', 'ready'),
  ]);
  await within(
    10_000,
    run.until(() => run.events.find(e => e[0] === 'service')),
  );
  assert.equal(
    run.events.find(e => e[0] === 'service'),
    ['service', 'bad', 'exited', '3', 'why\n'],
  );
  run.channel.end();
  assert.is(await within(10_000, run.exit), 125);
});

test('services: one that fails in its plan fails the start', async () => {
  const run = new h.Run('supervise', [
    ...h.header(dir, ['front', 'oe']),
    ['plan', 'init'],
    ...h.rootPlan(),
    ['barrier'],
    ['service', 'bad', 'ready'],
    ['session'],
    ['exec', '/nope', 'nope'],
  ]);
  assert.is(await within(10_000, run.exit), 125);
  assert.equal(run.events.at(-1), ['failed', 'bad', '0', String(os.constants.errno.EPERM), 'session']);
});

test('services: the exit pipe ends one that detached itself when the supervisor is killed', async () => {
  const run = new h.Run('supervise', [
    ...h.header(dir, ['front', 'oe'], ['state', 'state.json']),
    ['plan', 'init'],
    ...h.rootPlan(),
    ['barrier'],
    ...service('daemon', 'setsid sh -c "echo x >&3; cat <&4 # tsbox-exit-pipe" & wait', 'ready'),
  ]);
  await within(
    10_000,
    run.until(() => run.events.find(e => e[0] === 'service')),
  );
  await within(10_000, run.event('prepared'));
  run.channel.write(h.frame([['plan', 'resume'], h.env, h.sh('sleep 997')]));
  await within(10_000, run.event('started'));
  process.kill(JSON.parse(fs.readFileSync(path.join(dir, 'state.json'), 'utf8')).supervisor, 'SIGKILL');
  assert.is(await within(10_000, run.exit), 125);
  await eventually(
    5000,
    'the end of the service',
    () => h.processesWith('tsbox-exit-pipe').length + h.processesWith('sleep 997').length === 0,
  );
});

test.run();
