import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { HELPER } from '../helpers/harness.ts';
import { capture } from '../support/cli.ts';
import { busyboxImage, dockerArchive } from '../support/images.ts';
import { requires } from '../support/requires.ts';
import { PROJECT } from '../support/source.ts';
import { tempHome } from '../support/temp-home.ts';

/** The single-file executable (`npm run build:exe`), where it has been built. Every test of e2e runs against it with TSBOX_TEST_BIN. */
const EXE = join(PROJECT, `dist/exe/tsbox-linux-${process.arch}`);
const test = requires(suite('single file'), 'userns', 'busybox', 'exe');

/** Libraries in the directories where everybody may write. */
const strewn = (...directories: string[]): string[] =>
  directories.flatMap(dir => readdirSync(dir).filter(name => name.endsWith('.node')));

test('it runs a container without Node or a helper beside it, and keeps what it unpacks closed to others', async () => {
  const home = tempHome();
  const places = [home.env.TMPDIR ?? '/tmp', '/tmp', '/var/tmp'];
  const before = strewn(...places);
  const call = (...args: string[]) =>
    capture(EXE, args, { ...home, env: { ...home.env, PATH: '/usr/bin:/bin' } });
  const archive = dockerArchive(busyboxImage(), 'busybox', join(home.dir, 'busybox.tar'));
  assert.is((await call('load', '-i', archive)).code, 0);
  const done = await call(
    'run',
    '--rm',
    '--network',
    'none',
    'busybox',
    'sh',
    '-c',
    'echo from inside; exit 4',
  );
  assert.equal([done.code, done.stdout, done.stderr], [4, 'from inside\n', '']);
  assert.is((await call('create', '--name', 'kept', 'busybox', 'true')).code, 0);
  assert.is((await call('diff', 'kept')).code, 0); // by a process in a user namespace
  assert.equal(strewn(...places), before);
  const cache = join(home.dir, '.cache/tsbox');
  if (!existsSync(cache)) return; // told by XDG_CACHE_HOME
  assert.is(statSync(cache).mode & 0o777, 0o700);
  assert.equal(
    readdirSync(cache)
      .sort()
      .map(name => [name.replace(/-.*/, ''), statSync(join(cache, name)).mode & 0o222]),
    [
      ['helper', 0],
      ['koffi', 0],
    ],
  );
});

test('run and exec take the helper that was started before the program was loaded, and start no other', async () => {
  const home = tempHome();
  const words = join(home.dir, 'words');
  const wrapper = join(home.dir, 'helper');
  writeFileSync(wrapper, `#!/bin/sh\necho "$1 $2" >>${words}\nexec ${HELPER} "$@"\n`, { mode: 0o755 });
  const call = (...args: string[]) =>
    capture(EXE, args, { ...home, env: { ...home.env, TSBOX_HELPER: wrapper } });
  const archive = dockerArchive(busyboxImage(), 'busybox', join(home.dir, 'busybox.tar'));
  assert.is((await call('load', '-i', archive)).code, 0);
  const run = ['run', '-d', '--network', 'none', '--name', 'one', 'busybox', 'sleep', '1000'];
  assert.is((await call(...run)).code, 0); // what this machine can do is found out here
  const started = async (...args: string[]): Promise<string[]> => {
    writeFileSync(words, '');
    const { code, stderr } = await call(...args);
    assert.equal([code, stderr], [0, ''], args.join(' '));
    return readFileSync(words, 'utf8').trim().split('\n');
  };
  assert.match(
    (await started('run', '--rm', '--network', 'none', 'busybox', 'true')).join(),
    /^supervise 0+$/,
  );
  assert.match((await started('exec', 'one', 'true')).join(), /^join 0+$/);
  assert.equal(await started('ps'), ['']);
  assert.match((await started('rm', '-f', 'one')).join(), /^processes 0+$/);
});

test.run();
