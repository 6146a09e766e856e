import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { filesBelow, readProject } from '../support/source.ts';

/** docs/hostile-input.md: every test that it names exists, and every test of a hostile layer, image or registry is in it. */
const test = suite('the list of hostile input');
const rows = readProject('docs/hostile-input.md')
  .split('\n')
  .filter(line => line.startsWith('| ') && line.includes('`test/'))
  .map(line => line.split(' | ').at(-1) ?? '');
const named = rows.flatMap(cell =>
  cell
    .replace(/ \|$/, '')
    .split(/; (?=`test\/)/)
    .map(text => /^`(?<file>[^`]+)` (?<name>.+)$/.exec(text)?.groups ?? { file: '', name: text }),
);

/** The names of a file's tests, as they stand in it. */
function testsOf(file: string): string[] {
  const calls = readProject(file).matchAll(/^(?:test|long)\(\s*(['"])(.*?)\1,\s*async/gms);
  return [...calls].map(call => call[2] ?? '');
}

test('every row names a test that exists', () => {
  assert.ok(named.length > 80, `${named.length} tests are named`);
  assert.equal(
    named.filter(({ file = '', name = '' }) => file === '' || !testsOf(file).includes(name)),
    [],
  );
});

test('every test of hostile layers, images and registries is in the list', () => {
  const listed = new Set(named.map(({ file, name }) => `${file} ${name}`));
  const files = filesBelow('test/security', '.test.ts').filter(file =>
    /\/(layer|image|registry)-/.test(file),
  );
  assert.ok(files.length > 10);
  const missing = files
    .flatMap(file => testsOf(file).map(name => `${file} ${name}`))
    .filter(each => !listed.has(each));
  assert.equal(missing, []);
});

test.run();
