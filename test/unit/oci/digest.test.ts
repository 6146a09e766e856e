import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { digestHex, isDigest, parseDigest, sha256, shortDigest } from '../../../src/oci/digest.ts';

const test = suite('oci/digest');
const HEX = '0123456789abcdef'.repeat(4);

test('takes the canonical form only', () => {
  assert.is(parseDigest(`sha256:${HEX}`, 'x'), `sha256:${HEX}`);
  assert.is(digestHex(`sha256:${HEX}`), HEX);
  assert.is(shortDigest(`sha256:${HEX}`), HEX.slice(0, 12));
});

const BAD: readonly unknown[] = [
  '',
  HEX,
  `sha256:${HEX.slice(1)}`,
  `sha256:${HEX}0`,
  `sha256:${HEX.toUpperCase()}`,
  `SHA256:${HEX}`,
  `sha512:${HEX}${HEX}`,
  `sha256:${HEX}\n`,
  ` sha256:${HEX}`,
  'sha256:../../../../etc/passwd',
  `sha256:../${HEX.slice(3)}`,
  `sha256:${HEX.slice(2)}\0\0`,
  `sha256:${'é'.repeat(64)}`,
  undefined,
  null,
  42,
  [`sha256:${HEX}`],
  { toString: () => `sha256:${HEX}` },
];

for (const bad of BAD) {
  test(`refuses ${String(JSON.stringify(bad)).slice(0, 50)}`, () => {
    assert.not(isDigest(bad));
    assert.throws(
      () => parseDigest(bad, 'layers[0]'),
      (e: Error) => e.message.startsWith('layers[0]: ') && e.message.length < 300,
    );
  });
}

test('hashes', () => {
  assert.is(sha256(''), 'sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
});

test.run();
