import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { acquireLock, tryLock, withLock } from '../../../src/store/lock.ts';
import { within } from '../../support/within.ts';

const test = suite<{ path: string; dir: string }>('store: lock');

test.before.each(context => {
  context.dir = mkdtempSync(join(tmpdir(), 'tsbox-lock-'));
  context.path = join(context.dir, 'lock');
});
test.after.each(({ dir }) => rmSync(dir, { recursive: true }));

/** flock(1) of util-linux, holding the lock until it is ended. */
async function foreignHolder(path: string): Promise<() => Promise<void>> {
  const child = spawn('flock', [path, 'sh', '-c', 'echo held; exec cat'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  await once(child.stdout, 'data');
  return async () => {
    child.stdin.end();
    await once(child, 'close');
  };
}

test('one at a time, in one process too, however many want it', async ({ path }) => {
  let inside = 0;
  let most = 0;
  const work = async () => {
    most = Math.max(most, ++inside);
    await new Promise(resolve => setTimeout(resolve, 1));
    inside--;
  };
  await within(20_000, Promise.all(Array.from({ length: 50 }, () => withLock(path, work))));
  assert.is(most, 1);
});

test('readers together, writers alone', async ({ path }) => {
  const a = await acquireLock(path, { kind: 'shared' });
  const b = await tryLock(path, { kind: 'shared' });
  assert.ok(b);
  assert.is(await tryLock(path), undefined);
  await a.release();
  assert.is(await tryLock(path), undefined);
  await b?.release();
  const c = await tryLock(path);
  assert.ok(c);
  assert.is(await tryLock(path, { kind: 'shared' }), undefined);
  await c?.release();
});

test('a release twice is a release once', async ({ path }) => {
  const a = await acquireLock(path);
  await a.release();
  const b = await acquireLock(path);
  await a.release();
  assert.is(await tryLock(path), undefined);
  await b.release();
});

test('work that fails lets go', async ({ path }) => {
  await withLock(path, async () => {
    throw new Error('x');
  }).catch(() => {});
  const lock = await within(1000, acquireLock(path));
  await lock.release();
});

test('waits for other processes, several of us at once', async ({ path, dir }) => {
  const end = await foreignHolder(path);
  assert.is(await tryLock(path), undefined);
  const order: string[] = [];
  const all = Promise.all(
    Array.from({ length: 8 }, (_, i) => withLock(path, async () => void order.push(`got ${i}`))),
  );
  // Other work of this process goes on meanwhile.
  await within(
    5000,
    withLock(join(dir, 'other'), async () => void order.push('other')),
  );
  order.push('end');
  await end();
  await within(10_000, all);
  assert.equal(order.slice(0, 2), ['other', 'end']);
  assert.is(order.length, 10);
});

test('a dead holder holds nothing', async ({ path }) => {
  const child = spawn('flock', [path, 'sleep', '60'], { stdio: 'ignore', detached: true });
  for (let lock = await tryLock(path); lock; lock = await tryLock(path)) await lock.release();
  process.kill(-(child.pid ?? 0), 'SIGKILL');
  const lock = await within(5000, acquireLock(path));
  await lock.release();
});

test('a lock that cannot be made is an error that names it', async ({ dir }) => {
  try {
    await acquireLock(join(dir, 'none/lock'));
    assert.unreachable();
  } catch (error) {
    assert.match((error as Error).message, /none\/lock/);
  }
});

test.run();
