import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type PublicName, publicNames } from '../support/public-types.ts';
import { PROJECT, readProject } from '../support/source.ts';

/** What programs see of the library: everything is explained where an editor shows it, and listed in docs/library.md. */
const test = suite('public API');
let names: PublicName[] = [];
const PAGE = 'docs/library.md';
const BEGIN = '<!-- reference: UPDATE=1 node --import tsx test/arch/api.test.ts -->';

test.before(() => {
  names = publicNames();
});

test('every export and every member of it has a doc comment', () => {
  // The text of a code is its value; docs/errors.md has the rest.
  const without = names.filter(
    ({ doc, owner, member }) => doc === '' && !(owner === 'ERROR_CODES' && member),
  );
  assert.equal(
    without.map(({ name }) => name),
    [],
  );
});

test('a comment says something', () => {
  const short = names.filter(({ doc }) => doc !== '' && doc.trim().length < 5).map(({ name }) => name);
  assert.equal(short, []);
});

test('what can be awaited says what it throws', () => {
  const says = /[Tt]hrows|No error|Nothing for programs|for `await using`|BAD_STATE|NOT_FOUND|Rejects/;
  const silent = names.filter(
    ({ owner, isMethod, doc }) => CLASSES.includes(owner) && isMethod && !says.test(doc),
  );
  assert.equal(
    silent.map(({ name }) => name),
    [],
  );
});

test('docs/library.md lists it', () => {
  const page = readProject(PAGE);
  const [head = ''] = page.split(BEGIN);
  const wanted = `${head.trimEnd()}\n\n${BEGIN}\n\n${reference()}`;
  if (process.env.UPDATE) writeFileSync(join(PROJECT, PAGE), wanted);
  else assert.ok(page === wanted, `${PAGE} is not up to date: ${BEGIN}`);
});

const CLASSES = ['Tsbox', 'Container', 'Sandbox', 'Snapshot'];

function reference(): string {
  const classes = CLASSES.map(owner => {
    const rows = names.filter(each => each.owner === owner && each.member !== undefined);
    return `### ${owner}\n\n${sentence(docOf(owner))}\n\n${table('member', rows.map(row))}`;
  });
  const others = names.filter(each => each.member === undefined && !CLASSES.includes(each.name));
  const types = `### Types and values\n\n${table('export', others.map(row))}`;
  return `## Reference\n\n${[...classes, types].join('\n')}`;
}

const docOf = (name: string): string => names.find(each => each.name === name)?.doc ?? '';
const row = ({ name, member, isMethod, doc }: PublicName): readonly [string, string] => [
  `\`${name.endsWith(' (static)') ? name.replace(' (static)', '') : (member ?? name)}${isMethod ? '()' : ''}\``,
  sentence(doc).replaceAll('|', '\\|'),
];

const table = (title: string, rows: ReadonlyArray<readonly [string, string]>): string =>
  [`| ${title} | |`, '| --- | --- |', ...rows.map(([name, what]) => `| ${name} | ${what} |`), ''].join('\n');

/** The first sentence of a comment, in one line. */
function sentence(doc: string): string {
  const line = doc
    .replace(/\s+/g, ' ')
    .replace(/\{@link ([^}]+)\}/g, '`$1`')
    .trim();
  return /^.*?[.](?= [A-Z`]|$)/.exec(line)?.[0] ?? line;
}

test.run();
