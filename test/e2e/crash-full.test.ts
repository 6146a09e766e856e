import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { capture, type Result, TSBOX } from '../support/cli.ts';
import { busyboxImage, dockerArchive, layerWith } from '../support/images.ts';
import { push } from '../support/push.ts';
import { type Registry, startRegistry } from '../support/registry.ts';
import { requires } from '../support/requires.ts';
import { type TempHome, tempHome } from '../support/temp-home.ts';

/**
 * A disk that gets full at a random moment: the store is a small tmpfs, which a normal user can mount in a user namespace of
 * the test's own (where tsbox then makes its own ones, in single mode).
 */
const test = requires(suite('full disk'), 'userns', 'user', 'busybox', 'registry');
const ROUNDS = process.env.TSBOX_TEST_LONG ? 60 : 6;
const SIZE = 32 << 20;

let registry: Registry;
let home: TempHome;
let holder: ChildProcess;

test.before(async () => {
  registry = await startRegistry();
  home = tempHome('full');
  mkdirSync(home.store, { recursive: true, mode: 0o700 });
  await push(registry, 'team/app', 'v1', image('pulled'));
  dockerArchive(image('loaded'), 'loaded:latest', join(home.dir, 'loaded.tar'));
  dockerArchive(busyboxImage(), 'busybox:latest', join(home.dir, 'busybox.tar'));
  const script = `mount -t tmpfs -o size=${SIZE},mode=700 tmpfs "$0" && echo ready && exec sleep 1000`;
  const flags = ['--user', '--map-current-user', '--mount', '--keep-caps'];
  holder = spawn('unshare', [...flags, 'sh', '-c', script, home.store], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await new Promise(resolve => holder.stdout?.once('data', resolve));
  await ok('load', '-q', '-i', join(home.dir, 'busybox.tar'));
});
test.after(async () => {
  holder?.kill('SIGKILL');
  await registry?.stop();
});

function image(text: string) {
  const base = busyboxImage();
  const files = (n: number) =>
    Object.fromEntries(Array.from({ length: 60 }, (_, i) => [`srv/${n}/${i}`, `${text}${i}`.repeat(5000)]));
  return { ...base, layers: [...base.layers, layerWith(files(1)), layerWith(files(2))] };
}

function inside(program: string, ...args: string[]): Promise<Result> {
  const enter = ['-t', String(holder.pid), '--user', '--mount', '--preserve-credentials', '--'];
  return capture('nsenter', [...enter, program, ...args], home);
}
const tsbox = (...args: string[]): Promise<Result> => inside(TSBOX, ...args);

async function ok(...args: string[]): Promise<string> {
  const done = await tsbox(...args);
  assert.is(done.code, 0, `${args.join(' ')}: ${done.stdout}${done.stderr}`);
  return done.stdout.trim();
}

/** Writes all but `bytes` of the disk full. */
async function leaveFree(bytes: number): Promise<void> {
  const script =
    'f=$(df -B1 --output=avail "$0" | tail -1); n=$((f - $1)); [ $n -le 0 ] || head -c $n /dev/zero > "$0/tmp/../filler"';
  assert.is((await inside('sh', '-c', script, home.store, String(bytes))).code, 0);
}

const STEPS: readonly { args: () => string[]; undo: string }[] = [
  { args: () => ['pull', '-q', `${registry.host}/team/app:v1`], undo: `team/app` },
  { args: () => ['load', '-q', '-i', join(home.dir, 'loaded.tar')], undo: 'loaded' },
  { args: () => ['commit', 'changed', 'committed'], undo: 'committed' },
];

test('pull, load and commit on a disk that gets full', async () => {
  const write = 'mkdir -p /srv; head -c 3000000 /dev/urandom > /srv/x';
  await ok('run', '--name', 'changed', '--network', 'none', 'busybox', 'sh', '-c', write);
  let failures = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const { args, undo } = STEPS[round % STEPS.length] ?? STEPS[0] ?? { args: () => [], undo: '' };
    await leaveFree(Math.floor(Math.random() ** 2 * (6 << 20)));
    const done = await tsbox(...args());
    const what = `${args().join(' ')}: ${done.code} ${done.stderr}`;
    if (done.code !== 0) {
      failures++;
      assert.match(done.stderr, /no space|has \S+ MB left|disk|quota/i, what);
    }
    assert.is((await inside('rm', join(home.store, 'filler'))).code, 0);
    await assertWhole(what);
    if (done.code === 0) await ok('rmi', undo === 'team/app' ? `${registry.host}/team/app:v1` : undo);
  }
  assert.ok(failures > 0, 'the disk was never full');
  for (const { args } of STEPS) await ok(...args());
});

async function assertWhole(what: string): Promise<void> {
  for (const id of new Set((await ok('images', '-q', '--no-trunc')).split('\n'))) {
    const done = await tsbox('run', '--rm', '--network', 'none', '--pull', 'never', id, 'true');
    assert.is(done.code, 0, `${what}: ${id} does not run: ${done.stderr}`);
  }
  assert.is(await ok('system', 'check', '--full'), 'The store is in order.', what);
}

test.run();
