import { dirname } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { capture, openBox, TSBOX } from '../support/cli.ts';
import { requires } from '../support/requires.ts';
import { tempHome } from '../support/temp-home.ts';

const test = requires(suite('doctor, info, version'), 'userns');
const box = openBox(tempHome());

interface Check {
  id: string;
  status: string;
  code: string;
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

/** In a user namespace whose limit of further ones is 0: what user.max_user_namespaces=0 is on a whole machine. */
const CLOSED =
  'echo 0 > /proc/sys/user/max_user_namespaces && exec setpriv --ambient-caps=-all --inh-caps=-all "$@"';
const closed = (...args: string[]) =>
  capture(
    'unshare',
    ['-U', '--map-current-user', '--keep-caps', 'sh', '-euc', CLOSED, 'sh', TSBOX, ...args],
    box.home,
  );

test('no further user namespace: doctor and the error of a run call it the same', async () => {
  const checks = JSON.parse((await closed('doctor', '--json', 'userns', 'mount')).stdout) as Check[];
  assert.equal(
    checks.map(({ id, status, code }) => [id, status, code]),
    [
      ['userns', 'fail', 'userns-limit'],
      ['mount', 'skip', 'mount'],
    ],
  );
  const run = await closed('run', '--rm', '--network', 'none', 'host', 'true');
  assert.is(run.code, 125, run.stderr);
  assert.match(run.stderr, /tsbox doctor (userns-limit|fuse-\S+)$/m);
});

test('doctor explains what an error has named, and knows no other words', async () => {
  assert.match((await box('doctor', 'userns-apparmor')).stdout, /^ok +User namespace/m);
  await box.fails(
    125,
    /no check "userns-aparmor"[\s\S]*did you mean userns-apparmor/,
    'doctor',
    'userns-aparmor',
  );
});

test('the request is a script, and asks for nothing that is here', async () => {
  const text = await box.ok('doctor', '--admin-request');
  assert.match(text, /^# /);
  assert.not.match(text, /apparmor_parser|max_user_namespaces/);
  const items = JSON.parse(await box.ok('doctor', '--admin-request', '--json')) as { codes: string[] }[];
  for (const { codes } of items) for (const code of codes) assert.match(text, `${code}: `);
});

const nested = requires(suite('doctor in a container'), 'userns', 'fuse', 'fuse-overlayfs');

nested('the filter of an outer container is told from the switches', async () => {
  const program = ['-v', `${dirname(TSBOX)}:${dirname(TSBOX)}:ro`];
  const places = ['HOME=/root', 'TSBOX_ROOT=/tmp/store', 'TSBOX_RUNTIME_DIR=/tmp/run'].flatMap(e => [
    '-e',
    e,
  ]);
  const inside = [TSBOX, 'doctor', '--json', 'userns'];
  const done = await box('run', '--rm', '--network', 'none', ...program, ...places, 'host', ...inside);
  const [check] = JSON.parse(done.stdout) as Check[];
  assert.equal([check?.status, check?.code], ['fail', 'userns-seccomp']);
});

test('info and version', async () => {
  assert.match(await box.ok('version'), /0\.\d+\.\d+/);
  assert.match(await box.ok('info'), new RegExp(box.home.store));
  JSON.parse(await box.ok('info', '--format', '{{json .}}'));
});

test.run();
nested.run();
