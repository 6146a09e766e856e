import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { inflateForeign } from '../../../src/engine/foreign-compression.ts';
import { decompress, type ForeignCompression } from '../../../src/layer/decompress.ts';
import { requires } from '../../support/requires.ts';

const test = requires(suite('engine/foreign-compression'), 'xz', 'bzip2');

const PLAIN = Buffer.concat([randomBytes(300_000), Buffer.alloc(3 << 20, 'x')]);
const packed = (program: string): Buffer =>
  spawnSync(program, ['-c'], { input: PLAIN, maxBuffer: 1 << 30 }).stdout;

async function* pieces(bytes: Buffer, size = 1000): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function all(source: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of source) chunks.push(chunk);
  return Buffer.concat(chunks);
}

const fails = async (work: Promise<unknown>, code: string, message: RegExp): Promise<void> => {
  const error = await work.then(
    () => undefined,
    (e: { code: string; message: string }) => e,
  );
  assert.is(error?.code, code, String(error));
  assert.match(error?.message ?? '', message);
};

for (const program of ['xz', 'bzip2'] as ForeignCompression[]) {
  test(`${program}: whole, in small pieces`, async () => {
    const got = await all(decompress(pieces(packed(program)), undefined, inflateForeign));
    assert.ok(got.equals(PLAIN));
  });

  test(`${program}: damaged and truncated`, async () => {
    const bytes = packed(program);
    const bad = Buffer.from(bytes);
    bad.fill(0x55, 20_000, 20_100);
    await fails(all(inflateForeign(program, pieces(bad))), 'LAYER', new RegExp(`damaged ${program} data`));
    const half = bytes.subarray(0, bytes.length / 2);
    await fails(all(inflateForeign(program, pieces(half))), 'LAYER', new RegExp(`damaged ${program} data`));
  });

  test(`${program}: what grows too much`, async () => {
    const limits = { maxRatio: 2, freeBytes: 1 << 20 };
    const growing = decompress(pieces(packed(program)), limits, inflateForeign);
    await fails(all(growing), 'LAYER', /grows to more than 2 times/);
  });

  test(`${program}: an error of the source is not one of the format`, async () => {
    async function* broken(): AsyncGenerator<Buffer> {
      yield packed(program).subarray(0, 1000);
      throw Object.assign(new Error('the network is down'), { code: 'REGISTRY' });
    }
    await fails(all(inflateForeign(program, broken())), 'REGISTRY', /network/);
  });

  test(`${program}: whoever stops reading leaves no process`, async () => {
    for await (const piece of inflateForeign(program, pieces(packed(program)))) {
      assert.ok(piece.length > 0);
      break;
    }
  });
}

test('a program that is not installed', async () => {
  const { PATH } = process.env;
  process.env.PATH = '/nonexistent';
  try {
    await fails(all(inflateForeign('xz', pieces(packed('/usr/bin/xz')))), 'HOST', /xz is not installed/);
  } finally {
    process.env.PATH = PATH;
  }
});

test.run();
