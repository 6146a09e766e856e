import { dirname } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { cFunctions, type FunctionSize, median, typescriptFunctions } from '../support/functions.ts';
import { note } from '../support/note.ts';
import { filesBelow, readProject } from '../support/source.ts';

/** Small pieces: what grows past these has two subjects. */
const MAX_FILE = 400;
const MAX_FUNCTION = 60;
const MAX_HELPER = 1500;
/** What is linked into the same program beside its core has a directory of its own. */
const MAX_HELPER_PART = 800;

const count = (path: string): number => readProject(path).split('\n').length - 1;
const sources = filesBelow('src', '.ts');
const helpers = filesBelow('helpers', '.c', '.h');
const tests = filesBelow('test', '.ts');
const test = suite('sizes');

const tooLong = (files: readonly string[]): string[] =>
  files.filter(f => count(f) > MAX_FILE).map(f => `${f}: ${count(f)} lines`);

function bigFunctions(files: readonly string[], measure: (text: string) => FunctionSize[]): string[] {
  return files.flatMap(file =>
    measure(readProject(file))
      .filter(f => f.lines > MAX_FUNCTION)
      .map(f => `${file}:${f.line}: ${f.lines} lines: ${f.name}`),
  );
}

test(`no file is over ${MAX_FILE} lines`, () => {
  assert.equal(tooLong([...sources, ...helpers, ...tests]), []);
});

test(`no function is over ${MAX_FUNCTION} lines`, () => {
  assert.equal(bigFunctions([...sources, ...tests], typescriptFunctions), []);
  assert.equal(bigFunctions(helpers, cFunctions), []);
});

test(`the helper stays under ${MAX_HELPER} lines, and every part beside it under ${MAX_HELPER_PART}`, () => {
  const totals = new Map<string, number>();
  for (const file of helpers) totals.set(dirname(file), (totals.get(dirname(file)) ?? 0) + count(file));
  for (const [part, total] of totals) {
    assert.ok(total < (part === 'helpers' ? MAX_HELPER : MAX_HELPER_PART), `${part}: ${total} lines`);
  }
});

test('medians', () => {
  const lengths = sources.map(count);
  const functions = sources.flatMap(f => typescriptFunctions(readProject(f))).map(f => f.lines);
  const c = helpers.flatMap(f => cFunctions(readProject(f))).map(f => f.lines);
  const helperLines = helpers.reduce((n, file) => n + count(file), 0);
  note(`src: ${sources.length} files, median ${median(lengths)}, max ${Math.max(0, ...lengths)} lines`);
  note(
    `src: ${functions.length} functions, median ${median(functions)}, max ${Math.max(0, ...functions)} lines`,
  );
  note(
    `helpers: ${helperLines} lines, ${c.length} functions, median ${median(c)}, max ${Math.max(0, ...c)} lines`,
  );
});

test('the measure finds functions and their ends', () => {
  const ts = [
    'export function a(): void {',
    '  if (x) {',
    '    y();',
    '  }',
    '}',
    'const b = async (',
    '  x: number,',
    '): Promise<void> => {',
    '  c();',
    '};',
    'class D {',
    '  async #e(f: () => void): Promise<{ g: 1 }> {',
    '    f();',
    '  }',
    '}',
    'test(() => {',
    '  h();',
    '});',
  ].join('\n');
  assert.equal(
    typescriptFunctions(ts).map(f => [f.line, f.lines]),
    [
      [1, 5],
      [6, 5],
      [12, 3],
      [16, 3],
    ],
  );
  const c = ['static int a(int b) {', '  if (b) {', '    c();', '  }', '}', 'int', 'd(void)', '{', '}'].join(
    '\n',
  );
  assert.equal(
    cFunctions(c).map(f => f.lines),
    [5, 3],
  );
});

test.run();
