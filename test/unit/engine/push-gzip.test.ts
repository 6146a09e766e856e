import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { gunzipSync } from 'node:zlib';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { gzip, slowCrc32 } from '../../../src/engine/push-gzip.ts';

const test = suite('engine/push-gzip');
const MiB = 1 << 20;

async function pack(all: Buffer, size = 300_000): Promise<Buffer> {
  // One buffer for all chunks, as a source may do it.
  const shared = Buffer.alloc(size);
  const source = async function* () {
    for (let at = 0; at < all.length; at += size)
      yield shared.subarray(0, all.copy(shared, 0, at, at + size));
  };
  const out: Buffer[] = [];
  for await (const piece of gzip(source())) out.push(piece);
  return Buffer.concat(out);
}

test('whatever the length: it comes back, from Node and from gzip', async () => {
  const random = randomBytes(2 * MiB + 100);
  for (const length of [0, 1, 2, 65_535, 65_536, MiB - 1, MiB, MiB + 1, 2 * MiB, 2 * MiB + 100]) {
    for (const all of [random.subarray(0, length), Buffer.alloc(length, 'tsbox ')]) {
      const packed = await pack(all);
      assert.ok(gunzipSync(packed).equals(all), String(length));
      const done = spawnSync('gzip', ['-dc'], { input: packed, maxBuffer: 1 << 25 });
      assert.is(done.status, 0, `${length}: ${done.stderr}`);
      assert.ok(done.stdout.equals(all), String(length));
    }
  }
});

test('the same bytes give the same digest, however they come', async () => {
  const all = Buffer.concat([randomBytes(MiB), Buffer.alloc(3 * MiB, 'x')]);
  const packed = await pack(all);
  assert.ok(packed.equals(await pack(all, 77_777)));
  assert.ok(packed.length < 1.1 * MiB, 'it compresses');
});

test('a source that fails: its error, not a short archive', async () => {
  const source = async function* () {
    yield Buffer.alloc(3 * MiB);
    throw new Error('the disk is gone');
  };
  try {
    for await (const _ of gzip(source()));
    assert.unreachable();
  } catch (error) {
    assert.is((error as Error).message, 'the disk is gone');
  }
});

test('the checksum of its own', () => {
  assert.is(slowCrc32(Buffer.from('123456789'), 0), 0xcbf43926);
  const all = randomBytes(1000);
  const halves = slowCrc32(all.subarray(500), slowCrc32(all.subarray(0, 500), 0));
  assert.is(halves, slowCrc32(all, 0));
  const packed = [...new Array(3)].map((_, n) => slowCrc32(Buffer.alloc(n), 0));
  assert.equal(packed, [0, 0xd202ef8d, 0x41d912ff]);
});

test.run();
