import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { copyArgument } from '../../../src/cli/copy-argument.ts';

const test = suite('arguments of cp');

test('what is a path of a container, by docker’s rule', () => {
  const table: Record<string, readonly [container: string | undefined, path: string]> = {
    'web:/etc': ['web', '/etc'],
    'web:': ['web', ''],
    'web:a:b': ['web', 'a:b'],
    'web:C:/x': ['web', 'C:/x'],
    '/a:b': [undefined, '/a:b'],
    './a:b': [undefined, './a:b'],
    '../a:b': [undefined, '../a:b'],
    '.a:b': [undefined, '.a:b'],
    file: [undefined, 'file'],
    '-': [undefined, '-'],
    '': [undefined, ''],
    ':x': ['', 'x'],
  };
  for (const [text, [container, path]] of Object.entries(table))
    assert.equal(copyArgument(text), { container, path }, text);
});

test.run();
