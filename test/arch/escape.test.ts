import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ENTRIES } from '../support/escape-entries.ts';
import { escapeFiles, escapeTable } from '../support/escape-table.ts';
import { PROJECT, readProject } from '../support/source.ts';

/** docs/escape-suite.md is what the files of test/escape say, and every entry has its file. */
const test = suite('the escape suite');
const TABLE = 'docs/escape-suite.md';

test('every entry has a file, and the files beside it are there', () => {
  const held = new Set(escapeFiles().flatMap(file => file.entries));
  const missing = ENTRIES.filter(entry => !held.has(entry.id) && entry.elsewhere === undefined);
  assert.equal(missing, []);
  const paths = ENTRIES.flatMap(entry => entry.also ?? []);
  assert.equal(
    paths.filter(path => !existsSync(join(PROJECT, path))),
    [],
  );
});

test('every file answers something, and one named after an advisory answers that', () => {
  for (const { path, entries } of escapeFiles()) {
    assert.ok(entries.length > 0, path);
    const named = /cve-\d+-\d+/.exec(path)?.[0].toUpperCase();
    if (named) assert.ok(entries.includes(named), `${path} answers ${entries}`);
  }
});

test('the table is the one that the files make (UPDATE=1 writes it)', () => {
  if (process.env.UPDATE) writeFileSync(join(PROJECT, TABLE), escapeTable());
  assert.is(readProject(TABLE), escapeTable());
});

test.run();
