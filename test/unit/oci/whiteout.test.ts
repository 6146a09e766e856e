import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { parseWhiteout, whiteoutName } from '../../../src/oci/whiteout.ts';

const test = suite('oci/whiteout');

const CASES: ReadonlyArray<readonly [string, unknown]> = [
  ['file', undefined],
  ['.wh', undefined],
  ['x.wh.y', undefined],
  ['.wh.x', { kind: 'remove', name: 'x' }],
  ['.wh..hidden', { kind: 'remove', name: '.hidden' }],
  ['.wh..wh..opq', { kind: 'opaque' }],
  ['.wh..wh.plnk', { kind: 'ignore' }],
  ['.wh..wh.aufs', { kind: 'ignore' }],
  ['.wh.', { kind: 'ignore' }],
  ['.wh..', { kind: 'ignore' }],
  ['.wh...', { kind: 'ignore' }],
  ['.wh....', { kind: 'remove', name: '...' }],
  ['.wh.a/../../b', { kind: 'ignore' }],
];
for (const [name, expected] of CASES) {
  test(name, () => assert.equal(parseWhiteout(name), expected));
}

test('a name and back', () => assert.equal(parseWhiteout(whiteoutName('a')), { kind: 'remove', name: 'a' }));

test.run();
