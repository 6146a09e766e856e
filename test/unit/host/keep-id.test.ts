import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { keepIdMap, toHost, toInside, translate } from '../../../src/host/id-ranges.ts';
import { moveSelf } from '../../../src/host/keep-id.ts';

const test = suite('host/keep-id');

test('the caller moves, the ranges close up around', () => {
  const map = keepIdMap(1034, [{ start: 100_000, count: 65_536 }]);
  assert.equal(moveSelf(map, 1034, 1000), [
    { inside: 0, outside: 100_000, count: 1000 },
    { inside: 1000, outside: 1034, count: 1 },
    { inside: 1001, outside: 101_000, count: 34 },
    { inside: 1035, outside: 101_034, count: 64_502 },
  ]);
});

test('for any place and any ranges: the caller is there, every other id is mapped once and stays in order', () => {
  for (let round = 0; round < 300; round++) {
    const pick = (n: number) => Math.floor(Math.random() * n);
    const self = 500 + pick(2000);
    const ranges = [
      { start: 100_000, count: 1 + pick(3000) },
      { start: 200_000, count: 1 + pick(3000) },
    ];
    const inside = pick(5000);
    const map = moveSelf(keepIdMap(self, ranges), self, inside);
    assert.is(toHost(map, inside), self);
    assert.is(toInside(map, self), inside);
    const total = map.reduce((sum, line) => sum + line.count, 0);
    assert.is(total, 1 + ranges.reduce((sum, r) => sum + r.count, 0));
    const ends = map.map(l => [l.inside, l.inside + l.count]);
    assert.ok(
      ends.every(([start], i) => i === 0 || (ends[i - 1]?.[1] ?? 0) <= (start ?? 0)),
      JSON.stringify(map),
    );
    const back = translate(map, keepIdMap(self, ranges));
    assert.is(
      back.reduce((sum, line) => sum + line.count, 0),
      total,
    );
  }
});

test.run();
