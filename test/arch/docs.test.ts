import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ERROR_CODES } from '../../src/errors.ts';
import { OP_NAMES } from '../../src/plan/ops.ts';
import { filesBelow, PROJECT, readProject } from '../support/source.ts';

/** Documents are tested against the code: what one says and the other does not is a failure. */
const test = suite('documents');
const pages = ['README.md', 'CHANGELOG.md', 'CONTRIBUTING.md', 'SECURITY.md', ...filesBelow('docs', '.md')];
const sorted = (names: Iterable<string>): string[] => [...new Set(names)].sort();

/** First cells of the rows of every table below a heading, `code` marks removed, lists split at commas. */
function firstCells(page: string, heading: string): string[] {
  const from = page.indexOf(`\n## ${heading}`);
  assert.ok(from >= 0, `no heading "${heading}"`);
  const section = page.slice(from + 1).split(/\n## /)[0] ?? '';
  const rows = section.split('\n').filter(line => line.startsWith('|'));
  return rows
    .slice(2)
    .flatMap(row => (row.split('|')[1] ?? '').split(','))
    .map(cell => cell.replaceAll('`', '').trim());
}

test('errors.md explains every code and no other', () => {
  const explained = [...readProject('docs/errors.md').matchAll(/^### `?([A-Z_]+)`?$/gm)].map(m => m[1] ?? '');
  assert.equal(sorted(explained), sorted(Object.keys(ERROR_CODES)));
});

test('each error has a meaning, a cause and a remedy', () => {
  for (const entry of readProject('docs/errors.md').split(/^### /m).slice(1)) {
    for (const word of ['**Cause**', '**Remedy**'])
      assert.ok(entry.includes(word), `${word}: ${entry.slice(0, 60)}`);
  }
});

test('the protocol lists the operations of the plan room', () => {
  const listed = firstCells(readProject('docs/helper-protocol.md'), 'Operations');
  assert.equal(sorted(listed), sorted(OP_NAMES));
});

test('the helper performs the operations of the plan room', () => {
  const header = readProject('helpers/helper.h');
  const macro = /#define OPERATIONS\(X\)((?:.*\\\n)*.*)/.exec(header)?.[1] ?? '';
  const table = [...macro.matchAll(/\bX\((\w+)/g)].map(m => m[1] ?? '');
  assert.equal(sorted(table), sorted(OP_NAMES));
});

test('links between documents resolve', () => {
  const broken = pages.flatMap(page =>
    [...readProject(page).matchAll(/\]\((?!https?:|mailto:)([^)\s]+)\)/g)]
      .map(m => m[1] ?? '')
      .filter(link => !linkResolves(page, link))
      .map(link => `${page}: ${link}`),
  );
  assert.equal(broken, []);
});

function linkResolves(page: string, link: string): boolean {
  const [path = '', anchor] = link.split('#');
  const target = path === '' ? page : join(dirname(page), path);
  if (!existsSync(join(PROJECT, target))) return false;
  return anchor === undefined || anchorsOf(readProject(target)).includes(anchor);
}

const anchorsOf = (page: string): string[] =>
  [...page.matchAll(/^#+ (.*)$/gm)].map(m =>
    (m[1] ?? '')
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );

test('documents name files of the project that exist', () => {
  const named = /`((?:src|test|docs|helpers)\/[\w./-]+\.(?:ts|md|c|h|mjs))`/g;
  const missing = pages.flatMap(page =>
    [...readProject(page).matchAll(named)]
      .map(m => m[1] ?? '')
      .filter(path => !existsSync(join(PROJECT, path)))
      .map(path => `${page}: ${path}`),
  );
  assert.equal(missing, []);
});

test('nobody leaves notes to self', () => {
  const words = new RegExp(`\\b(${['TO' + 'DO', 'FIX' + 'ME', 'X'.repeat(3), 'HA' + 'CK'].join('|')})\\b`);
  const files = [
    ...filesBelow('src', '.ts'),
    ...filesBelow('test', '.ts', '.mjs'),
    ...filesBelow('helpers', '.c', '.h'),
  ];
  assert.equal(
    [...files, ...pages, 'install.sh', '.ci/run'].filter(f => words.test(readProject(f))),
    [],
  );
});

test('what package.json wants to ship exists', () => {
  const { files } = JSON.parse(readProject('package.json')) as { files: string[] };
  const made = ['dist'];
  assert.equal(
    files.filter(f => !f.startsWith('!') && !made.includes(f) && !existsSync(join(PROJECT, f))),
    [],
  );
});

test.run();
