import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { openBox } from '../support/cli.ts';
import { requires } from '../support/requires.ts';
import { tempHome } from '../support/temp-home.ts';

const test = requires(suite('doctor, info, version'), 'userns');
const box = openBox(tempHome());

interface Check {
  id: string;
  status: string;
  detail: string;
}

test('doctor walks the real path and says ok or why not', async () => {
  const done = await box('doctor');
  for (const word of ['user namespace', 'overlay', 'fuse', 'tun', 'control groups', 'pivot_root'])
    assert.match(done.stdout.toLowerCase(), word);
});

test('doctor --json for bug reports and scripts', async () => {
  const done = await box('doctor', '--json');
  const checks = JSON.parse(done.stdout) as Check[];
  assert.ok(checks.length >= 8);
  for (const c of checks) assert.match(c.status, /^(ok|warn|fail|skip)$/);
  assert.is(done.code, checks.some(c => c.status === 'fail') ? 1 : 0);
});

test('info and version', async () => {
  assert.match(await box.ok('version'), /0\.\d+\.\d+/);
  assert.match(await box.ok('info'), new RegExp(box.home.store));
  JSON.parse(await box.ok('info', '--format', '{{json .}}'));
});

test.run();
