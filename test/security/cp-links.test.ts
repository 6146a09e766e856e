import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { container, hostDirectory } from '../support/copy-scene.ts';
import { removeContainers } from '../support/ready.ts';
import { requires } from '../support/requires.ts';
import { tarBytes } from '../support/tar-list.ts';

/**
 * Links of a container lead to files of the container, never to those of the host (CVE-2018-15664, CVE-2019-10152,
 * CVE-2019-18466): still ones, and ones that are exchanged for directories while tsbox copies.
 */
const test = requires(suite('cp and links'), 'userns', 'busybox');
test.after.each(removeContainers);

const SECRET = 'of the host alone';

/** A directory of the host with a secret, and the container's own under the same name. */
async function scene(script: string) {
  const dir = await hostDirectory();
  writeFileSync(join(dir, 'secret'), SECRET);
  const made = await container(
    'running',
    `mkdir -p ${dir}; echo inside > ${dir}/secret; ${script.replaceAll('HOST', dir)}`,
  );
  return { ...made, dir };
}

/** Nothing came to the host's directory, and nothing in it changed. */
function assertUntouched(dir: string, ...more: string[]): void {
  assert.equal(readdirSync(dir).sort(), ['secret', ...more].sort());
  assert.is(readFileSync(join(dir, 'secret'), 'utf8'), SECRET);
}

test('absolute, relative and chained links end in the container', async () => {
  const links =
    'ln -s HOST /abs; ln -s ../../../../../../..HOST /rel; ln -s /abs/secret /two; ln -s /two /three';
  const { box, id, sh, dir } = await scene(links);
  const out = await hostDirectory();
  for (const path of ['/abs/secret', '/rel/secret', `/../../..${dir}/secret`]) {
    await box.ok('cp', `${id}:${path}`, join(out, 'got'));
    assert.is(readFileSync(join(out, 'got'), 'utf8'), 'inside\n', path);
  }
  await box.ok('cp', '-L', `${id}:/three`, join(out, 'got'));
  assert.is(readFileSync(join(out, 'got'), 'utf8'), 'inside\n');
  writeFileSync(join(out, 'f'), 'new');
  await box.ok('cp', join(out, 'f'), `${id}:/abs/new`);
  await box.ok('cp', join(out, 'f'), `${id}:/three`);
  assertUntouched(dir);
  assert.is(await sh(`cat ${dir}/new ${dir}/secret`), 'newnew');
});

test('a tree full of links comes out as links; nothing is written through them', async () => {
  const { box, id, dir } = await scene(
    'mkdir -p /t/d; ln -s HOST /t/out; ln -s HOST/secret /t/file; echo x > /t/d/x',
  );
  const out = await hostDirectory();
  await box.ok('cp', `${id}:/t`, out);
  assert.is(readlinkSync(join(out, 't/out')), dir);
  // The same again, now that the links are there; then with a directory where a link was.
  await box.ok('cp', `${id}:/t`, out);
  await box.ok('exec', id, 'sh', '-c', 'rm /t/out; mkdir /t/out; echo evil > /t/out/secret');
  await box.fails(1, /cannot overwrite non-directory "out" with directory/, 'cp', `${id}:/t`, out);
  assertUntouched(dir);
});

test('/proc of the container shows no way out', async () => {
  const { box, id, dir } = await scene('true');
  const out = await hostDirectory();
  for (const path of [
    `/proc/self/root${dir}/secret`,
    `/proc/self/cwd${dir}/secret`,
    '/proc/self/fd/0',
    '/proc/thread-self/root',
  ]) {
    const done = await box('cp', '-L', `${id}:${path}`, join(out, 'got'));
    assert.is.not(done.code, 0, path);
  }
  await box.ok('cp', `${id}:/proc/1/root${dir}/secret`, join(out, 'got'));
  assert.is(readFileSync(join(out, 'got'), 'utf8'), 'inside\n');
  assertUntouched(dir);
});

/** Exchanges /x between a directory and a link to the host's directory as fast as it can. */
const SWAP =
  'mkdir /x /y; echo inside > /x/secret; while :; do mv /x /d; ln -s HOST /x; rm /x; mv /d /x; done &';
const ROUNDS = process.env.TSBOX_TEST_LONG ? 60 : 4;

