import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { capture, openBox, type Result } from '../support/cli.ts';
import { busyboxImage, dockerArchive } from '../support/images.ts';
import { requires } from '../support/requires.ts';
import { PROJECT } from '../support/source.ts';
import { tempHome } from '../support/temp-home.ts';

// run as: ranges
/**
 * The single file for arm64, cross-built, under qemu-user. That emulates one process at a time: clone(2) with a flag for a namespace is EINVAL and clone3 is
 * not there, so that no container can run; what the helper executes is started by the kernel of this machine, so that it needs a script in front. All else is arm64.
 */
const test = requires(suite('single file for arm64'), 'long', 'once', 'qemu-arm64', 'busybox', 'make');
const EXE = join(PROJECT, 'dist/exe/tsbox-linux-arm64');
const HELPER = join(PROJECT, 'dist/exe/arm64/tsbox-helper');
const LIBRARIES = '/usr/aarch64-linux-gnu';
const QEMU = 'qemu-aarch64-static';
const home = tempHome();
const wrapper = join(home.dir, 'helper');
const LIMIT = 120_000;

test.before(() => writeFileSync(wrapper, `#!/bin/sh\nexec ${QEMU} ${HELPER} "$@"\n`, { mode: 0o755 }));

const arm64 = (env: Readonly<Record<string, string>>, ...args: string[]): Promise<Result> =>
  capture(QEMU, [EXE, ...args], home, { limit: LIMIT, env: { QEMU_LD_PREFIX: LIBRARIES, ...env } });

async function ok(...args: string[]): Promise<string> {
  const done = await arm64({ TSBOX_HELPER: wrapper }, ...args);
  assert.equal([done.code, done.stderr], [0, ''], args.join(' '));
  return done.stdout;
}

test('both are programs for arm64, the helper a static one', () => {
  for (const file of [EXE, HELPER]) {
    const head = readFileSync(file).subarray(0, 20);
    assert.equal([head.toString('latin1', 1, 4), head.readUInt16LE(18)], ['ELF', 183], file);
  }
  assert.not(readFileSync(HELPER).includes('/lib/ld-linux'));
});

test('version and info', async () => {
  assert.match(await ok('version'), /Arch: +arm64\n/);
  const version = JSON.parse(await ok('version', '--format', 'json')) as { Client?: unknown };
  assert.ok(version);
  const info = JSON.parse(await ok('info', '--format', 'json')) as Record<string, unknown>;
  assert.equal([info.Architecture, info.DockerRootDir], ['arm64', home.store]);
});

test('images: reads the store that another architecture has written, with the same answers', async () => {
  const box = openBox(home);
  await box.ok('load', '-i', dockerArchive(busyboxImage(), 'busybox', join(home.dir, 'busybox.tar')));
  for (const args of [['images'], ['images', '-q', '--no-trunc'], ['inspect', 'busybox'], ['system', 'df']])
    assert.is((await ok(...args)).trimEnd(), await box.ok(...args), args.join(' '));
});

test('koffi for arm64: locks and attributes, in volumes and tags', async () => {
  assert.is(await ok('volume', 'create', 'data'), 'data\n');
  await ok('tag', 'busybox', 'other:1');
  assert.match(await openBox(home).ok('images'), /^other +1 /m);
  assert.is(await ok('volume', 'rm', 'data'), 'data\n');
});

test('completion and the manual come from it, too', async () => {
  assert.match(await ok('completion', 'bash'), /complete /);
  assert.match(await ok('run', '--help'), /--network/);
});

test('without a script in front the helper that it carries is unpacked', async () => {
  await arm64({}, 'doctor');
  const cache = join(home.dir, '.cache/tsbox');
  const [name = ''] = readdirSync(cache).filter(n => n.startsWith('helper-'));
  assert.ok(readFileSync(join(cache, name)).equals(readFileSync(HELPER)));
  assert.is(statSync(join(cache, name)).mode & 0o777, 0o555);
});

test('doctor: everything that needs no namespace is tried, and what qemu-user does not have is named', async () => {
  const done = await arm64({ TSBOX_HELPER: wrapper }, 'doctor', '--json');
  const steps = JSON.parse(done.stdout) as { id: string; status: string; code?: string }[];
  const of = (id: string) => steps.find(step => step.id === id);
  for (const id of ['node', 'kernel', 'helper', 'store']) assert.is(of(id)?.status, 'ok', id);
  assert.equal([of('userns')?.status, of('userns')?.code], ['fail', 'namespaces-missing']);
  assert.is(of('mount')?.status, 'skip');
  const run = await arm64({ TSBOX_HELPER: wrapper }, 'run', '--rm', '--network', 'none', 'busybox', 'true');
  assert.is(run.code, 125);
  assert.match(run.stderr, /create namespaces: invalid argument/);
});

test('the unit tests of the helper, with sanitizers', () => {
  const build = join(home.dir, 'build');
  mkdirSync(build);
  const options = [`B=${build}`, 'CC=aarch64-linux-gnu-gcc', `RUN=${QEMU} -L ${LIBRARIES}`];
  // LeakSanitizer stops its process by ptrace, which qemu-user does not have.
  const env = { ...home.env, ASAN_OPTIONS: 'detect_leaks=0' };
  const run = [join(build, 'unit'), ...options];
  const made = spawnSync('make', ['-s', '-C', join(PROJECT, 'helpers'), ...run], { env, encoding: 'utf8' });
  assert.is(made.status, 0, made.stderr);
  const unit = spawnSync(QEMU, ['-L', LIBRARIES, join(build, 'unit')], { env, encoding: 'utf8' });
  assert.match(unit.stdout + unit.stderr, /helpers: \d{4,} checks, 0 failed/);
});

test('the helper answers, signals and waits', () => {
  const env = { ...process.env, TSBOX_TEST_HELPER: wrapper };
  const file = join(PROJECT, 'test/helpers/processes.test.ts');
  const done = spawnSync(process.execPath, ['--import', 'tsx', file], {
    env,
    cwd: PROJECT,
    encoding: 'utf8',
  });
  assert.is(done.status, 0, done.stdout + done.stderr);
  assert.match(done.stdout, /Passed: +[1-9]/);
});

test.run();
