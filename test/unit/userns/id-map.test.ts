import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { holdsId, parseIdMap } from '../../../src/userns/id-map.ts';

const test = suite('userns: id map');

const MAP =
  '         0       1000          1\n         1     231072      65536\n    100000     400000         10\n';

test('reads what the kernel writes', () => {
  assert.equal(parseIdMap(MAP), [
    { first: 0, last: 0 },
    { first: 1, last: 65536 },
    { first: 100000, last: 100009 },
  ]);
  assert.equal(parseIdMap('         0          0 4294967295\n'), [{ first: 0, last: 4294967294 }]);
});

test('nothing is nothing', () => {
  for (const text of ['', '\n', 'x y z', '0 0 0', '1 2']) assert.equal(parseIdMap(text), [], text);
});

test('the ends of ranges belong to them, their neighbours do not', () => {
  const spans = parseIdMap(MAP);
  for (const id of [0, 1, 2, 65535, 65536, 100000, 100009]) assert.ok(holdsId(spans, id), String(id));
  for (const id of [65537, 99999, 100010, 4294967294]) assert.not.ok(holdsId(spans, id), String(id));
});

test('agrees with counting', () => {
  const spans = parseIdMap('5 0 3\n10 50 1\n');
  const inside = Array.from({ length: 20 }, (_, id) => id).filter(id => holdsId(spans, id));
  assert.equal(inside, [5, 6, 7, 10]);
});

test.run();