test('a link that is exchanged while it copies out', async () => {
  const { box, id, dir } = await scene(SWAP);
  const out = await hostDirectory();
  for (let i = 0; i < ROUNDS; i++) {
    await box('cp', `${id}:/x/secret`, join(out, `f${i}`));
    await box('cp', '-L', `${id}:/x`, join(out, `d${i}`));
  }
  // What was a link in that moment may come out as one, never as what it leads to on the host.
  for (const name of readdirSync(out)) {
    const there = lstatSync(join(out, name));
    const file = there.isDirectory() ? join(out, name, 'secret') : join(out, name);
    if (!there.isSymbolicLink() && existsSync(file)) assert.is(readFileSync(file, 'utf8'), 'inside\n', name);
  }
  assertUntouched(dir);
});

test('a link that is exchanged while it copies in', async () => {
  const { box, id, dir } = await scene(SWAP);
  const from = await hostDirectory();
  mkdirSync(join(from, 'tree/a/b'), { recursive: true });
  for (let i = 0; i < 50; i++) writeFileSync(join(from, `tree/a/b/${i}`), 'evil');
  writeFileSync(join(from, 'secret'), 'evil');
  for (let i = 0; i < ROUNDS; i++) {
    await box('cp', join(from, 'secret'), `${id}:/x/secret`);
    await box('cp', `${from}/tree/.`, `${id}:/x`);
  }
  assertUntouched(dir);
});

test('a directory of the host that the container has mounted and exchanges', async () => {
  const shared = await hostDirectory();
  const secret = await hostDirectory();
  writeFileSync(join(secret, 'f'), SECRET);
  mkdirSync(join(shared, 'to/sub'), { recursive: true });
  writeFileSync(join(shared, 'to/sub/f'), 'public');
  const swap = `cd /m/to; mkdir -p /t/sub; echo evil > /t/sub/f; while :; do mv sub d; ln -s ${secret} sub; rm sub; mv d sub; done &`;
  const { box, id } = await container('running', swap, '-v', `${shared}:/m`);
  for (let i = 0; i < ROUNDS; i++) {
    await box('cp', `${id}:/t/.`, join(shared, 'to'));
    const read = box.start('cp', join(shared, 'to'), `${id}:/got${i}`);
    await new Promise(resolve => read.once('close', resolve));
  }
  assert.is(readFileSync(join(secret, 'f'), 'utf8'), SECRET, 'nothing was written through the link');
  assert.equal(readdirSync(secret), ['f']);
  const got = await box.ok('exec', id, 'sh', '-c', 'cat /got*/sub/f 2>/dev/null; true');
  assert.not.match(got, SECRET, 'nothing was read through the link');
});

test('nothing of the container is executed or loaded, whatever it is called', async () => {
  const { box, id } = await container(
    'running',
    `printf '#!/bin/sh\\necho run >> /canary\\n' > /c; chmod 755 /c
     mkdir -p /lib/x86_64-linux-gnu /lib64 /usr/lib /usr/bin /etc/ssl
     for f in tar gzip unpigz xz zstd node sh2; do cp /c /usr/bin/$f; done
     for f in libnss_files.so.2 libnss_compat.so.2 libc.so.6 libm.so.6; do echo no > /lib/x86_64-linux-gnu/$f; echo no > /usr/lib/$f; done
     echo /c > /etc/ld.so.preload; echo 'hosts: files evil' > /etc/nsswitch.conf; mkfifo /etc/localtime /etc/ssl/openssl.cnf`,
    '-e',
    'LD_PRELOAD=/c',
    '-e',
    'NODE_OPTIONS=--require /c',
    '-e',
    'PATH=/usr/bin:/bin',
  );
  const out = await hostDirectory();
  writeFileSync(join(out, 'a.tar.gz'), 'x');
  await box.ok('cp', join(out, 'a.tar.gz'), `${id}:/`);
  await box.ok('cp', '-a', `${id}:/a.tar.gz`, join(out, 'b'));
  const archive = await tarBytes(box, 'export', id);
  assert.ok(archive.length > 0);
  await box.fails(1, /could not find/, 'cp', `${id}:/canary`, out);
  assert.not(existsSync(join(out, 'canary')));
});

test.run();
