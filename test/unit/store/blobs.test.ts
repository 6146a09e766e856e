import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { sha256 } from '../../../src/oci/digest.ts';
import { BlobStore } from '../../../src/store/blobs.ts';
import { takeGarbage } from '../../../src/store/workdir.ts';

const test = suite<{ dir: string; blobs: BlobStore }>('store: blobs');

test.before.each(context => {
  context.dir = mkdtempSync(join(tmpdir(), 'tsbox-blobs-'));
  context.blobs = new BlobStore(join(context.dir, 'images'), join(context.dir, 'tmp'));
});
test.after.each(({ dir }) => rmSync(dir, { recursive: true }));

const HELLO = Buffer.from('hello');
const DIGEST = sha256(HELLO);
const temporary = (dir: string) => readdirSync(join(dir, 'tmp'));

async function fails(work: Promise<unknown>, code: string): Promise<void> {
  try {
    await work;
  } catch (error) {
    assert.is((error as { code?: string }).code, code);
    return;
  }
  assert.unreachable(`no ${code}`);
}

test('bytes go in and come out under their digest', async ({ dir, blobs }) => {
  assert.not.ok(await blobs.has(DIGEST));
  assert.equal(await blobs.put(HELLO), { digest: DIGEST, size: 5 });
  assert.equal(await blobs.put(HELLO), { digest: DIGEST, size: 5 });
  assert.ok(await blobs.has(DIGEST));
  assert.equal(await blobs.read(DIGEST, 5), HELLO);
  assert.is((await blobs.head(DIGEST, 2)).toString(), 'he');
  assert.is(await blobs.size(DIGEST), 5);
  assert.is(readFileSync(join(dir, 'images/blobs/sha256', DIGEST.slice(7)), 'utf8'), 'hello');
  assert.equal(await blobs.list(), [DIGEST]);
  assert.equal(temporary(dir), []);
  await blobs.remove(DIGEST);
  await blobs.remove(DIGEST);
  assert.not.ok(await blobs.has(DIGEST));
});

test('nothing has its name before commit', async ({ dir, blobs }) => {
  const writer = await blobs.writer({ digest: DIGEST, size: 5 });
  await writer.write(HELLO.subarray(0, 2));
  assert.is(writer.offset, 2);
  await writer.write(HELLO.subarray(2));
  assert.not.ok(await blobs.has(DIGEST));
  assert.equal(await writer.commit(), { digest: DIGEST, size: 5 });
  assert.equal(await writer.commit(), { digest: DIGEST, size: 5 });
  await writer.abort();
  assert.ok(await blobs.has(DIGEST));
  assert.equal(temporary(dir), []);
});

test('a writer that expects nothing says what came', async ({ blobs }) => {
  const writer = await blobs.writer();
  for (const byte of HELLO) await writer.write(Buffer.from([byte]));
  assert.equal(await writer.commit(), { digest: DIGEST, size: 5 });
});

test('what is not what was promised leaves nothing', async ({ dir, blobs }) => {
  const cases: Array<[{ digest?: string; size?: number }, string]> = [
    [{ digest: DIGEST }, 'hellO'],
    [{ digest: DIGEST, size: 5 }, 'hell'],
    [{ digest: DIGEST, size: 5 }, 'hellos'],
    [{ size: 0 }, 'x'],
    [{ digest: sha256(Buffer.alloc(0)) }, 'x'],
  ];
  for (const [expect, text] of cases) {
    const writer = await blobs.writer(expect);
    await fails(
      (async () => {
        await writer.write(Buffer.from(text));
        await writer.commit();
      })(),
      'DIGEST',
    );
    assert.equal(await blobs.list(), [], text);
    assert.equal(temporary(dir), [], text);
  }
});

test('an aborted writer leaves nothing and takes nothing', async ({ dir, blobs }) => {
  const writer = await blobs.writer({ digest: DIGEST });
  await writer.write(HELLO);
  await writer.abort();
  await writer.abort();
  assert.equal(temporary(dir), []);
  await fails(writer.write(HELLO), 'INTERNAL');
  await fails(writer.commit(), 'INTERNAL');
});

test('two writers of one blob do not disturb each other', async ({ dir, blobs }) => {
  const writers = await Promise.all([blobs.writer({ digest: DIGEST }), blobs.writer({ digest: DIGEST })]);
  for (const writer of writers) await writer.write(HELLO);
  await Promise.all(writers.map(writer => writer.commit()));
  assert.equal(await blobs.read(DIGEST, 5), HELLO);
  assert.equal(temporary(dir), []);
});

test('a sweeper does not take what is being written, but what a dead writer left', async ({ dir, blobs }) => {
  const writer = await blobs.writer({ digest: DIGEST });
  const path = join(dir, 'tmp', temporary(dir)[0] ?? '');
  assert.is(await takeGarbage(path), undefined);
  await writer.abort();
  writeFileSync(path, 'left');
  const garbage = await takeGarbage(path);
  assert.is(garbage?.path, path);
  await garbage?.release();
});

test('damage is noticed', async ({ dir, blobs }) => {
  await blobs.put(HELLO);
  writeFileSync(join(dir, 'images/blobs/sha256', DIGEST.slice(7)), 'hellO');
  await fails(blobs.read(DIGEST, 100), 'STORE_CORRUPT');
  await fails(blobs.read(DIGEST, 4), 'STORE_CORRUPT');
  await fails(blobs.read(sha256('other'), 100), 'NOT_FOUND');
});

test('only digests are names (CVE-2024-3727)', async ({ dir, blobs }) => {
  for (const bad of [
    '',
    'sha256:',
    'sha256:../../../../etc/passwd',
    `sha256:${'a'.repeat(63)}`,
    `sha256:${'A'.repeat(64)}`,
    `sha256:${'a'.repeat(64)}/x`,
    `sha256:${'a'.repeat(64)}\n`,
    `sha512:${'a'.repeat(128)}`,
    'a'.repeat(64),
  ]) {
    assert.throws(() => blobs.path(bad), /digest/, bad);
    await fails(blobs.has(bad), 'DIGEST');
    await fails(blobs.writer({ digest: bad }), 'DIGEST');
    await fails(blobs.read(bad, 1), 'DIGEST');
    await fails(blobs.remove(bad), 'DIGEST');
  }
  assert.not.ok(existsSync(join(dir, 'tmp')));
});

test.run();
