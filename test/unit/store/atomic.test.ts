import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ioError, newId, readJson, writeFileAtomic } from '../../../src/store/atomic.ts';

const test = suite<{ dir: string }>('store: atomic');

test.before.each(context => {
  context.dir = mkdtempSync(join(tmpdir(), 'tsbox-atomic-'));
});
test.after.each(({ dir }) => rmSync(dir, { recursive: true }));

const codeOf = (error: unknown) => (error as { code?: string }).code;

test('writes and replaces whole files, private by default', async ({ dir }) => {
  const path = join(dir, 'file');
  await writeFileAtomic(path, 'one');
  await writeFileAtomic(path, Buffer.from('two'));
  assert.is(readFileSync(path, 'utf8'), 'two');
  assert.is(statSync(path).mode & 0o777, 0o600);
  await writeFileAtomic(path, 'three', { mode: 0o640, fsync: false });
  assert.is(statSync(path).mode & 0o777, 0o640);
  assert.equal(readdirSync(dir), ['file']);
});

test('many writers at once leave one whole file and nothing else', async ({ dir }) => {
  const path = join(dir, 'file');
  const texts = Array.from({ length: 30 }, (_, i) => String(i).repeat(10_000));
  await Promise.all(texts.map(text => writeFileAtomic(path, text, { fsync: false })));
  assert.ok(texts.includes(readFileSync(path, 'utf8')));
  assert.equal(readdirSync(dir), ['file']);
});

test('a failure leaves the old file and no temporary one', async ({ dir }) => {
  mkdirSync(join(dir, 'taken'));
  writeFileSync(join(dir, 'taken/x'), '');
  try {
    await writeFileAtomic(join(dir, 'taken'), 'text');
    assert.unreachable();
  } catch (error) {
    assert.is(codeOf(error), 'IO');
    assert.match((error as Error).message, /^cannot write .*taken/);
  }
  assert.equal(readdirSync(dir), ['taken']);
});

test('a missing directory is an error that names the file', async ({ dir }) => {
  try {
    await writeFileAtomic(join(dir, 'none/file'), 'x');
    assert.unreachable();
  } catch (error) {
    assert.match((error as Error).message, /none\/file/);
  }
});

test('JSON: absent, good, bad', async ({ dir }) => {
  const path = join(dir, 'a.json');
  assert.is(await readJson(path), undefined);
  assert.is(await readJson(join(path, 'below')), undefined);
  writeFileSync(path, '{"a":1}');
  assert.equal(await readJson(path), { a: 1 });
  for (const text of ['', '{', '{"a":1}x', '\0']) {
    writeFileSync(path, text);
    try {
      await readJson(path);
      assert.unreachable();
    } catch (error) {
      assert.is(codeOf(error), 'STORE_CORRUPT', JSON.stringify(text));
    }
  }
  chmodSync(path, 0o600);
});

test('a full disk has its own code', () => {
  const full = Object.assign(new Error('ENOSPC: no space left'), { code: 'ENOSPC' });
  assert.is(ioError(full, 'cannot write x').code, 'NO_SPACE');
  assert.is(ioError(Object.assign(new Error(), { code: 'EDQUOT' }), 'x').code, 'NO_SPACE');
  assert.is(ioError(new Error('other'), 'x').code, 'IO');
  const own = ioError(full, 'x');
  assert.is(ioError(own, 'again'), own);
});

test('ids are 64 hex digits and never the same', () => {
  const ids = Array.from({ length: 1000 }, newId);
  assert.ok(ids.every(id => /^[0-9a-f]{64}$/.test(id)));
  assert.is(new Set(ids).size, 1000);
});

test.run();
