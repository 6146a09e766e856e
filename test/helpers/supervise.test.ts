// run as: self, ranges, single
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { requires } from '../support/requires.ts';
import { eventually, within } from '../support/within.ts';
import * as h from './harness.ts';

const test = requires(suite('helper supervise'), 'userns', 'busybox');
const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'tsbox-hs-'));
const S = os.constants.signals;
const names = (run: h.Run): string[] => run.events.map(e => e[0] ?? '');

test.before(() => h.busyboxTree(path.join(dir, 'rootfs')));
test.after(() => fs.rmSync(dir, { recursive: true, force: true }));

for (const code of [0, 1, 7, 255]) {
  test(`passes on the exit code ${code}`, async () => {
    const run = h.container(dir, `exit ${code}`);
    assert.is(await within(10_000, run.exit), code);
    assert.equal(run.events.at(-1), ['exited', String(code)]);
    assert.equal(names(run), ['started', 'exited']);
  });
}

test('the pid and start of `started` are those of pid 1', async () => {
  const run = h.container(dir, 'read x', [
    ['front', 'ioe'],
    ['stdin', 'open'],
  ]);
  const [, pid, start] = (await within(10_000, run.event('started'))) ?? [];
  const stat = fs.readFileSync(`/proc/${pid}/stat`, 'utf8');
  assert.is(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19], start);
  assert.match(fs.readFileSync(`/proc/${pid}/status`, 'utf8'), /NSpid:\s+\d+\s+1\n/);
  run.child.stdin?.end();
  assert.is(await within(10_000, run.exit), 1);
});

for (const name of ['SIGKILL', 'SIGTERM', 'SIGINT', 'SIGUSR1'] as const) {
  test(`forwards ${name}`, async () => {
    const trap = `trap 'exit ${S[name] + 1}' ${S[name]};`;
    const run = h.container(
      dir,
      `${name === 'SIGKILL' ? '' : trap} echo ready; while :; do sleep 0.02; done`,
    );
    await within(
      10_000,
      run.until(() => (run.stdout.includes('ready') ? true : undefined)),
    );
    run.signal(S[name]);
    assert.is(await within(10_000, run.exit), name === 'SIGKILL' ? 137 : S[name] + 1);
  });
}

test('stdin half-closes: the output that follows the end of the input arrives', async () => {
  const run = h.container(dir, 'cat; echo end', [
    ['front', 'ioe'],
    ['stdin', 'open'],
  ]);
  run.child.stdin?.end('x\n');
  assert.is(await within(10_000, run.exit), 0);
  assert.is(run.stdout.toString(), 'x\nend\n');
});

test('50 MB go in and are counted', async () => {
  const run = h.container(dir, 'wc -c', [
    ['front', 'ioe'],
    ['stdin', 'open'],
  ]);
  run.child.stdin?.end(Buffer.alloc(50_000_000));
  assert.is(await within(30_000, run.exit), 0);
  assert.is(run.stdout.toString().trim(), '50000000');
});

test('a signal overtakes input that nobody reads, and the status comes in spite of it', async () => {
  const script = 'trap "exit 9" TERM; echo ready; while :; do sleep 0.02; done';
  for (let i = 0; i < 10; i++) {
    const run = h.container(dir, script, [
      ['front', 'ioe'],
      ['stdin', 'open'],
    ]);
    run.child.stdin?.write(Buffer.alloc(4_000_000));
    await within(
      10_000,
      run.until(() => (run.stdout.includes('ready') ? true : undefined)),
    );
    run.signal(S.SIGTERM);
    assert.is(await within(10_000, run.exit), 9);
  }
});

test('without `stdin open`, stdin is the null device', async () => {
  const run = h.container(dir, 'readlink /proc/self/fd/0; cat; echo end', [['front', 'ioe']]);
  assert.is(await within(10_000, run.exit), 0);
  assert.is(run.stdout.toString(), '/dev/null\nend\n');
});

