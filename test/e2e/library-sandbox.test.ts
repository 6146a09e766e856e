import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Sandbox, Tsbox, TsboxError } from '../../src/index.ts';
import { loadedImage, openLibrary } from '../support/library.ts';
import { requires } from '../support/requires.ts';

/** `Tsbox.sandbox` through the built package. */
const test = requires(suite('sandbox'), 'userns', 'busybox');
let tsbox: Tsbox;
let box: Sandbox;

test.before(async () => {
  tsbox = await openLibrary();
  await loadedImage(tsbox, 'box');
  box = await tsbox.sandbox({ image: 'box' });
});
test.after(async () => box.close());

const shell = (script: string, options: Parameters<Sandbox['exec']>[1] = {}) =>
  box.exec(['sh', '-c', script], options);
const text = async (script: string, options?: Parameters<Sandbox['exec']>[1]) =>
  String((await shell(script, options)).stdout).trim();

async function codeOf(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => 'none',
    (error: TsboxError) => error.code,
  );
}

test('status, signal and both streams', async () => {
  const done = await shell('echo out; echo err >&2; exit 7');
  assert.equal(
    [done.exitCode, done.signal, String(done.stdout), String(done.stderr)],
    [7, undefined, 'out\n', 'err\n'],
  );
  const killed = await shell('kill -TERM $$');
  assert.equal([killed.exitCode, killed.signal, killed.timedOut], [143, 'SIGTERM', false]);
  assert.ok(done.durationMs > 0 && done.peakMemoryBytes > 0);
});

test('what cannot be executed rejects with a code', async () => {
  assert.is(await codeOf(box.exec(['no-such-program'])), 'COMMAND_NOT_FOUND');
  assert.is(await codeOf(box.exec(['/etc/passwd'])), 'COMMAND_NOT_EXECUTABLE');
  assert.is(await codeOf(box.exec([])), 'USAGE');
  assert.is(await codeOf(box.exec(['true'], { cwd: '/no/such' })), 'LAUNCH');
  assert.is(await codeOf(box.exec(['true'], { timeoutMs: -1 })), 'USAGE');
});

test('environment, working directory, stdin', async () => {
  assert.is(
    await text('echo $A-$PATH; pwd', { env: { A: 'x y' }, cwd: '/tmp' }).then(t => t.split('\n')[1]),
    '/tmp',
  );
  assert.match(await text('echo $A', { env: { A: 'x y' } }), /^x y$/);
  const bytes = Buffer.alloc(3_000_000, 'abc');
  const { stdout } = await box.exec(['cat'], { stdin: bytes });
  assert.ok(stdout.equals(bytes));
  async function* pieces() {
    yield 'one ';
    yield Buffer.from('two');
  }
  assert.is(String((await box.exec(['cat'], { stdin: pieces() })).stdout), 'one two');
  assert.is((await box.exec(['true'], { stdin: bytes })).exitCode, 0, 'a command need not read');
});

test('commands have no more rights than those of a container', async () => {
  const status = await text('grep -E "^(CapEff|CapBnd|NoNewPrivs|Seccomp):" /proc/self/status');
  assert.match(status, /NoNewPrivs:\t1/);
  if (!status.includes('CapEff:\t00000000a80425fb')) assert.match(status, /CapEff:\t0000000000000000/);
  assert.match(status, /Seccomp:\t2/);
  assert.is((await shell('mount -t tmpfs x /tmp')).exitCode === 0, false);
  assert.is(
    await text('kill -9 1; echo $?; cat /proc/1/environ 2>/dev/null | wc -c').then(t => t.split('\n')[1]),
    '0',
  );
  assert.is(
    (await shell('ls /proc/self/fd | wc -l')).stdout.toString().trim(),
    '4',
    'no descriptor but its own',
  );
});

test('time is up for everything that a command has started', async () => {
  const begun = Date.now();
  const done = await shell('(setsid sh -c "setsid sleep 1001 & sleep 1002" &); sleep 1003', {
    timeoutMs: 200,
  });
  assert.equal([done.exitCode, done.timedOut], [137, true]);
  assert.ok(Date.now() - begun < 5000);
  assert.is(await text('ps | grep -c "[s]leep 100[123]"'), '0');
});

test('one of several at once is ended alone', async () => {
  const [late, fine, ...many] = await Promise.all([
    shell('sleep 1004 & sleep 1005', { timeoutMs: 150 }),
    shell('sleep 0.6; echo fine'),
    ...Array.from({ length: 200 }, (_, i) => text(`echo ${i}`)),
  ]);
  assert.equal([late?.timedOut, String((fine as { stdout: Buffer }).stdout)], [true, 'fine\n']);
  assert.equal(
    many.map(Number),
    Array.from({ length: 200 }, (_, i) => i),
  );
});

