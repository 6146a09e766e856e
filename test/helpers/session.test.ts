// run as: self, ranges, single
import { spawn } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import type { Duplex } from 'node:stream';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { requires } from '../support/requires.ts';
import { eventually, within } from '../support/within.ts';
import * as h from './harness.ts';

const test = requires(suite('helper join, attach, services, enter'), 'userns', 'busybox');
const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'tsbox-hj-'));

test.before(() => h.busyboxTree(path.join(dir, 'rootfs')));
test.after(() => fs.rmSync(dir, { recursive: true, force: true }));

const NAMESPACES = h.ALL;
const input: h.Rec[] = [
  ['front', 'ioe'],
  ['stdin', 'open'],
];

async function withContainer(
  work: (pid: string, start: string, run: h.Run) => Promise<void>,
  ...head: h.Rec[]
) {
  const run = h.container(
    dir,
    'echo ready; while read x; do echo "got $x"; [ "$x" = quit ] && exit 8; done; exit 1',
    [...input, ...head],
  );
  const started = await within(10_000, run.event('started'));
  try {
    await work(started?.[1] ?? '', started?.[2] ?? '', run);
  } finally {
    run.child.stdin?.end();
    await within(10_000, run.exit);
  }
}

const exec = (pid: string, start: string, plan: h.Rec[], head: h.Rec[] = [['front', 'oe']]) =>
  new h.Run('join', [
    ['version', '1'],
    ['id', h.ID],
    ['cwd', dir],
    ['target', pid, start],
    ...head,
    ['plan', 'init'],
    ['join', NAMESPACES],
    ...plan,
  ]);

test('join: in the same namespaces, no descriptor more, its status', async () => {
  await withContainer(async (pid, start) => {
    const run = exec(pid, start, [
      ['session'],
      h.env,
      h.sh(
        '[ $(readlink /proc/1/ns/mnt) = $(readlink /proc/self/ns/mnt) ] && echo same; ls /proc/self/fd; pwd; echo $PPID; env | wc -l; exit 21',
      ),
    ]);
    assert.is(await within(10_000, run.exit), 21);
    assert.is(run.stdout.toString(), 'same\n0\n1\n2\n3\n/\n0\n4\n');
    assert.equal(
      run.events.map(e => e[0]),
      ['started', 'exited'],
    );
  });
});

test('join: barrier, input, and a background child that keeps the pipe', async () => {
  await withContainer(async (pid, start) => {
    const run = exec(pid, start, [['barrier', '/etc/passwd']], input);
    assert.is((await within(10_000, run.event('prepared')))?.[2], '0');
    run.channel.write(
      h.frame([['plan', 'resume'], ['chdir', '/tmp'], h.env, h.sh('sleep 50 & cat; pwd; exit 2')]),
    );
    run.child.stdin?.end('in\n');
    assert.is(await within(10_000, run.exit), 2);
    assert.is(run.stdout.toString(), 'in\n/tmp\n');
  });
});

test('join: tty', async () => {
  await withContainer(async (pid, start) => {
    const run = exec(
      pid,
      start,
      [['tty'], h.env, h.sh('tty; stty size; read x; echo "<$x>"')],
      [...input, ['tty', 11, 22]],
    );
    await within(
      10_000,
      run.until(() => (run.stdout.includes('11 22') ? true : undefined)),
    );
    run.child.stdin?.write('word\n');
    assert.is(await within(10_000, run.exit), 0);
    assert.match(run.stdout.toString(), /\/dev\/pts\/\d+\r\n11 22\r\nword\r\n<word>\r\n$/);
  });
});

test('join: a reused pid is refused; a dead container ends it', async () => {
  await withContainer(async (pid, start) => {
    const run = exec(pid, String(Number(start) + 1), [h.env, h.sh('true')]);
    assert.is(await within(10_000, run.exit), 125);
    assert.equal(run.events, [['failed', 'header', '0', String(os.constants.errno.ESRCH), 'target']]);
    const other = exec(pid, start, [h.env, h.sh('echo up; sleep 100')]);
    await within(
      10_000,
      other.until(() => (other.stdout.includes('up') ? true : undefined)),
    );
    process.kill(Number(pid), 'SIGKILL');
    assert.is(await within(10_000, other.exit), 137);
  });
});

test('join: SIGKILL of the session ends the process', async () => {
  await withContainer(async (pid, start) => {
    const run = exec(pid, start, [h.env, h.sh('echo up; sleep 999')]);
    await within(
      10_000,
      run.until(() => (run.stdout.includes('up') ? true : undefined)),
    );
    for (const p of h.processesWith(`tsbox: exec ${h.ID}`)) process.kill(p, 'SIGKILL');
    assert.is(await within(10_000, run.exit), 125);
    await eventually(5000, 'the end of the process', () => {
      const state = /State:\s+(\w)/.exec(
        fs.existsSync(`/proc/${run.events[0]?.[1]}/status`)
          ? fs.readFileSync(`/proc/${run.events[0]?.[1]}/status`, 'utf8')
          : '',
      );
      return !state || state[1] === 'Z';
    });
  });
});