test('stdout and stderr stay apart, each complete', async () => {
  const run = h.container(dir, 'i=0; while [ $i -lt 2000 ]; do echo out$i; echo err$i >&2; i=$((i+1)); done');
  assert.is(await within(20_000, run.exit), 0);
  const lines = (word: string) => `${Array.from({ length: 2000 }, (_, i) => word + i).join('\n')}\n`;
  assert.is(run.stdout.toString(), lines('out'));
  assert.is(run.stderr.toString(), lines('err'));
});

test('1 GB comes out without loss', async () => {
  const out = fs.openSync(path.join(dir, 'count'), 'w+');
  const counter = await import('node:child_process').then(m =>
    m.spawn('wc', ['-c'], { stdio: ['pipe', out, 'ignore'] }),
  );
  const fd = (counter.stdin as unknown as { _handle: { fd: number } })._handle.fd;
  const run = h.container(
    dir,
    'dd if=/dev/zero bs=65536 count=16384 2>/dev/null; echo end >&2',
    [['front', 'oe']],
    {
      stdio: ['ignore', fd, 'pipe'],
    },
  );
  const done = new Promise(resolve => counter.once('close', resolve));
  assert.is(await within(60_000, run.exit), 0);
  counter.stdin?.end();
  await within(10_000, done);
  assert.is(fs.readFileSync(path.join(dir, 'count'), 'utf8').trim(), String(2 ** 30));
  fs.closeSync(out);
});

test('what a background process of the container has written is not lost', async () => {
  const run = h.container(
    dir,
    'dd if=/dev/zero bs=1000 count=60 2>/dev/null; (sleep 100; echo late) & exit 3',
  );
  assert.is(await within(10_000, run.exit), 3);
  assert.is(run.stdout.length, 60_000);
});

