// run as: self, ranges, single
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { requires } from '../support/requires.ts';
import { eventually, within } from '../support/within.ts';
import * as h from './harness.ts';

const test = requires(suite('helper failure'), 'userns', 'busybox');
const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'tsbox-hf-'));
const E = os.constants.errno;

test.before(() => h.busyboxTree(path.join(dir, 'rootfs')));
test.after(() => fs.rmSync(dir, { recursive: true, force: true }));

const start = (plan: h.Rec[], head: h.Rec[] = [['front', 'oe']]) =>
  new h.Run('supervise', [...h.header(dir, ...head), ['plan', 'init'], ...plan]);

const bad: [string, h.Rec[], number, number][] = [
  ['an unknown operation', [['private'], ['levitate']], 1, E.ENOSYS],
  ['too few fields', [['private'], ['mkdir', '/x']], 1, E.EINVAL],
  ['too many fields', [['private', 'x']], 0, E.EINVAL],
  ['a number that is none', [['umask', '08']], 0, E.EINVAL],
  ['an empty number', [['unshare', '']], 0, E.EINVAL],
  ['NUL in a path', [['bindroot', Buffer.from('rootfs\0x')]], 0, E.EINVAL],
  ['a missing root', [['private'], ['bindroot', 'nowhere']], 1, E.ENOENT],
  ['a target before there is a root', [['mkdir', '/x', '755', 0, 0]], 0, E.EBADF],
  ['a command that is not there', [...h.rootPlan(), h.env, ['exec', 'nope', 'nope']], 12, E.ENOENT],
  ['a directory as the command', [...h.rootPlan(), h.env, ['exec', '/bin', 'bin']], 12, E.EACCES],
  [
    'a command without x, on PATH',
    [...h.rootPlan(), ['write', '/etc/plain', '', '644'], ['env', 'PATH=/etc:/bin'], ['exec', 'plain', 'x']],
    13,
    E.EACCES,
  ],
  [
    'no program format',
    [...h.rootPlan(), h.env, ['write', '/bin/text', 'hello', '755'], ['exec', 'text', 'x']],
    13,
    E.ENOEXEC,
  ],
];
for (const [name, plan, index, errno] of bad) {
  test(`${name}: index and errno`, async () => {
    const run = start(plan);
    assert.is(await within(10_000, run.exit), 125);
    assert.equal(run.events.at(-1)?.slice(0, 4), ['failed', 'init', String(index), String(errno)]);
    assert.is(run.events.length, 1);
  });
}

test('`?` lets an operation fail', async () => {
  const run = start([['?bindroot', 'nowhere'], ['?levitate'], ...h.rootPlan(), h.env, h.sh('exit 3')]);
  assert.is(await within(10_000, run.exit), 3);
});

test('PATH is searched as shells do', async () => {
  const run = start([...h.rootPlan(), ['env', 'PATH=/etc:/nope::/bin'], ['exec', 'true', 'true']]);
  assert.is(await within(10_000, run.exit), 0);
});

const headers: [string, h.Rec[], number, string][] = [
  ['another version', [['version', '2']], E.EPROTO, 'version'],
  ['no version', [['id', 'x']], E.EPROTO, 'id'],
  [
    'an unknown record',
    [
      ['version', '1'],
      ['magic', '1'],
    ],
    E.EINVAL,
    'magic',
  ],
  [
    'a missing directory',
    [
      ['version', '1'],
      ['cwd', '/nowhere/at/all'],
      ['plan', 'init'],
    ],
    E.ENOENT,
    'cwd',
  ],
  ['a log that cannot be', [...h.header('/'), ['log', '/proc/nope'], ['plan', 'init']], E.ENOENT, 'log'],
];
for (const [name, records, errno, detail] of headers) {
  test(`header, ${name}`, async () => {
    const run = new h.Run('supervise', records, { signals: false });
    await within(10_000, run.exit);
    assert.equal(run.events, [['failed', 'header', '0', String(errno), detail]]);
  });
}

test('garbage on the channel is refused', async () => {
  for (const bytes of ['GARBAGE!', 'TSBX\xff\xff\xff\xff', 'TSBX\x04\0\0\0\xff\0\0\0', '']) {
    const run = new h.Run('supervise', []);
    run.channel.end(Buffer.from(bytes, 'latin1'));
    assert.is(await within(10_000, run.exit), 125);
  }
});