test('attach: sees the output, types, gets the status; two clients at once', async () => {
  const deep = path.join('d'.repeat(60), 'e'.repeat(60));
  fs.mkdirSync(path.join(dir, deep), { recursive: true });
  await withContainer(
    async (_pid, _start, run) => {
      const two = [0, 1].map(
        () => new h.Run('attach', [], { args: [h.ID, path.join(dir, deep, 'sock'), 'ioe'] }),
      );
      assert.is(fs.statSync(path.join(dir, deep, 'sock')).mode & 0o777, 0o600);
      for (const [i, word] of ['one', 'two'].entries()) {
        two[i]?.child.stdin?.write(`${word}\n`); // what it types proves that it is connected
        await within(
          10_000,
          run.until(() => (run.stdout.includes(`got ${word}`) ? true : undefined)),
        );
      }
      two[0]?.child.stdin?.end();
      run.child.stdin?.write('quit\n');
      assert.equal(await within(10_000, Promise.all(two.map(r => r.exit))), [8, 8]);
      assert.match(two[1]?.stdout.toString() ?? '', /got quit\n$/);
    },
    ['socket', path.join(deep, 'sock')],
  );
  assert.is(fs.existsSync(path.join(dir, deep, 'sock')), false);
});

test('attach: a word where no status comes: nobody there, no place left, the supervisor killed', async () => {
  const socket = path.join(dir, 'crowded');
  const client = () => new h.Run('attach', [], { args: [h.ID, socket, 'o'] });
  const early = client();
  assert.is(await within(10_000, early.exit), 125);
  assert.equal(early.events, [['nobody']]);
  const run = h.container(dir, 'while :; do echo x; sleep 0.1; done', [
    ['front', ''],
    ['socket', 'crowded'],
  ]);
  await within(10_000, run.event('started'));
  // Of 16 places its own front has one.
  const taken = Array.from({ length: 15 }, client);
  for (const one of taken)
    await within(
      10_000,
      one.until(() => (one.stdout.length > 0 ? true : undefined)),
    );
  const late = client();
  assert.is(await within(10_000, late.exit), 125);
  assert.equal(late.events, [['nobody']]);
  for (const p of h.processesWith(`tsbox: supervise ${h.ID}`)) process.kill(p, 'SIGKILL');
  assert.equal(await within(10_000, Promise.all(taken.map(one => one.exit))), Array(15).fill(125));
  assert.equal(
    taken.map(one => one.events),
    Array(15).fill([['vanished']]),
  );
});

test('a client that stops slows the container and loses nothing; a dead one is dropped', async () => {
  const run = h.container(dir, 'dd if=/dev/zero bs=1000 count=5000 2>/dev/null; echo end', [
    ['front', 'oe'],
    ['socket', 's'],
  ]);
  const slow = new h.Run('attach', [], { args: [h.ID, path.join(dir, 's'), 'o'] });
  slow.child.kill('SIGSTOP');
  assert.is(
    await within(
      20_000,
      run.until(() => (run.stdout.length > 100_000 ? true : undefined)),
    ),
    true,
  );
  slow.child.kill('SIGKILL');
  assert.is(await within(20_000, run.exit), 0);
  assert.is(run.stdout.length, 5_000_004);
});

test('the end is recorded and told even when a client is stuck', async () => {
  const run = h.container(dir, 'dd if=/dev/zero bs=1000 count=300 2>/dev/null; exit 5', [
    ['front', ''],
    ['state', 'state.json'],
    ['socket', 's'],
  ]);
  await within(10_000, run.event('started'));
  const exited = await within(10_000, run.event('exited'));
  assert.equal(exited, ['exited', '5']);
  assert.is(await within(10_000, run.exit), 5);
});

