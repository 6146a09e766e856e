import { constants } from 'node:os';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import * as errno from '../../../src/util/errno.ts';

const test = suite('util/errno');

test('the numbers are those of this machine', () => {
  for (const [name, number] of Object.entries(errno))
    assert.is(number, (constants.errno as Record<string, number>)[name], name);
});

test.run();
