import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { TsboxError } from '../../../src/errors.ts';
import type { StorageDriverName, StorageHost } from '../../../src/storage/driver.ts';
import { selectStorage, storageDriver } from '../../../src/storage/select.ts';

const test = suite<{ dir: string; cache: string }>('storage/select');

test.before.each(context => {
  context.dir = mkdtempSync(join(tmpdir(), 'tsbox-select-'));
  context.cache = join(context.dir, 'cache');
  mkdirSync(context.cache);
  mkdirSync(join(context.dir, 'tmp'));
});
test.after.each(({ dir }) => rmSync(dir, { recursive: true, force: true }));

/** A machine where no mount works; it counts how often somebody tried. */
function closed(root: string): StorageHost & { walks: number } {
  return {
    root,
    mode: 'ranges',
    walks: 0,
    async walk() {
      this.walks++;
      throw new TsboxError('MOUNT', 'mount overlay on m: operation not permitted');
    },
  };
}

test('auto comes to vfs where nothing can be mounted, and remembers it', async ({ dir, cache }) => {
  const host = closed(dir);
  assert.is((await selectStorage('auto', host, cache)).name, 'vfs');
  const tried = host.walks;
  assert.ok(tried > 0);
  assert.is((await selectStorage('auto', host, cache)).name, 'vfs');
  assert.is(host.walks, tried, 'a run must not probe again');
  assert.equal(readdirSync(join(dir, 'tmp')), [], 'nothing is left of the probes');
});

test('what is remembered holds for its boot, store and mode alone', async ({ dir, cache }) => {
  const host = closed(dir);
  await selectStorage('auto', host, cache);
  const [file = ''] = readdirSync(cache);
  const path = join(cache, file);
  const text = readFileSync(path, 'utf8');
  for (const change of [{ boot: 'other' }, { root: '/other' }, { until: 1 }, { driver: 'zfs' }]) {
    writeFileSync(path, JSON.stringify({ ...JSON.parse(text), ...change }));
    const before = host.walks;
    assert.is((await selectStorage('auto', host, cache)).name, 'vfs');
    assert.ok(host.walks > before, JSON.stringify(change));
  }
  const single = { ...closed(dir), mode: 'single' as const };
  await selectStorage('auto', single, cache);
  assert.ok(single.walks > 0);
  for (const garbage of ['', '{', 'null', '[]', '"x"']) {
    writeFileSync(path, garbage);
    assert.is((await selectStorage('auto', host, cache)).name, 'vfs');
  }
});

test('a driver that was asked for and does not work says why, every time', async ({ dir, cache }) => {
  const host = closed(dir);
  for (let i = 0; i < 2; i++) {
    const error = await selectStorage('overlay', host, cache).then(
      () => undefined,
      (e: unknown) => e,
    );
    assert.ok(error instanceof TsboxError && error.code === 'STORAGE');
    assert.match(error.message, /^the storage driver cannot be used: overlay: .*operation not permitted/);
    assert.ok(error.hint);
  }
  assert.is(host.walks, 2);
});

test('a cache that cannot be written stops nobody', async ({ dir }) => {
  assert.is((await selectStorage('vfs', closed(dir), join(dir, 'missing/dir'))).name, 'vfs');
});

test('a name that is none', async ({ dir, cache }) => {
  for (const name of ['zfs', '', 'toString', '__proto__']) {
    const error = await selectStorage(name as StorageDriverName, closed(dir), cache).then(
      () => undefined,
      (e: unknown) => e,
    );
    assert.ok(error instanceof TsboxError && error.code === 'USAGE', name);
  }
});

test('each driver knows its name', () => {
  for (const name of ['overlay', 'fuse-overlayfs', 'vfs', 'host'] as const)
    assert.is(storageDriver(name).name, name);
});

test.run();