test('enter: maps, status, no front; descriptors that are kept; relative paths', async () => {
  const head: h.Rec[] = [['version', '1'], ['cwd', dir], ['clone', h.CLONE.USER + h.CLONE.NS], ...h.maps()];
  const run = new h.Run(
    'enter',
    [
      ...head,
      ['keepfd', 4],
      ['keepfd', 5],
      ['plan', 'init'],
      ['private'],
      ['env', 'PATH=/bin', 'A=b'],
      ['exec', '/bin/sh', 'sh', '-c', 'id -u; echo $A; cat <&4; ls -d rootfs; cat; exit 77'],
    ],
    { extra: 2 },
  );
  (run.child.stdio[4] as Duplex).end('four\n');
  run.child.stdin?.end('in\n');
  assert.is(await within(10_000, run.exit), 77);
  assert.is(run.stdout.toString(), '0\nb\nfour\nrootfs\nin\n');
  const plain = new h.Run('enter', [...head, ['plan', 'init'], ['private']]);
  assert.is(await within(10_000, plain.exit), 0);
  const failing = new h.Run('enter', [
    ...head,
    ['plan', 'init'],
    ['private'],
    ['hostmount', 'nofs', 'x', '/', 0, ''],
  ]);
  assert.is(await within(10_000, failing.exit), 125);
  assert.equal(failing.events[0]?.slice(0, 4), ['failed', 'init', '1', String(os.constants.errno.ENODEV)]);
  const killed = new h.Run('enter', [...head, ['plan', 'init'], ['exec', '/bin/sleep', 'sleep', '100']]);
  await within(10_000, killed.event('started'));
  killed.child.kill('SIGTERM');
  assert.is(await within(10_000, killed.exit), 143);
});

/** Removes these below `dir`, one after the other; the status. */
const removal = (...names: string[]): Promise<number> => {
  const head: h.Rec[] = [['version', '1'], ['cwd', dir], ['clone', h.CLONE.USER + h.CLONE.NS], ...h.maps()];
  const steps = names.map((name): h.Rec => ['rmtree', name]);
  return within(10_000, new h.Run('enter', [...head, ['plan', 'init'], ...steps]).exit);
};

test('enter: rmtree of a deep, read-only, linked tree', async () => {
  const top = path.join(dir, 'tree');
  fs.mkdirSync(path.join(dir, 'keep'));
  fs.writeFileSync(path.join(dir, 'keep/file'), 'x');
  fs.mkdirSync(top);
  process.chdir(top);
  for (let i = 0; i < 1500; i++) {
    fs.mkdirSync('deep-directory-name');
    fs.writeFileSync('file', '');
    process.chdir('deep-directory-name');
  }
  process.chdir(dir);
  fs.symlinkSync(path.join(dir, 'keep'), path.join(top, 'link'));
  fs.mkdirSync(path.join(top, 'locked/in/side'), { recursive: true });
  fs.writeFileSync(path.join(top, 'locked/in/file'), '');
  fs.chmodSync(path.join(top, 'locked/in'), 0);
  fs.chmodSync(path.join(top, 'locked'), 0o500);
  assert.is(await removal('tree', 'tree'), 0);
  assert.is(fs.existsSync(top), false);
  assert.is(fs.existsSync(path.join(dir, 'keep/file')), true);
});

test('enter: rmtree of many directories by several processes, among what one who was killed has left', async () => {
  const top = path.join(dir, 'wide');
  const secret = path.join(dir, 'secret');
  fs.writeFileSync(secret, 'x', { mode: 0o640 });
  for (let i = 0; i < 40; i++) {
    for (let j = 0; j < 10; j++) fs.mkdirSync(path.join(top, `${i}/${j}/in`), { recursive: true });
    fs.writeFileSync(path.join(top, `${i}/3/in/file`), 'x');
  }
  // Names that it will want itself: of a directory, a file, and a link that it must not follow.
  fs.mkdirSync(path.join(top, '.tsbox-rm-0-2/in'), { recursive: true });
  fs.writeFileSync(path.join(top, '.tsbox-rm-0-4'), 'x');
  for (const name of ['.tsbox-rm-0-6', '.tsbox-rm-1-0', '.tsbox-rm-x'])
    fs.symlinkSync(secret, path.join(top, name));
  assert.is(await removal('wide'), 0);
  assert.is(fs.existsSync(top), false);
  assert.is(fs.statSync(secret).mode & 0o777, 0o640);
});

test('kill and wait: only the process that started then', async () => {
  const child = spawn('sleep', ['996']);
  const pid = String(child.pid);
  const stat = fs.readFileSync(`/proc/${pid}/stat`, 'utf8');
  const start = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
  const call = (role: string, ...args: string[]) =>
    within(10_000, new h.Run(role, [], { args, signals: false }).exit);
  assert.is(await call('kill', pid, String(Number(start) + 1), '9'), 3);
  assert.is(await call('kill', pid, start, '0'), 0);
  assert.is(await call('wait', pid, start, '50'), 4);
  const waiting = call('wait', pid, start);
  assert.is(await call('kill', pid, start, '9'), 0);
  assert.is(await waiting, 0);
  assert.is(await call('kill', '999999999', '1', '9'), 3);
  assert.is(await call('wait', pid, start), 0);
});

test('version', async () => {
  const run = new h.Run('version', [], { args: [], signals: false });
  assert.is(await within(10_000, run.exit), 0);
  assert.is(run.stdout.toString(), '1\n');
});

test.run();
