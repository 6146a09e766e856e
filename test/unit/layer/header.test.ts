import { Header } from 'tar/header';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { readNumbers } from '../../../src/layer/header.ts';
import { base256, header, type RawHeader } from '../../support/tar-bytes.ts';

const test = suite('layer: header numbers');

let state = 42;
const random = (n: number): number => {
  state = (state * 1103515245 + 12345) % 2147483648;
  return state % n;
};

test('agrees with node-tar on headers of every shape', () => {
  const spellings = [
    (n: number, length: number) => `${n.toString(8).padStart(length - 1, '0')}\0`,
    (n: number, length: number) => `${n.toString(8).padStart(length - 2, ' ')} \0`,
    (n: number, length: number) => n.toString(8).padEnd(length, '\0'),
    (n: number, length: number) => n.toString(8).padStart(length, '0'),
    (n: number, length: number) => base256(BigInt(n), length),
  ];
  for (let round = 0; round < 2000; round++) {
    const field = (limit: number, length: number) =>
      spellings[random(spellings.length)]?.(random(limit), length) ?? '';
    const raw: RawHeader = {
      name: `n${round}`,
      mode: field(0o10000, 8),
      uid: field(0o777777, 8),
      gid: field(0o777777, 8),
      size: field(2 ** 31, 12),
      mtime: field(2 ** 31, 12),
      major: field(256, 8),
      minor: field(256, 8),
    };
    const block = header(raw);
    const theirs = new Header(block, 0);
    assert.equal(readNumbers(block, 0), {
      mode: theirs.mode,
      uid: theirs.uid,
      gid: theirs.gid,
      size: theirs.size,
      mtime: (theirs.mtime?.getTime() ?? 0) / 1000,
      major: theirs.devmaj,
      minor: theirs.devmin,
    });
  }
});

test('empty fields are zero, other rubbish is not', () => {
  const blank = header({
    name: 'a',
    mode: '',
    uid: '        ',
    gid: '\0',
    size: '',
    mtime: '',
    major: '',
    minor: '',
  });
  assert.equal(readNumbers(blank, 0), { mode: 0, uid: 0, gid: 0, size: 0, mtime: 0, major: 0, minor: 0 });
  for (const size of ['x', '8', '-1', '1 2', base256(-1n, 12)]) {
    assert.is(readNumbers(header({ name: 'a', size }), 0)?.size === 0, false, String(size));
  }
});

test('times before 1970', () => {
  assert.is(readNumbers(header({ name: 'a', mtime: base256(-86400n, 12) }), 0)?.mtime, -86400);
});

test('the checksum counts every byte, and only zeros are the end', () => {
  const block = header({ name: 'a', uid: 5 });
  for (const at of [0, 100, 120, 149, 200, 511]) {
    const damaged = Buffer.from(block);
    damaged[at] = (damaged[at] ?? 0) + 1;
    assert.throws(() => readNumbers(damaged, 0), /checksum/, `byte ${at}`);
  }
  assert.is(readNumbers(Buffer.alloc(512), 0), undefined);
  for (const at of [0, 148, 155, 511]) {
    const almost = Buffer.alloc(512);
    almost[at] = 0x20;
    assert.throws(() => readNumbers(almost, 0), /checksum/, `byte ${at}`);
  }
});

test('reads at any place of a buffer', () => {
  const bytes = Buffer.concat([Buffer.alloc(777, 1), header({ name: 'a', uid: 5 })]);
  assert.is(readNumbers(bytes, 777)?.uid, 5);
});

test.run();
