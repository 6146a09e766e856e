// run as: ranges
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { manPages } from '../../src/cli/man/pages.ts';
import { requires } from '../support/requires.ts';
import { tempHome } from '../support/temp-home.ts';

/** The manual through the two formatters there are. */
const test = suite('manual');
const dir = join(tempHome().dir, 'man/man1');

test.before(async () => {
  mkdirSync(dir, { recursive: true });
  for (const [name, text] of await manPages()) writeFileSync(join(dir, name), text);
});

requires(test, 'mandoc')(
  'mandoc has no complaint but that a date is missing: pages are the same whenever they are made',
  () => {
    const said = spawnSync('sh', ['-c', 'mandoc -T lint -W warning "$1"/*.1', 'sh', dir], {
      encoding: 'utf8',
    });
    const lines = said.stdout.split('\n').filter(line => line !== '' && !line.includes('missing date'));
    assert.equal([lines, said.stderr], [[], '']);
  },
);

requires(test, 'groff')('groff has none', () => {
  const said = spawnSync('sh', ['-c', 'groff -man -ww -z -Tutf8 "$1"/*.1', 'sh', dir], { encoding: 'utf8' });
  assert.equal([said.status, said.stderr], [0, '']);
});

requires(test, 'groff')('an example can be copied from the screen', () => {
  const page = join(dir, 'tsbox-exec.1');
  const shown = spawnSync('groff', ['-man', '-Tutf8', '-P-c', page], { encoding: 'utf8' }).stdout;
  assert.match(shown, / tsbox exec -u www-data -e DEBUG=1 web \.\/check\n/);
});

test.run();
