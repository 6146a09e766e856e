import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { freeRange, type IdFiles, spanOf } from '../../../src/host/subid-free.ts';

const test = suite('host/subid-free');
const EMPTY: IdFiles = { subuid: '', subgid: '', passwd: '', group: '', loginDefs: '' };
const free = (files: Partial<IdFiles>): string | undefined => {
  const range = freeRange({ ...EMPTY, ...files });
  return range && spanOf(range);
};

const CASES: readonly (readonly [string, Partial<IdFiles>, string | undefined])[] = [
  ['nobody has any', {}, '100000-165535'],
  ['a range below the first id', { subuid: 'bob:1000:10\n' }, '100000-165535'],
  ['one after the other', { subuid: 'bob:100000:65536\n', subgid: 'bob:100000:65536\n' }, '165536-231071'],
  ['only groups have it', { subgid: 'bob:100000:65536\n' }, '165536-231071'],
  ['files that differ', { subuid: 'bob:100000:65536\n', subgid: 'bob:165536:65536\n' }, '231072-296607'],
  ['the gap between two', { subuid: 'a:100000:65536\nb:231072:65536\n' }, '165536-231071'],
  ['a gap that is one too small', { subuid: 'a:100000:65536\nb:231071:65536\n' }, '296607-362142'],
  ['lines in any order', { subuid: 'b:165536:65536\na:100000:65536\n' }, '231072-296607'],
  ['a small range within', { subuid: 'a:120000:1\n' }, '120001-185536'],
  ['a range that begins below and reaches in', { subuid: 'a:90000:20000\n' }, '110000-175535'],
  ['ranges that overlap one another', { subuid: 'a:100000:65536\nb:110000:10\n' }, '165536-231071'],
  ['an account of a directory', { passwd: 'eve:x:150000:100::/:\n' }, '150001-215536'],
  ['a group of a directory', { group: 'staff:x:150000:eve\n' }, '150001-215536'],
  ['lines that are none', { subuid: 'bad:x:y\n:::\nalice\n' }, '100000-165535'],
  ['the whole space is given away', { subuid: 'a:100000:600000000\n' }, undefined],
  ['the last that fits', { subuid: 'a:100000:599934465\n' }, '600034465-600100000'],
  ['one less', { subuid: 'a:100000:599934466\n' }, undefined],
  [
    'bounds of login.defs',
    { loginDefs: '# SUB_UID_MIN 5\nSUB_UID_MIN\t200000\nSUB_GID_MIN 300000\n' },
    '300000-365535',
  ],
  ['an upper bound', { loginDefs: 'SUB_GID_MAX 165534\n' }, undefined],
];
for (const [name, files, expected] of CASES) test(name, () => assert.is(free(files), expected));

test('whatever is taken, the answer overlaps nothing', () => {
  let seed = 9;
  const below = (n: number): number => {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) & 0x7fff_ffff;
    return seed % n;
  };
  const lines = (): string =>
    Array.from({ length: below(12) }, () => `u:${90_000 + below(900_000)}:${1 + below(80_000)}`).join('\n');
  for (let i = 0; i < 500; i++) {
    const files = { ...EMPTY, subuid: lines(), subgid: lines(), passwd: `x:x:${100_000 + below(400_000)}:1` };
    const range = freeRange(files);
    assert.ok(range && range.start >= 100_000 && range.count === 65_536);
    const taken = `${files.subuid}\n${files.subgid}`.split('\n').filter(Boolean);
    for (const [, start, count] of taken.map(line => line.split(':').map(Number)))
      assert.ok(
        range.start + range.count <= (start ?? 0) || range.start >= (start ?? 0) + (count ?? 0),
        JSON.stringify([range, files]),
      );
  }
});

test.run();
