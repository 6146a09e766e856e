import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { OBSERVED, REFUSED } from '../support/run-flags.ts';
import { readProject } from '../support/source.ts';

/** A flag that is accepted has a test that observes its effect: the table names it, and this holds the table. */
const test = suite('flags of run');
const LIMITS_IN_UML = 'support/uml/limits.mjs';
const SOURCES = ['src/cli/commands/create-command.ts', 'src/cli/commands/run.ts'];

/** Every spelling of each flag, the long one first: `['--user', '-u']`. */
const flags: string[][] = SOURCES.flatMap(path =>
  [...readProject(path).matchAll(/\b(?:flag|text|list|toggle)\(\s*'(-[^']+)'/g)].map(match =>
    (match[1] ?? '').split(',').sort((a, b) => Number(b.startsWith('--')) - Number(a.startsWith('--'))),
  ),
);
const files = {
  ...OBSERVED,
  ...Object.fromEntries(Object.entries(REFUSED).map(([name, { file }]) => [name, file])),
};

test('each is in the table, and no other', () => {
  assert.ok(flags.length > 80, `${flags.length} flags were found`);
  assert.equal(Object.keys(files).sort(), flags.map(([name = '']) => name).sort());
});

test('the test that is named uses the flag', () => {
  const silent = flags.filter(names => {
    const text = readProject(`test/${files[names[0] ?? '']}`);
    return !names.some(name => new RegExp(`['" \`]${name}(?=['" =\`])`).test(text));
  });
  assert.equal(silent, []);
});

test('docs/limits.md tells of every limit how it was seen to hold', () => {
  const section = readProject('docs/limits.md').split('\n## How each limit was seen to hold')[1] ?? '';
  const named = new Set(
    [...(section.split('\n## ')[0] ?? '').matchAll(/`(--[a-z-]+)`/g)].map(match => match[1]),
  );
  const limits = Object.entries(OBSERVED).flatMap(([name, file]) => (file === LIMITS_IN_UML ? [name] : []));
  const refused = Object.keys(REFUSED).filter(name => !REFUSED[name]?.why.startsWith('refused everywhere'));
  assert.ok(limits.length > 10);
  assert.equal(
    [...limits, ...refused].filter(name => name !== '--limits' && !named.has(name)),
    [],
  );
});

test.run();