test('what is left in the background goes on, or not', async () => {
  await shell('sleep 1006 >/dev/null 2>&1 &');
  assert.is(await text('ps | grep -c "[s]leep 1006"'), '1');
  await shell('sleep 1007 >/dev/null 2>&1 &', { killBackground: true });
  assert.is(await text('ps | grep -c "[s]leep 1007"'), '0');
});

test('output beyond the limit is thrown away and said', async () => {
  const done = await shell('yes | head -c 1000000; echo end >&2', { maxOutputBytes: 5000 });
  assert.equal([done.exitCode, done.truncated, done.stdout.length + done.stderr.length], [0, true, 5000]);
});

test('an AbortSignal ends the command', async () => {
  const stop = new AbortController();
  const work = codeOf(shell('sleep 1008', { signal: stop.signal, onStdout: () => {} }));
  setTimeout(() => stop.abort(), 100);
  assert.is(await work, 'ABORTED');
  assert.is(await codeOf(shell('true', { signal: stop.signal })), 'ABORTED');
  assert.is(await text('ps | grep -c "[s]leep 1008"'), '0');
});

test('output comes while the command runs', async () => {
  const seen: string[] = [];
  const done = shell('echo one; sleep 0.3; echo two', { onStdout: bytes => seen.push(String(bytes)) });
  await new Promise(resolve => setTimeout(resolve, 200));
  assert.equal(seen, ['one\n']);
  assert.is(String((await done).stdout), 'one\ntwo\n');
});

test('a callback that throws ends its own command, and nothing else', async () => {
  const wrong = new Error('of the caller');
  const throws = (): never => {
    throw wrong;
  };
  const beside = text('sleep 0.3; echo beside');
  for (const options of [{ onStdout: throws }, { onStderr: throws }]) {
    const work = shell('echo out; echo err >&2; sleep 1010', options);
    assert.is(await work.catch((error: unknown) => error), wrong);
  }
  assert.is(await beside, 'beside');
  assert.is(await text('ps | grep -c "[s]leep 1010"'), '0');
});

test('input that cannot be read ends its own command', async () => {
  async function* broken() {
    yield 'one';
    throw new Error('no more');
  }
  assert.is(await codeOf(shell('cat; sleep 1011', { stdin: broken() })), 'IO');
  assert.is(await text('ps | grep -c "[s]leep 1011"'), '0');
});

test('what fails has its place until its end: the others are not refused', async () => {
  const answers = await Promise.all(
    Array.from({ length: 300 }, (_, i) =>
      i % 2 ? text(`sleep 0.1; echo ${i}`) : codeOf(box.exec(['no-such-program'])),
    ),
  );
  const expected = Array.from({ length: 300 }, (_, i) => (i % 2 ? String(i) : 'COMMAND_NOT_FOUND'));
  assert.equal(answers, expected);
});

test('any number that is a limit is taken, or refused', async () => {
  const cut = await shell('printf abc', { maxOutputBytes: 1.5 });
  assert.equal([String(cut.stdout), cut.truncated], ['a', true]);
  await box.writeFile('/tmp/ten', '0123456789');
  assert.is(String(await box.readFile('/tmp/ten', { maxBytes: 10 * 1.05 })), '0123456789');
  for (const most of [1e19, 2e21, Number.MAX_VALUE]) {
    const limits = { timeoutMs: most, maxOutputBytes: most, memoryBytes: most };
    assert.is(await text('echo fine', limits), 'fine', String(most));
  }
  assert.is(await text('echo fine', { timeoutMs: 9999.9, maxOutputBytes: Number.POSITIVE_INFINITY }), 'fine');
  for (const wrong of [Number.NaN, -1, Number.NEGATIVE_INFINITY]) {
    for (const name of ['timeoutMs', 'maxOutputBytes', 'memoryBytes'])
      assert.is(await codeOf(shell('true', { [name]: wrong })), 'USAGE', name);
    assert.is(await codeOf(box.readFile('/tmp/ten', { maxBytes: wrong })), 'USAGE');
  }
});

test('files in and out', async () => {
  await box.writeFile('/tmp/deep/er/file', 'text', { mode: 0o600 });
  assert.is(await text('cat /tmp/deep/er/file; stat -c %a /tmp/deep/er/file'), 'text600');
  const large = Buffer.alloc(20_000_000, 'z');
  await box.writeFile('/tmp/large', large);
  assert.ok((await box.readFile('/tmp/large')).equals(large));
  assert.is(await codeOf(box.readFile('/tmp/large', { maxBytes: 10 })), 'NO_SPACE');
  assert.is(await codeOf(box.readFile('/tmp/none')), 'NOT_FOUND');
  assert.is(await codeOf(box.readFile('/tmp')), 'IO');
  await shell('mkfifo /tmp/fifo');
  assert.is(await codeOf(box.readFile('/tmp/fifo')), 'IO');
  assert.is(await codeOf(box.writeFile('relative', '')), 'USAGE');
});

