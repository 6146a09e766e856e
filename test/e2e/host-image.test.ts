import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { openBox } from '../support/cli.ts';
import { requires } from '../support/requires.ts';
import { tempHome } from '../support/temp-home.ts';

/** `tsbox run host`: a copy-on-write view of this machine. */
const test = requires(suite('run host'), 'userns', 'fuse', 'fuse-overlayfs');
const box = openBox(tempHome());
const RUN = ['run', '--rm', '--network', 'none'];

test('the line of the README', async () => {
  const out = await box.ok(
    'run',
    '--rm',
    '--network',
    'none',
    'host',
    'sh',
    '-c',
    'echo hello from $(hostname), uid $(id -u)',
  );
  assert.match(out, /^hello from [0-9a-f]{12}, uid 0$/);
  assert.not.match(out, hostname());
});

test('the machine’s programs and files, owned by root', async () => {
  const out = await box.ok(
    ...RUN,
    'host',
    'sh',
    '-c',
    'cat /etc/os-release; stat -c %u:%g /etc/passwd /usr/bin/env',
  );
  assert.is(out, `${readFileSync('/etc/os-release', 'utf8').trim()}\n0:0\n0:0`);
});

test('writing changes the view, never the machine', async () => {
  const mark = `/opt/tsbox-test-${process.pid}`;
  const out = await box.ok(
    ...RUN,
    'host',
    'sh',
    '-c',
    `mkdir -p ${mark} && echo x > ${mark}/file && rm /etc/os-release; cat ${mark}/file; ls /etc/os-release 2>&1 || true`,
  );
  assert.match(out, /^x\n.*No such file/);
  assert.equal([existsSync(mark), existsSync('/etc/os-release')], [false, true]);
});

test('what one start wrote is there at the next', async () => {
  const id = await box.ok(
    'create',
    '--network',
    'none',
    'host',
    'sh',
    '-c',
    'cat /srv/kept 2>/dev/null || echo first > /srv/kept',
  );
  await box.ok('start', '-a', id);
  assert.is(await box.ok('start', '-a', id), 'first');
  await box.ok('rm', id);
  assert.not(existsSync('/srv/kept'));
});

test('home, /tmp, /run and the store stay outside', async () => {
  const secret = join(box.home.dir, 'secret');
  writeFileSync(secret, 'secret');
  const script = `cat ${secret}; ls -A ${box.home.dir} /tmp /run ${box.home.store} 2>/dev/null | grep -v '^[0-9a-z/._-]*:$' | grep -v '^$'; true`;
  const done = await box(...RUN, 'host', 'sh', '-c', script);
  assert.not.match(done.stdout, /secret|layers|containers/);
});

test('-v brings a directory of the home in', async () => {
  const dir = join(box.home.dir, 'work');
  mkdirSync(dir);
  writeFileSync(join(dir, 'in'), 'in');
  const out = await box.ok(
    ...RUN,
    '-v',
    `${dir}:${dir}`,
    '-w',
    dir,
    'host',
    'sh',
    '-c',
    'cat in; echo out > out',
  );
  assert.equal([out, readFileSync(join(dir, 'out'), 'utf8')], ['in', 'out\n']);
});

test('files that the user may not read on the machine stay unreadable', async () => {
  if (process.getuid?.() === 0) return;
  const done = await box(...RUN, 'host', 'cat', '/etc/shadow');
  assert.ok(done.code !== 0 && done.stdout === '', done.stdout.slice(0, 100));
});

test('its pid namespace shows only its own processes', async () => {
  const count = Number(await box.ok(...RUN, 'host', 'sh', '-c', 'ls -d /proc/[0-9]* | wc -l'));
  assert.ok(count >= 1 && count <= 5, `${count} processes`);
});

test('commit keeps what it changed, and nothing of the machine; run of that says so', async () => {
  const script = 'echo hi > /root/f && mkdir /opt/tsbox-kept && echo kept > /opt/tsbox-kept/f';
  await box.ok('run', '--name', 'changer', '--network', 'none', 'host', 'sh', '-c', script);
  const done = await box('commit', 'changer', 'changes');
  assert.is(done.code, 0, done.stderr);
  assert.match(done.stderr, /^the image has what changer changed, and nothing of this machine/);
  assert.is((await box('commit', '-q', 'changer', 'changes')).stderr, '');
  assert.not(existsSync('/opt/tsbox-kept'));
  await box.fails(
    127,
    /exec sh: not found in the container: the image has only what a container of host changed\n.*COPY --from=changes/s,
    ...[...RUN, 'changes', 'sh', '-c', 'cat /root/f'],
  );
  await box.ok('create', '--name', 'kept', ...RUN.slice(2), 'changes', 'true');
  const out = join(box.home.dir, 'out');
  await box.ok('cp', 'kept:/', out);
  assert.is(readFileSync(join(out, 'root/f'), 'utf8'), 'hi\n');
  assert.is(readFileSync(join(out, 'opt/tsbox-kept/f'), 'utf8'), 'kept\n');
  assert.not(existsSync(join(out, 'usr/bin')), 'nothing of the machine');
  await box.ok('rm', 'changer', 'kept');
  await box.ok('rmi', 'changes');
});

test.run();
