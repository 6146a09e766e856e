import { gzipSync } from 'node:zlib';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { decompress, detectCompression, type GrowthLimits } from '../../../src/layer/decompress.ts';

const test = suite('layer: decompress');

const text = Buffer.from(Array.from({ length: 20_000 }, (_, i) => `line ${i * 7919}\n`).join(''));
/** `printf 'hello zstd\n' | zstd -c`, written down so that no program is needed. */
const ZSTD = Buffer.from('28b52ffd045859000068656c6c6f207a7374640a6c57f951', 'hex');

async function* pieces(bytes: Buffer, step: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += step) yield bytes.subarray(at, at + step);
}

async function all(bytes: Buffer, step = 1000, limits?: GrowthLimits): Promise<Buffer> {
  const out: Buffer[] = [];
  for await (const piece of decompress(pieces(bytes, step), limits)) out.push(Buffer.from(piece));
  return Buffer.concat(out);
}

async function fails(work: Promise<unknown>, message: RegExp): Promise<void> {
  try {
    await work;
  } catch (error) {
    assert.is((error as { code?: string }).code, 'LAYER');
    assert.match((error as Error).message, message);
    return;
  }
  assert.unreachable();
}

test('plain and gzip, in pieces of any size', async () => {
  for (const step of [1000, 1 << 20]) {
    assert.equal(await all(text, step), text);
    assert.equal(await all(gzipSync(text), step), text);
  }
  const short = text.subarray(0, 500);
  for (const step of [1, 3]) assert.equal(await all(gzipSync(short), step), short);
});

test('zstd, whole and in pieces', async () => {
  for (const step of [1, 5, 100]) assert.is((await all(ZSTD, step)).toString(), 'hello zstd\n');
  assert.is((await all(Buffer.concat([ZSTD, ZSTD]))).toString(), 'hello zstd\nhello zstd\n');
});

test('several gzip members are one archive', async () => {
  const half = text.length / 2;
  assert.equal(
    await all(Buffer.concat([gzipSync(text.subarray(0, half)), gzipSync(text.subarray(half))])),
    text,
  );
});

test('nothing is nothing', async () => {
  assert.equal(await all(Buffer.alloc(0)), Buffer.alloc(0));
  assert.equal(await all(gzipSync(Buffer.alloc(0))), Buffer.alloc(0));
});

test('truncated and damaged gzip', async () => {
  const zipped = gzipSync(text);
  for (const cut of [5, 11, 100, zipped.length - 1])
    await fails(all(zipped.subarray(0, cut)), /damaged gzip/);
  const damaged = Buffer.from(zipped);
  damaged.fill(0xff, 2000, 2050);
  await fails(all(damaged), /damaged gzip/);
  const wrongSum = Buffer.from(zipped);
  wrongSum[zipped.length - 6] = (wrongSum[zipped.length - 6] ?? 0) ^ 1;
  await fails(all(wrongSum), /damaged gzip/);
});

test('garbage after a gzip member', async () => {
  await fails(all(Buffer.concat([gzipSync(text), Buffer.from('garbage')])), /damaged gzip/);
});

test('damaged zstd', async () => {
  await fails(all(Buffer.from('28b52ffdffffffffffffff', 'hex')), /damaged zstd/);
  await fails(all(ZSTD.subarray(0, 12)), /damaged zstd/);
});

test('a bomb stops at the limit, not at the end', async () => {
  const bomb = gzipSync(Buffer.alloc(64 << 20));
  let read = 0;
  async function* counted() {
    for await (const piece of pieces(bomb, 1024)) {
      read += piece.length;
      yield piece;
    }
  }
  const limits = { maxRatio: 200, freeBytes: 1 << 20 };
  const drain = async () => {
    for await (const _ of decompress(counted(), limits));
  };
  await fails(drain(), /more than 200 times/);
  assert.ok(read < bomb.length, 'it did not read everything');
});

test('what grows little may grow large', async () => {
  assert.equal(await all(gzipSync(text), 1000, { maxRatio: 200, freeBytes: 1 }), text);
  assert.is(
    (await all(gzipSync(Buffer.alloc(1 << 20)), 1000, { maxRatio: 200, freeBytes: 2 << 20 })).length,
    1 << 20,
  );
});

test('an error of the source comes through as it is', async () => {
  async function* broken(): AsyncGenerator<Buffer> {
    yield gzipSync(text).subarray(0, 5000);
    throw new Error('the line is down');
  }
  try {
    for await (const _ of decompress(broken()));
    assert.unreachable();
  } catch (error) {
    assert.is((error as Error).message, 'the line is down');
  }
});

test('compressions by their first bytes', () => {
  assert.is(detectCompression(gzipSync('x')), 'gzip');
  assert.is(detectCompression(ZSTD), 'zstd');
  assert.is(detectCompression(Buffer.from('502a4d18', 'hex')), 'zstd');
  assert.is(detectCompression(Buffer.alloc(0)), 'none');
  assert.is(detectCompression(Buffer.from('./etc')), 'none');
  assert.throws(() => detectCompression(Buffer.from('fd377a585a00', 'hex')), /xz/);
  assert.throws(() => detectCompression(Buffer.from('BZh9')), /bzip2/);
});

test.run();
