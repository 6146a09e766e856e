import * as assert from 'node:assert/strict';
import type { TarEntry } from '../../src/layer/entry.ts';
import { TarReader } from '../../src/layer/tar-reader.ts';

/** Gives every block that looks like a header its right checksum: chance alone would never find one. */
export function repairChecksums(input: Buffer): Buffer {
  const bytes = Buffer.from(input);
  for (let at = 0; at + 512 <= bytes.length; at += 512) {
    if (bytes.toString('latin1', at + 257, at + 262) !== 'ustar') continue;
    bytes.fill(0x20, at + 148, at + 156);
    let sum = 0;
    for (let i = at; i < at + 512; i++) sum += bytes[i] ?? 0;
    bytes.write(`${sum.toString(8).padStart(6, '0')}\0 `, at + 148, 'latin1');
  }
  return bytes;
}

/** Reads it whole and in pieces: both must see the same, and nothing of a file may lie outside of it. */
export function readInPieces(input: Buffer): void {
  const whole = read(input, input.length + 1);
  const parts = read(input, 97);
  assert.deepEqual(parts.seen, whole.seen);
  assert.equal(String(parts.error), String(whole.error));
  if (whole.error !== undefined) throw whole.error;
}

function read(input: Buffer, step: number): { seen: string[]; error: unknown } {
  const seen: string[] = [];
  let entry: TarEntry | undefined;
  let stored = 0;
  const reader = new TarReader({
    entry(next) {
      entry = next;
      stored = 0;
      assert.ok(!next.name.includes('\0') && !next.link.includes('\0'), 'a NUL');
      for (const n of [next.stored, next.size, next.uid, next.gid, next.mode])
        assert.ok(Number.isSafeInteger(n) && n >= 0, `a number: ${n}`);
      assert.ok(next.stored <= next.size && next.mode <= 0o7777);
      seen.push(`${next.type} ${next.name} ${next.size} ${next.link}`);
    },
    data(piece, offset) {
      stored += piece.length;
      assert.ok(entry && offset + piece.length <= entry.size, 'bytes outside of the file');
    },
    end: () => assert.equal(stored, entry?.stored, 'bytes are missing'),
  });
  try {
    for (let at = 0; at < input.length; at += step) reader.push(input.subarray(at, at + step));
    reader.finish();
    return { seen, error: undefined };
  } catch (error) {
    return { seen, error };
  }
}
