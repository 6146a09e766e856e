import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { archive, entry, file, pad, pax, paxRecord, type RawHeader } from '../../support/tar-bytes.ts';
import { readTar } from '../../support/tar-events.ts';

const test = suite('layer: sparse files');

/** A file of 20 bytes: "AAAA" at 4, "BB" at 12. */
const expected = Buffer.from('\0\0\0\0AAAA\0\0\0\0BB\0\0\0\0\0\0');
const stored = 'AAAABB';

const octal = (n: number) => `${n.toString(8).padStart(11, '0')}\0`;

function oldGnu(parts: number[], realSize: number, more: Partial<RawHeader> = {}): RawHeader {
  return {
    name: 'sparse',
    type: 'S',
    magic: 'ustar  \0',
    edit: block => {
      for (const [i, n] of parts.slice(0, 8).entries()) block.write(octal(n), 386 + 12 * i, 'latin1');
      if (parts.length > 8) block[482] = 1;
      block.write(octal(realSize), 483, 'latin1');
    },
    ...more,
  };
}

const FORMS: Readonly<Record<string, Buffer>> = {
  'old GNU': entry(oldGnu([4, 4, 12, 2, 20, 0], 20), stored),
  'PAX 0.0': Buffer.concat([
    pax(
      Buffer.concat([
        paxRecord('GNU.sparse.size', '20'),
        paxRecord('GNU.sparse.numblocks', '2'),
        paxRecord('GNU.sparse.offset', '4'),
        paxRecord('GNU.sparse.numbytes', '4'),
        paxRecord('GNU.sparse.offset', '12'),
        paxRecord('GNU.sparse.numbytes', '2'),
      ]),
    ),
    file('sparse', stored),
  ]),
  'PAX 0.1': Buffer.concat([
    pax({
      'GNU.sparse.name': 'sparse',
      'GNU.sparse.size': '20',
      'GNU.sparse.numblocks': '2',
      'GNU.sparse.map': '4,4,12,2',
    }),
    file('GNUSparseFile.0/sparse', stored),
  ]),
  'PAX 1.0': Buffer.concat([
    pax({
      'GNU.sparse.major': '1',
      'GNU.sparse.minor': '0',
      'GNU.sparse.name': 'sparse',
      'GNU.sparse.realsize': '20',
    }),
    file(
      'GNUSparseFile.0/sparse',
      Buffer.concat([pad(Buffer.from('2\n4\n4\n12\n2\n')), Buffer.from(stored)]),
    ),
  ]),
};

for (const [form, bytes] of Object.entries(FORMS)) {
  test(`${form} is read, in pieces of any size, and what follows too`, () => {
    for (const step of [1, 100, 512, 5000]) {
      const [first, second, ...none] = readTar(archive(bytes, file('next', 'after')), step);
      assert.is(first?.entry.name, 'sparse');
      assert.is(first?.entry.size, 20);
      assert.equal(first?.content, expected, `in pieces of ${step}`);
      assert.is(second?.content.toString(), 'after');
      assert.equal(none, []);
    }
  });
}

test('old GNU continues in further blocks', () => {
  const parts = Array.from({ length: 30 }, (_, i) => [i * 10, 1]).flat();
  const extra = Buffer.alloc(1024);
  for (const [i, n] of parts.slice(8, 50).entries()) extra.write(octal(n), 12 * i, 'latin1');
  extra[504] = 1;
  for (const [i, n] of parts.slice(50).entries()) extra.write(octal(n), 512 + 12 * i, 'latin1');
  const body = 'x'.repeat(30);
  const whole = entry({ ...oldGnu(parts, 300), size: 30 });
  const [only] = readTar(archive(whole, extra, pad(Buffer.from(body))), 333);
  assert.is(only?.content.filter(byte => byte === 0x78).length, 30);
  assert.is(only?.content[290], 0x78);
});

test('a hole may be as large as files can be', () => {
  const huge = pax({ 'GNU.sparse.size': '4398046511104', 'GNU.sparse.map': '4398046511100,4' });
  const [only] = readTar(archive(huge, file('a', 'tail')));
  assert.is(only?.entry.size, 4398046511104);
  assert.is(only?.entry.stored, 4);
});

const paxMap = (map: string, size: string, body: string) =>
  Buffer.concat([pax({ 'GNU.sparse.map': map, 'GNU.sparse.size': size }), file('a', body)]);
const bodyMap = (text: string, rest: string) =>
  Buffer.concat([
    pax({ 'GNU.sparse.major': '1', 'GNU.sparse.minor': '0', 'GNU.sparse.realsize': '20' }),
    file('a', Buffer.concat([pad(Buffer.from(text)), Buffer.from(rest)])),
  ]);

const BAD: Readonly<Record<string, Buffer>> = {
  'parts that overlap': paxMap('0,4,2,4', '20', 'x'.repeat(8)),
  'parts out of order': paxMap('8,4,0,4', '20', 'x'.repeat(8)),
  'a part beyond the end': paxMap('18,4', '20', 'xxxx'),
  'an offset without a length': paxMap('0,4,8', '20', 'xxxx'),
  'a map that promises more than there is': paxMap('0,8', '20', 'xxxx'),
  'a map that promises less than there is': paxMap('0,2', '20', 'xxxx'),
  'an empty number': paxMap('0,,4', '20', 'xxxx'),
  'a number past 2^53': paxMap('99999999999999999,4', '99999999999999999999', 'xxxx'),
  'a map without a size': Buffer.concat([pax({ 'GNU.sparse.map': '0,4' }), file('a', 'xxxx')]),
  'lengths without offsets': Buffer.concat([
    pax(
      Buffer.concat([
        paxRecord('GNU.sparse.size', '9'),
        paxRecord('GNU.sparse.offset', '0'),
        paxRecord('GNU.sparse.numbytes', '1'),
        paxRecord('GNU.sparse.numbytes', '1'),
      ]),
    ),
    file('a', 'xx'),
  ]),
  'a body map that is no number': bodyMap('two\n', ''),
  'a body map that does not end': bodyMap('9\n4\n', ''),
  'a body map with an absurd count': bodyMap('9999999\n', 'x'),
  'a body map longer than the body': bodyMap(`3\n${'0'.repeat(600)}`, ''),
  'an old map with a bad number': entry(
    { ...oldGnu([], 20), edit: b => b.write('zzzzzzzzzzz\0zzzzzzzzzzz\0', 386, 'latin1') },
    'xx',
  ),
  'an old header without real size': entry(oldGnu([0, 2], 0), 'xx'),
};

for (const [what, bytes] of Object.entries(BAD)) {
  test(`refuses ${what}`, () => {
    assert.throws(
      () => readTar(archive(bytes)),
      (e: Error & { code?: string }) => e.code === 'LAYER' && /sparse/.test(e.message),
    );
  });
}

test.run();