test('only descriptors 0 to 2, absolute working directory, empty environment but ours', async () => {
  const run = h.container(dir, 'ls /proc/self/fd /proc/1/fd; env; pwd', [['front', 'oe']], { extra: 3 });
  assert.is(await within(10_000, run.exit), 0);
  assert.match(run.stdout.toString(), /^\/proc\/1\/fd:\n0\n1\n2\n\n\/proc\/self\/fd:\n0\n1\n2\n3\n(?:.*\n)*/);
  assert.not.match(run.stdout.toString(), /HOME=\//);
});

test('log: one CRI line per line, P for what goes on', async () => {
  fs.rmSync(path.join(dir, 'log'), { force: true });
  const run = h.container(
    dir,
    'echo one; sleep 0.05; echo two >&2; sleep 0.05; printf part; sleep 0.05; echo; printf end',
    [
      ['log', 'log'],
      ['front', ''],
    ],
  );
  assert.is(await within(10_000, run.exit), 0);
  const lines = fs.readFileSync(path.join(dir, 'log'), 'utf8').trimEnd().split('\n');
  const time = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z /;
  for (const line of lines) assert.match(line, time);
  assert.equal(
    lines.map(l => l.replace(time, '')),
    ['stdout F one', 'stderr F two', 'stdout P part', 'stdout F ', 'stdout P end'],
  );
  assert.ok(Math.abs(Date.parse(`${(lines[0] ?? '').slice(0, 23)}Z`) - Date.now()) < 10_000);
});

test('state.json: running, then exited', async () => {
  const read = () => JSON.parse(fs.readFileSync(path.join(dir, 'state.json'), 'utf8'));
  const run = h.container(dir, 'read x; exit 5', [
    ['front', 'ioe'],
    ['stdin', 'open'],
    ['state', 'state.json'],
  ]);
  const [, pid, start] = (await within(10_000, run.event('started'))) ?? [];
  const running = read();
  assert.is(running.status, 'running');
  assert.is(running.pid, Number(pid));
  assert.is(running.start, Number(start));
  assert.is(running.boot, fs.readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim());
  assert.is(running.finished_at, '');
  assert.match(
    fs.readFileSync(`/proc/${running.supervisor}/cmdline`, 'utf8'),
    new RegExp(`^tsbox: supervise ${h.ID}`),
  );
  run.child.stdin?.end('x\n');
  assert.is(await within(10_000, run.exit), 5);
  const exited = read();
  assert.is(exited.status, 'exited');
  assert.is(exited.exit_code, 5);
  assert.is(exited.signal, 0);
  assert.is(exited.started_at, running.started_at);
  assert.ok(exited.finished_at > exited.started_at);
  assert.is(fs.existsSync(path.join(dir, 'state.json.tmp')), false);
});

test('the lock keeps a second one out, and is free when `exited` has been said', async () => {
  const head: h.Rec[] = [
    ['front', 'ioe'],
    ['stdin', 'open'],
    ['lock', 'lock'],
  ];
  for (let i = 0; i < 3; i++) {
    const first = h.container(dir, 'read x', head);
    await within(10_000, first.event('started'));
    const second = h.container(dir, 'true', head);
    assert.is(await within(10_000, second.exit), 125);
    assert.equal(second.events, [['failed', 'header', '0', String(os.constants.errno.EAGAIN), 'lock']]);
    first.child.stdin?.end('x\n');
    await within(10_000, first.event('exited'));
  }
});

test('--init: reaps orphans, forwards signals, passes the status on', async () => {
  const plan = (script: string) =>
    new h.Run('supervise', [
      ...h.header(dir, ['front', 'oe']),
      ['plan', 'init'],
      ...h.rootPlan(),
      h.env,
      ['init'],
      h.sh(script),
    ]);
  const run = plan(
    '(sh -c "sleep 0.05; exit 1" &); sleep 0.3; grep -c "State:.Z" /proc/[0-9]*/status | grep -vc ":0"; echo $$; exit 4',
  );
  assert.is(await within(10_000, run.exit), 4);
  assert.match(run.stdout.toString(), /^0\n\d+\n$/);
  const other = plan('echo ready; sleep 100');
  await within(
    10_000,
    other.until(() => (other.stdout.includes('ready') ? true : undefined)),
  );
  other.signal(S.SIGTERM);
  assert.is(await within(10_000, other.exit), 143);
});

test('detached: says started, keeps nothing of ours, ends alone', async () => {
  const run = h.container(
    dir,
    'sleep 0.3; exit 6',
    [
      ['state', 'state.json'],
      ['onexit', '', '/bin/sh', '-c', `echo gone > ${dir}/gone`],
    ],
    {
      signals: false,
    },
  );
  const started = await within(10_000, run.event('started'));
  assert.ok(started);
  run.channel.destroy();
  assert.is(await within(10_000, run.exit), 0);
  assert.is(JSON.parse(fs.readFileSync(path.join(dir, 'state.json'), 'utf8')).exit_code, 6);
  await eventually(5000, 'onexit', () => fs.existsSync(path.join(dir, 'gone')));
});

test('onexit is not run while somebody is connected', async () => {
  const run = h.container(dir, 'true', [
    ['front', 'oe'],
    ['onexit', '', '/bin/sh', '-c', `echo no > ${dir}/no`],
  ]);
  assert.is(await within(10_000, run.exit), 0);
  await eventually(5000, 'the end', () => h.processesWith(`tsbox: supervise ${h.ID}`).length === 0);
  assert.is(fs.existsSync(path.join(dir, 'no')), false);
});

test('a closed output ends the front as SIGPIPE would; the container goes on', async () => {
  const run = h.container(dir, 'while echo x; do :; done');
  await within(
    10_000,
    run.until(() => (run.stdout.length ? true : undefined)),
  );
  run.child.stdout?.destroy();
  await eventually(10_000, 'the end of the front', () => run.child.exitCode !== null);
  assert.is(run.child.exitCode, 141);
  const [, pid] = run.events[0] ?? [];
  process.kill(Number(pid), 'SIGKILL');
  assert.equal(await within(10_000, run.event('exited')), ['exited', '137']);
});

test.run();
