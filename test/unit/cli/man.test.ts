import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { manPages } from '../../../src/cli/man/pages.ts';
import { roff } from '../../../src/cli/man/roff.ts';
import { ENVIRONMENT } from '../../../src/cli/man/texts.ts';
import { VERBS } from '../../../src/cli/table.ts';
import { readProject } from '../../support/source.ts';

const test = suite('manual');

test('a page for tsbox and for every verb', async () => {
  const names = Object.keys(VERBS).map(name => `tsbox-${name.replace(' ', '-')}.1`);
  assert.equal([...(await manPages()).keys()].sort(), ['tsbox.1', ...names].sort());
});

test('tsbox(1) names every page', async () => {
  const page = (await manPages()).get('tsbox.1') ?? '';
  for (const name of Object.keys(VERBS))
    assert.ok(page.includes(`\\fBtsbox\\-${name.replace(/[ -]/g, '\\-')}\\fR(1)`), name);
});

test('a page has its options by group, its examples and where they work', async () => {
  const page = (await manPages()).get('tsbox-run.1') ?? '';
  for (const part of [
    '.SH NAME\ntsbox\\-run \\- create a container',
    '.SS Limits\n.TP\n\\fB\\-m\\fR, \\fB\\-\\-memory\\fR \\fIBYTES\\fR\nKill what takes more memory.',
    '.nf\ntsbox run \\-it \\-\\-rm alpine sh\n.fi',
    '(where control groups are delegated to the user)',
  ])
    assert.ok(page.includes(part), part);
});

test('what troff would read is shown as it is', () => {
  assert.is(roff(`.a -b 'c' \\d "e" ^~ f…`), '\\&.a \\-b \\(aqc\\(aq \\ed \\(dqe\\(dq \\(ha\\(ti f\\[u2026]');
  assert.is(roff('a\n.b'), 'a\n\\&.b');
});

test('the variables and paths of tsbox(1) are those of the documents', () => {
  const pages =
    readProject('docs/state.md') +
    readProject('docs/docker-differences.md') +
    readProject('src/host/paths.ts');
  const ours = ENVIRONMENT.map(([name]) => name).filter(name => name !== 'TSBOX_HELPER');
  assert.equal(
    ours.filter(name => !pages.includes(name)),
    [],
  );
});

test.run();
