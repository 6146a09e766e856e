import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { parseIgnore } from '../../../src/build/dockerignore.ts';
import { compilePattern } from '../../../src/build/dockerignore-pattern.ts';
import { Chance } from '../../fuzz/mutate.ts';

const test = suite('.dockerignore');
const ignores = (text: string, path: string): boolean => parseIgnore(text, '.dockerignore').ignores(path);

/** Pattern, path, whether it is ignored: docker's documentation and the rules of its matcher. */
const TABLE: readonly (readonly [pattern: string, path: string, wanted: boolean])[] = [
  ['a', 'a', true],
  ['a', 'a/b/c', true],
  ['a', 'b/a', false],
  ['/a', 'a', true],
  ['a/', 'a', true],
  ['a/', 'a/b', true],
  ['./a', 'a', true],
  ['a/../b', 'b', true],
  ['*', 'a', true],
  ['*', 'a/b', true],
  ['*/a', 'x/a', true],
  ['*/a', 'a', false],
  ['*/a', 'x/y/a', false],
  ['*.md', 'x.md', true],
  ['*.md', 'd/x.md', false],
  ['**/*.md', 'd/e/x.md', true],
  ['**/*.md', 'x.md', true],
  ['**', 'anything/at/all', true],
  ['**/', 'a', true],
  ['**/a', 'a', true],
  ['**/a', 'x/y/a/b', true],
  ['**/a', 'ba', false],
  ['**a', 'ba', true],
  ['a/**', 'a/b/c', true],
  ['a/**', 'a', false],
  ['a**', 'ab/c', true],
  ['a/**/b', 'a/b', true],
  ['a/**/b', 'a/x/y/b', true],
  ['a/**/b', 'a/xb', false],
  ['**/a/**', 'x/a/y', true],
  ['**/a/**', 'a', false],
  ['a?c', 'abc', true],
  ['a?c', 'a/c', false],
  ['a?c', 'aéc', true],
  ['[ab]c', 'bc', true],
  ['[^ab]c', 'bc', false],
  ['[^ab]c', 'xc', true],
  ['[a-c]', 'b', true],
  ['[a\\]]', ']', true],
  ['[]a]', ']', true],
  ['a\\*', 'a*', true],
  ['a\\*', 'ab', false],
  ['a.b', 'axb', false],
  ['(a|b)+$', '(a|b)+$', true],
  ['#a', '#a', false],
  ['\\#a', '#a', true],
  ['  a  ', 'a', true],
  ['', 'a', false],
  ['.', 'a', false],
  ['..', 'a', false],
  ['*\n!a', 'a', false],
  ['*\n!a', 'a/b', false],
  ['*\n!a', 'b', true],
  ['!a\n*', 'a', true],
  ['a\n!a/b', 'a/b', false],
  ['a\n!a/b', 'a/c', true],
  ['*.md\n!R*.md\nRS.md', 'README.md', false],
  ['*.md\n!R*.md\nRS.md', 'RS.md', true],
  ['**\n!**/*.c', 'x/y.c', false],
  ['**\n!**/*.c', 'x/y.h', true],
  ['! a', 'a', false],
  ['*\n! a', 'a', false],
  ['\ufeffa', 'a', true],
  ['a\r\nb', 'a', true],
];

for (const [pattern, path, wanted] of TABLE)
  test(`${JSON.stringify(pattern)} ${wanted ? 'ignores' : 'leaves'} ${path}`, () =>
    assert.is(ignores(pattern, path), wanted));

for (const bad of ['[', 'a[b', '!', 'a\\', '[b-a]'])
  test(`no pattern: ${bad}`, () =>
    assert.throws(() => parseIgnore(`x\n${bad}\n`, 'd/.dockerignore'), /d\/\.dockerignore:2: /));

/** Random patterns of few letters: what the matcher says by groups of results is what a slow matcher says of one path. */
const NAMES = ['a', 'b', 'ab', 'a.b'];
const PARTS = ['a', 'b', '*', '**', 'a*', '?', '*.b', '[ab]'];

function random(chance: Chance, words: readonly string[], most: number): string {
  return Array.from({ length: 1 + chance.below(most) }, () => chance.of(words)).join('/');
}

/** By recursion over components; only for patterns in which `**` stands alone. */
function slow(pattern: readonly string[], path: readonly string[]): boolean {
  const [first, ...rest] = pattern;
  if (first === undefined) return path.length === 0;
  if (first !== '**') {
    const test = compilePattern(first);
    return path.length > 0 && test(path[0] ?? '') && slow(rest, path.slice(1));
  }
  if (rest.length === 0) return path.length > 0;
  return path.some((_, i) => slow(rest, path.slice(i)));
}

test('a pattern means what a matcher without regular expressions says', () => {
  const chance = new Chance(8);
  for (let round = 0; round < 20_000; round++) {
    const [pattern, path] = [random(chance, PARTS, 4), random(chance, NAMES, 4)];
    // Two of them in a row are the text "**/**", which the matcher takes as one and a slash.
    if (/\*\*\/\*\*/.test(pattern)) continue;
    assert.is(
      compilePattern(pattern)(path),
      slow(pattern.split('/'), path.split('/')),
      `${pattern} on ${path}`,
    );
  }
});

test('the last rule that matches a path or a parent decides', () => {
  const chance = new Chance(9);
  for (let round = 0; round < 5000; round++) {
    const lines = Array.from(
      { length: 1 + chance.below(4) },
      () => `${chance.below(2) ? '!' : ''}${random(chance, PARTS, 3)}`,
    );
    const path = random(chance, NAMES, 4).split('/');
    const parents = path.map((_, i) => path.slice(0, i + 1).join('/'));
    const wanted = lines.reduce((ignored, line) => {
      const test = compilePattern(line.replace(/^!/, ''));
      return parents.some(test) ? !line.startsWith('!') : ignored;
    }, false);
    assert.is(
      ignores(lines.join('\n'), path.join('/')),
      wanted,
      `${JSON.stringify(lines)} on ${path.join('/')}`,
    );
  }
});

test('what may be taken back is looked for', () => {
  const rules = parseIgnore('a\nb\n!a/b/c\n!x*/y', '');
  assert.equal(
    ['a', 'a/b', 'b', 'x1', 'xx', 'a/c'].map(path => rules.mayTakeBack(path)),
    [true, true, false, true, true, false],
  );
});

test.run();
