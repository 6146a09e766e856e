import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { escapeSuite } from '../support/escape.ts';

/** Variables of the caller's shell, with tokens in them, are found inside (CVE-2021-3602 is one of many). */
const test = escapeSuite(['environment of the host'], { drivers: 'any' });

const NAMES = [
  'AWS_SECRET_ACCESS_KEY',
  'GITHUB_TOKEN',
  'SSH_AUTH_SOCK',
  'http_proxy',
  'LD_PRELOAD_X',
  'TSBOX_SECRET',
];
const LOOK =
  'env; for p in /proc/[0-9]*; do tr "\\0" "\\n" < $p/environ; tr "\\0" " " < $p/cmdline; done 2>/dev/null';

test('run and exec: nothing of it, in no process that can be seen', async ({ box, canary, start }) => {
  const env = Object.fromEntries(NAMES.map(name => [name, canary.secret]));
  const own = box.with({ env });
  const flags = ['--rm', '--network', 'none'];
  for (const more of [[], ['-i'], ['--init'], ['-u', '0:0']]) {
    const done = await own('run', ...flags, ...more, 'busybox', 'sh', '-c', LOOK);
    assert.is(done.code, 0, done.stderr);
    assert.match(done.stdout, /^HOSTNAME=/m);
    assert.not.match(done.stdout, canary.secret, more.join(' '));
  }
  const id = await start('busybox', 'sleep', '1000');
  assert.not.match(await own.ok('exec', id, 'sh', '-c', LOOK), canary.secret);
  assert.match(
    await own.ok('exec', '-e', 'GITHUB_TOKEN', id, 'env'),
    `GITHUB_TOKEN=${canary.secret}`,
    'what is asked for',
  );
});

test('nor is it written down', async ({ box, canary }) => {
  const own = box.with({ env: Object.fromEntries(NAMES.map(name => [name, canary.secret])) });
  const id = await own.ok('run', '-d', '--network', 'none', 'busybox', 'sleep', '1000');
  const dir = join(box.home.store, 'containers', id);
  for (const file of ['config.json', 'state.json'])
    assert.not.match(readFileSync(join(dir, file), 'utf8'), canary.secret);
  assert.not.match(await box.ok('inspect', id), canary.secret);
  await box.ok('rm', '-f', id);
});

test.run();
