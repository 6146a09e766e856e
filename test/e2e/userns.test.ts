import { chmodSync, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { busybox, sh } from '../support/ready.ts';
import { requires } from '../support/requires.ts';

const test = requires(suite('user namespaces'), 'userns', 'busybox');
const ranges = requires(test, 'subid');
const keepId = requires(test, 'subid', 'fuse', 'fuse-overlayfs');
const noSubids = requires(test, 'nosubid');
const map = 'awk "{print \\$1, \\$2, \\$3}" /proc/self/uid_map';

ranges('ranges: root inside is the caller, everybody else is subordinate', async () => {
  const lines = (await sh(map)).split('\n');
  assert.is(lines[0], `0 ${process.getuid?.()} 1`);
  assert.match(lines[1] ?? '', /^1 \d+ \d+$/);
});

test('single: one id, which is the caller', async () => {
  assert.is(await sh(map, '--userns', 'single'), `0 ${process.getuid?.()} 1`);
  assert.is(await sh('cat /proc/self/setgroups', '--userns', 'single'), 'deny');
});

test('single: package managers’ calls report success', async () => {
  const script = 'touch /f && chown 12:34 /f && mknod /n c 1 3; echo $?';
  assert.is(await sh(script, '--userns', 'single'), '0');
});

test('single without root emulation: the truth', async () => {
  const script = 'touch /f; chown 12:34 /f 2>/dev/null && echo ok || echo refused';
  assert.is(await sh(script, '--userns', 'single', '--root-emulation=false'), 'refused');
});

test('files made by root inside belong to the caller outside', async () => {
  const dir = join((await busybox()).home.dir, 'owned');
  mkdirSync(dir);
  await sh('touch /data/file', '-v', `${dir}:/data`);
  assert.is(statSync(join(dir, 'file')).uid, process.getuid?.());
});

ranges('files made by another user inside belong to a subordinate id outside', async () => {
  const dir = join((await busybox()).home.dir, 'sub');
  mkdirSync(dir);
  chmodSync(dir, 0o777);
  await sh('touch /data/file', '-u', '1000', '-v', `${dir}:/data`);
  const { uid } = statSync(join(dir, 'file'));
  assert.ok(uid >= 100_000, `${uid}`);
  await sh('rm /data/file', '-v', `${dir}:/data`);
});

keepId('keep-id: the caller keeps the own id, the image’s files stay root’s', async () => {
  const out = await sh(
    'id -u; stat -c %u /bin/busybox; touch /tmp/x && stat -c %u /tmp/x',
    '--userns',
    'keep-id',
  );
  assert.is(out, `${process.getuid?.()}\n0\n${process.getuid?.()}`);
});

noSubids('without subordinate ids: single mode, said in one line', async () => {
  const home = (await busybox()).home;
  const runtime = join(home.dir, 'run/another');
  const box = (await busybox()).with({ env: { TSBOX_RUNTIME_DIR: runtime } });
  const run = () => box('run', '--rm', '--network', 'none', 'busybox', 'id', '-u');
  const [first, second] = [await run(), await run()];
  assert.equal([first.code, first.stdout, first.singleModeWarned], [0, '0\n', true], first.stderr);
  assert.is(second.singleModeWarned, false, 'once per boot is enough');
  await box.fails(125, /subordinate|subuid/, 'run', '--rm', '--userns', 'ranges', 'busybox', 'true');
});

test('newuidmap missing, not executable, failing: one line that says which, then single mode', async () => {
  const box = await busybox();
  const dir = join(box.home.dir, 'fakebin');
  mkdirSync(dir);
  const fake = join(dir, 'newuidmap');
  writeFileSync(fake, '#!/bin/sh\necho "newuidmap: made to fail" >&2\nexit 1\n');
  chmodSync(fake, 0o755);
  const done = await box.with({ env: { PATH: `${dir}:${box.home.env.PATH}` } })(
    'run',
    '--rm',
    '--network',
    'none',
    'busybox',
    'cat',
    '/proc/self/uid_map',
  );
  assert.is(done.code, 0, done.stderr);
  assert.match(done.stdout, new RegExp(`^\\s*0\\s+${process.getuid?.()}\\s+1\\s*$`), done.stderr);
});

test('host is refused', async () => {
  await (await busybox()).fails(125, /host/, 'run', '--rm', '--userns', 'host', 'busybox', 'true');
});

test.run();
