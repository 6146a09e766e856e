import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { discover } from '../support/runner/kinds.ts';
import { passesOf, singleFile } from '../support/runner/single-file.ts';
import { PROJECT, readProject } from '../support/source.ts';

/** All of e2e runs against the single file, too, and what is skipped there is in CONTRIBUTING.md. */
const test = suite('arch/single file');
const files = discover(join(PROJECT, 'test'), []);
const root = mkdtempSync(join(tmpdir(), 'tsbox-pass-'));
test.after(() => rmSync(root, { recursive: true }));

test('--long: every file of e2e a second time, when the single file is there; --exe: what was asked for, once', () => {
  const both = { only: false, also: true };
  assert.is(passesOf(files, root, both).length, 1);
  const exe = singleFile(root);
  mkdirSync(dirname(exe), { recursive: true });
  writeFileSync(exe, '');
  const [node, single, ...more] = passesOf(files, root, both);
  assert.equal([node?.files, node?.exe, more], [files, undefined, []]);
  assert.equal([single?.files, single?.exe], [files.filter(f => f.name.startsWith('e2e/')), exe]);
  assert.equal(passesOf(files, root, { only: true, also: true }), [{ files, exe }]);
});

test('the files that are skipped there are those of the table, with the need that it says', () => {
  const needs = (name: string): string[] =>
    ['packs', 'once'].filter(need =>
      new RegExp(`requires\\(\\s*suite\\([^)]*\\)[^)]*'${need}'`).test(readProject(`test/${name}`)),
    );
  const skipped = files
    .filter(f => f.kind === 'e2e')
    .flatMap(f => needs(f.name).map(need => `${need} ${f.name.replace('.test.ts', '')}`));
  const rows = [...readProject('CONTRIBUTING.md').matchAll(/^\| `(packs|once)` \| ([^|]*) \|/gm)];
  const said = rows.flatMap(([, need, who = '']) =>
    [...who.matchAll(/`([^`]+)`/g)].map(m => `${need} ${m[1]}`),
  );
  assert.equal(said.sort(), skipped.sort());
});

test.run();