test('a map that may not be written names the step, and what newuidmap printed', async () => {
  if (process.getuid?.() === 0) return;
  const records = (more: h.Rec[]): h.Rec[] => [
    ['version', '1'],
    ['cwd', dir],
    ['clone', h.CLONE.USER],
    ['uidmap', 0, 12345, 1],
    ['gidmap', 0, 12345, 1],
    ...more,
    ['plan', 'init'],
  ];
  const plain = new h.Run('supervise', records([]), { signals: false });
  assert.is(await within(10_000, plain.exit), 125);
  assert.equal(plain.events[0]?.slice(0, 3), ['failed', 'header', '0']);
  assert.is(plain.events[0]?.[4], 'gidmap');
  if (!fs.existsSync('/usr/bin/newuidmap')) return;
  const mapped = new h.Run(
    'supervise',
    records([
      ['uidmapper', '/usr/bin/newuidmap'],
      ['gidmapper', '/usr/bin/newgidmap'],
    ]),
    { signals: false },
  );
  assert.is(await within(10_000, mapped.exit), 125);
  assert.match(mapped.events[0]?.[4] ?? '', /^newuidmap\nnewuidmap: /);
});

test('a mapper that is missing is a failure, not a hang', async () => {
  const head = h.header(dir, ['uidmapper', '/nope'], ['gidmapper', '/nope']);
  const run = new h.Run('supervise', [...head, ['plan', 'init']], { signals: false });
  assert.is(await within(10_000, run.exit), 125);
  assert.match(run.events[0]?.[4] ?? '', /^newuidmap\n/);
});

const idle = (head: h.Rec[]) => h.container(dir, 'echo ready; sleep 1000.1', head);
const gone = (what: string) =>
  eventually(
    5000,
    `no process left of ${what}`,
    () => h.processesWith(` ${h.ID}`).length + h.processesWith('sleep 1000.1').length === 0,
  );

for (const victim of ['front', 'supervise', 'pid 1'] as const) {
  test(`SIGKILL of ${victim} leaves nothing`, async () => {
    const run = idle([
      ['front', 'oe'],
      ['state', 'state.json'],
    ]);
    await within(
      10_000,
      run.until(() => (run.stdout.includes('ready') ? true : undefined)),
    );
    const pid1 = Number((await within(10_000, run.event('started')))?.[1]);
    const { supervisor } = JSON.parse(fs.readFileSync(path.join(dir, 'state.json'), 'utf8'));
    if (victim === 'front') {
      run.child.kill('SIGKILL');
      await within(10_000, run.exit);
      process.kill(pid1, 0);
      process.kill(pid1, 'SIGKILL');
    } else {
      process.kill(victim === 'pid 1' ? pid1 : supervisor, 'SIGKILL');
      assert.is(await within(10_000, run.exit), victim === 'pid 1' ? 137 : 125);
    }
    await gone(victim);
  });
}

test('SIGTERM of the supervisor is passed to the container', async () => {
  const run = h.container(dir, 'trap "exit 33" TERM; echo ready; while :; do sleep 0.02; done', [
    ['front', 'oe'],
    ['state', 'state.json'],
  ]);
  await within(
    10_000,
    run.until(() => (run.stdout.includes('ready') ? true : undefined)),
  );
  await within(10_000, run.event('started'));
  process.kill(JSON.parse(fs.readFileSync(path.join(dir, 'state.json'), 'utf8')).supervisor, 'SIGTERM');
  assert.is(await within(10_000, run.exit), 33);
});

test('the parent dies: the front ends, the container goes on', async () => {
  const run = idle([['front', 'oe']]);
  await within(
    10_000,
    run.until(() => (run.stdout.includes('ready') ? true : undefined)),
  );
  const pid1 = Number((await within(10_000, run.event('started')))?.[1]);
  (run.child.stdio[4] as import('node:stream').Duplex).end();
  await eventually(5000, 'the end of the front', () => run.child.exitCode !== null);
  process.kill(pid1, 0);
  process.kill(pid1, 'SIGKILL');
  await gone('the container');
});

test('a channel that closes at the barrier ends everything', async () => {
  const run = start([...h.rootPlan(), ['barrier']]);
  await within(10_000, run.event('prepared'));
  run.channel.destroy();
  assert.is(await within(10_000, run.exit), 125);
  await gone('the container');
});

test.run();
