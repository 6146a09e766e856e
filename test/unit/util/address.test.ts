import { isIP } from 'node:net';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { familyOf } from '../../../src/util/address.ts';

const test = suite('util/address');

const WORDS = ['0', '1', '255', '256', '010', 'ffff', 'F', '12345', 'g', '', '1.2.3.4', '1.2.3', 'eth0'];
const GLUE = ['.', ':', '::', '%', ''];

test('an address is what node:net takes for one', () => {
  let seed = 1;
  const pick = <T>(list: readonly T[]): T => {
    seed = (seed * 48271) % 2147483647;
    return list[seed % list.length] as T;
  };
  let found = 0;
  for (let i = 0; i < 200_000; i++) {
    const glue = pick(GLUE);
    const count = pick([1, 2, 3, 4, 5, 6, 7, 8, 9]);
    let text = pick(WORDS);
    for (let j = 1; j < count; j++) text += (pick([0, 0, 0, 1]) ? pick(GLUE) : glue) + pick(WORDS);
    assert.is(familyOf(text), isIP(text), text);
    if (familyOf(text) !== 0) found++;
  }
  assert.ok(found > 500, `${found} addresses among them`);
});

test.run();
