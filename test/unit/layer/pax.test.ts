import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { TsboxError } from '../../../src/errors.ts';
import { parsePax } from '../../../src/layer/pax.ts';
import { paxRecord } from '../../support/tar-bytes.ts';

const test = suite('layer: pax');
const parse = (...records: Array<[string, string | Buffer]>) =>
  parsePax(Buffer.concat(records.map(r => paxRecord(...r))));

test('names are bytes, numbers numbers', () => {
  assert.equal(
    parse(
      ['path', 'caf\xc3\xa9'],
      ['linkpath', '\xff'],
      ['size', '8589934592'],
      ['uid', '0'],
      ['gid', '70000'],
    ),
    {
      path: 'caf\xc3\xa9',
      linkpath: '\xff',
      size: 8589934592,
      uid: 0,
      gid: 70000,
    },
  );
});

test('extended attributes are kept byte by byte', () => {
  const value = Buffer.from([0, 1, 2, 255, 10, 61, 0]);
  const { xattrs } = parse(['SCHILY.xattr.security.capability', value], ['SCHILY.xattr.user.a=b', 'x']);
  assert.equal(xattrs?.get('security.capability'), value);
  // The key ends at the first equals sign: what follows belongs to the value.
  assert.equal(xattrs?.get('user.a')?.toString(), 'b=x');
});

test('times: fractions, signs, rubbish', () => {
  const cases: Array<[string, number, number]> = [
    ['0', 0, 0],
    ['1350244992.023960108', 1350244992, 23960108],
    ['1.5', 1, 500000000],
    ['1.', 1, 0],
    ['1.1234567899', 1, 123456789],
    ['-1', -1, 0],
    ['-1.25', -2, 750000000],
    ['-0.5', -1, 500000000],
  ];
  for (const [text, seconds, nanoseconds] of cases)
    assert.equal(parse(['mtime', text]).mtime, { seconds, nanoseconds }, text);
  for (const text of ['x', '1e9', '--1', '1.2.3', ' 1', '+1', '1'.repeat(20), 'Infinity', '0x10']) {
    assert.throws(() => parse(['mtime', text]), /mtime/, text);
  }
});

test('the last of a repeated key counts, an empty value takes it back', () => {
  assert.is(parse(['path', 'a'], ['path', 'b']).path, 'b');
  assert.is(parse(['path', 'a'], ['path', '']).path, undefined);
  assert.is(parse(['size', '5'], ['size', '']).size, undefined);
});

test('numbers that are none', () => {
  for (const key of ['size', 'uid', 'gid']) {
    for (const text of ['-1', '1.0', '0x1', ' 1', '1 ', 'a', '9'.repeat(17)]) {
      assert.throws(
        () => parse([key, text]),
        (e: unknown) => e instanceof TsboxError && e.code === 'LAYER',
        `${key}=${text}`,
      );
    }
  }
});

test('unknown keys are passed over', () => {
  assert.equal(parse(['comment', 'anything\0at all'], ['LIBARCHIVE.creationtime', '1']), {});
});

test('any cut through a header is refused', () => {
  const bytes = Buffer.concat([paxRecord('path', 'abc'), paxRecord('mtime', '12.5')]);
  const first = paxRecord('path', 'abc').length;
  for (let end = 1; end < bytes.length; end++) {
    if (end === first) continue;
    assert.throws(() => parsePax(bytes.subarray(0, end)), /PAX/, `cut at ${end}`);
  }
});

test('tens of thousands of attributes take no longer than reading them', () => {
  const records = (key: string) =>
    Buffer.concat(Array.from({ length: 40_000 }, (_, i) => paxRecord(`${key}${i}`, '')));
  const start = performance.now();
  assert.is(parsePax(records('SCHILY.xattr.a')).xattrs?.size, 40_000);
  assert.is(parsePax(records('GNU.sparse.a')).sparse?.size, 40_000);
  // With a copy of the map for each record it was four minutes.
  assert.ok(performance.now() - start < 10_000);
});

test.run();