test('a link to what pid 1 alone may write leads nowhere', async () => {
  await shell('ln -s /proc/1/mem /tmp/mem; ln -s /proc/sys/kernel/core_pattern /tmp/core');
  for (const path of ['/tmp/mem', '/tmp/core']) assert.is(await codeOf(box.writeFile(path, 'x')), 'IO', path);
});

test('a snapshot is a fork of the files; what comes after is apart', async () => {
  await box.writeFile('/base', 'base');
  await using snapshot = await box.snapshot();
  await box.writeFile('/base', 'changed later');
  const forks = await snapshot.start(2);
  for (const fork of forks) assert.is(String(await fork.readFile('/base')), 'base');
  await forks[0]?.writeFile('/own', 'x');
  assert.is(await codeOf(forks[1]?.readFile('/own') as Promise<unknown>), 'NOT_FOUND');
  const [grandchild] = (await forks[0]?.fork()) ?? [];
  await Promise.all(forks.map(fork => fork.close()));
  assert.is(String(await grandchild?.readFile('/own')), 'x', 'its layers stay');
  await grandchild?.exec(['rm', '/base']);
  assert.is(await codeOf(grandchild?.readFile('/base') as Promise<unknown>), 'NOT_FOUND');
  await grandchild?.close();
  assert.is(String(await box.readFile('/base')), 'changed later');
});

test('no snapshot while a command runs', async () => {
  const running = shell('sleep 0.5');
  await new Promise(resolve => setTimeout(resolve, 100));
  assert.is(await codeOf(box.snapshot()), 'BAD_STATE');
  await running;
});

test('no snapshot of what was asked for before it, copies too', async () => {
  const command = shell('echo done');
  assert.equal([await codeOf(box.snapshot()), String((await command).stdout)], ['BAD_STATE', 'done\n']);
  const from = join(tsbox.root, 'tree');
  mkdirSync(from);
  writeFileSync(join(from, 'file'), Buffer.alloc(10_000_000));
  const [copied, taken] = await Promise.all([codeOf(box.copyIn(from, '/tree')), codeOf(box.snapshot())]);
  assert.equal([copied, taken], ['none', 'BAD_STATE']);
  const [read, late] = await Promise.all([
    codeOf(box.copyOut('/tree', join(tsbox.root, 'tree2'))),
    codeOf(box.snapshot()),
  ]);
  assert.equal([read, late], ['none', 'BAD_STATE']);
  rmSync(from, { recursive: true });
});

test('what could not start again after a snapshot, or be one, is tried again', async () => {
  await using one = await tsbox.sandbox({ image: 'box' });
  await one.writeFile('/kept', 'kept');
  const container = join(tsbox.root, 'containers', one.id);
  chmodSync(container, 0o500);
  assert.is(await codeOf(one.snapshot()), 'IO');
  chmodSync(container, 0o700);
  await using snapshot = await one.snapshot();
  chmodSync(container, 0o500);
  assert.is.not(await codeOf(one.exec(['true'])), 'none');
  chmodSync(container, 0o700);
  assert.is(String(await one.readFile('/kept')), 'kept');
  const [fork] = await snapshot.start();
  assert.is(String(await fork?.readFile('/kept')), 'kept');
  await fork?.close();
});

test('closed, nothing is left, and nothing goes on', async () => {
  const one = await tsbox.sandbox({ image: 'box' });
  const [fork] = await one.fork();
  await Promise.all([one.close(), one.close(), fork?.close()]);
  assert.is(await codeOf(one.exec(['true'])), 'BAD_STATE');
  assert.not(existsSync(join(tsbox.root, 'containers', one.id)));
  const layers = readdirSync(join(tsbox.root, 'layers'));
  const record = JSON.parse(readFileSync(join(tsbox.root, 'containers', box.id, 'config.json'), 'utf8'));
  assert.is(layers.length, record.image.layers.length, 'only what the first box stands on');
});

test('a sandbox is a container for everybody else', async () => {
  const list = await tsbox.containers();
  assert.equal(
    list.map(c => [c.id, c.status, c.networks]),
    [[box.id, 'running', ['none']]],
  );
  const exec = await tsbox.exec(box.id, { command: ['true'] }, { stdio: 'pipe' });
  assert.is((await exec.wait()).exitCode, 0);
});

test('killed from outside, what waits rejects', async () => {
  const one = await tsbox.sandbox({ image: 'box' });
  const work = codeOf(one.exec(['sleep', '1009']));
  await tsbox.kill(one.id);
  assert.is(await work, 'BAD_STATE');
  await one.close();
});

test.run();
