import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  directMap,
  type IdRange,
  joinRanges,
  keepIdMap,
  rangeProblem,
  rangesMap,
  splitRanges,
  toHost,
  toInside,
  translate,
} from '../../../src/host/id-ranges.ts';
import type { IdMapLine } from '../../../src/plan/ops.ts';

const test = suite('host/id-ranges');

/** A small generator with a fixed seed: a failure can be repeated. */
let seed = 20260;
const random = (below: number): number => {
  seed = (seed * 1103515245 + 12345) % 2147483648;
  return seed % below;
};

/** Ranges that do not meet, in a random order, none of which holds `self`. */
function someRanges(self: number): IdRange[] {
  let at = self + 1 + random(50);
  const ranges = Array.from({ length: 1 + random(6) }, () => {
    const range = { start: at, count: 1 + random(40) };
    at += range.count + random(3);
    return range;
  });
  return ranges.sort(() => random(3) - 1);
}

const total = (lines: readonly { count: number }[]): number => lines.reduce((n, l) => n + l.count, 0);
const insideIds = (map: readonly IdMapLine[]): number[] =>
  map.flatMap(l => Array.from({ length: l.count }, (_, i) => l.inside + i)).sort((a, b) => a - b);
const outsideIds = (map: readonly IdMapLine[]): number[] =>
  map.flatMap(l => Array.from({ length: l.count }, (_, i) => l.outside + i)).sort((a, b) => a - b);

test('ranges: 0 is you, every subordinate id appears once, without gaps, in the order of the ranges', () => {
  for (let round = 0; round < 300; round++) {
    const self = random(100);
    const ranges = someRanges(self);
    const map = rangesMap(self, ranges);
    assert.is(toHost(map, 0), self);
    assert.equal(
      insideIds(map),
      Array.from({ length: total(ranges) + 1 }, (_, i) => i),
    );
    const ids = ranges.flatMap(r => Array.from({ length: r.count }, (_, i) => r.start + i));
    for (const [index, id] of ids.entries()) assert.is(toHost(map, index + 1), id);
    assert.is(new Set(outsideIds(map)).size, total(ranges) + 1);
  }
});

test('keep-id: you keep your number, nothing is mapped twice, no id is lost', () => {
  for (let round = 0; round < 300; round++) {
    const self = random(100);
    const ranges = someRanges(self);
    const map = keepIdMap(self, ranges);
    assert.is(toHost(map, self), self);
    assert.is(new Set(insideIds(map)).size, total(map));
    assert.is(new Set(outsideIds(map)).size, total(map));
    assert.is(total(map), total(ranges) + 1);
    assert.equal(outsideIds(map), outsideIds(rangesMap(self, ranges)));
  }
});

test('toHost and toInside undo each other', () => {
  for (let round = 0; round < 200; round++) {
    const self = random(100);
    const map = keepIdMap(self, someRanges(self));
    for (const id of insideIds(map)) assert.is(toInside(map, toHost(map, id) ?? -1), id);
    assert.is(toHost(map, 100_000), undefined);
    assert.is(toInside(map, 100_000), undefined);
  }
});

test('translate leads through the same host id', () => {
  for (let round = 0; round < 200; round++) {
    const self = random(100);
    const ranges = someRanges(self);
    const [disk, shown] = [rangesMap(self, ranges), keepIdMap(self, ranges)];
    const table = translate(disk, shown);
    assert.is(total(table), total(disk));
    for (const id of insideIds(disk)) {
      assert.is(
        toHost(
          table.map(l => ({ ...l })),
          toInside(shown, toHost(disk, id) ?? -1) ?? -1,
        ),
        id,
      );
    }
  }
});

test('direct: nobody of the host is 0 inside', () => {
  assert.equal(
    directMap([
      { start: 700, count: 3 },
      { start: 10, count: 2 },
    ]),
    [
      { inside: 0, outside: 700, count: 3 },
      { inside: 3, outside: 10, count: 2 },
    ],
  );
});

test('neighbours are joined, repetitions dropped, the order kept', () => {
  assert.equal(
    joinRanges([
      { start: 100, count: 10 },
      { start: 110, count: 5 },
      { start: 100, count: 10 },
      { start: 50, count: 5 },
    ]),
    [
      { start: 100, count: 15 },
      { start: 50, count: 5 },
    ],
  );
});

test('splitting loses nothing', () => {
  for (let round = 0; round < 200; round++) {
    const ranges = someRanges(0);
    const at = random(total(ranges) + 5);
    const [first, rest] = splitRanges(ranges, at);
    assert.is(total(first), Math.min(at, total(ranges)));
    assert.is(total(first) + total(rest), total(ranges));
    assert.equal(joinRanges([...first, ...rest]), joinRanges(ranges));
  }
});

const BAD: ReadonlyArray<readonly [string, IdRange[], RegExp]> = [
  ['not a number', [{ start: Number.NaN, count: 1 }], /does not fit/],
  ['negative', [{ start: -1, count: 2 }], /does not fit/],
  ['empty', [{ start: 5, count: 0 }], /does not fit/],
  ['fraction', [{ start: 1.5, count: 2 }], /does not fit/],
  ['holds (uid_t)-1', [{ start: 4294967290, count: 6 }], /does not fit/],
  ['beyond 32 bits', [{ start: 4294967290, count: 65536 }], /does not fit/],
  [
    'overlap',
    [
      { start: 100, count: 10 },
      { start: 109, count: 5 },
    ],
    /overlap/,
  ],
  [
    'overlap in the other order',
    [
      { start: 109, count: 5 },
      { start: 100, count: 10 },
    ],
    /overlap/,
  ],
  [
    'one inside another',
    [
      { start: 100, count: 100 },
      { start: 110, count: 5 },
    ],
    /overlap/,
  ],
  ['your own id', [{ start: 900, count: 200 }], /contains your own id 1000/],
];

for (const [name, ranges, expected] of BAD) {
  test(`refused: ${name}`, () => assert.match(rangeProblem(ranges, 1000) ?? '', expected));
}

test('accepted: up to the last id, and ranges that touch', () => {
  assert.is(rangeProblem([{ start: 4294967290, count: 5 }], 1000), undefined);
  assert.is(
    rangeProblem(
      [
        { start: 100, count: 10 },
        { start: 110, count: 10 },
      ],
      1000,
    ),
    undefined,
  );
  assert.is(rangeProblem([{ start: 1001, count: 10 }], 1000), undefined);
  assert.is(rangeProblem([{ start: 990, count: 10 }], 1000), undefined);
});

test('a map is never larger than the kernel takes', () => {
  const ranges = Array.from({ length: 2000 }, (_, i) => ({ start: 1_000_000 + i * 10, count: 5 }));
  const map = rangesMap(1000, ranges);
  assert.ok(map.length <= 340);
  assert.ok(map.map(l => `${l.inside} ${l.outside} ${l.count}\n`).join('').length < 4096);
  assert.is(map[0]?.outside, 1000);
});

test('ids inside never pass 32 bits', () => {
  const map = rangesMap(1000, [{ start: 2000, count: 4294965295 }]);
  assert.ok(insideEnd(map) <= 4294967295);
});

const insideEnd = (map: readonly IdMapLine[]): number => Math.max(...map.map(l => l.inside + l.count));

test.run();
