// run as: ranges

import { mkdtempSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { makeCanary } from '../support/canary.ts';
import { busyboxImage, dockerArchive } from '../support/images.ts';
import { busybox, removeContainers } from '../support/ready.ts';
import { requires } from '../support/requires.ts';
import { archive, fifo, file, symlink } from '../support/tar-bytes.ts';
import { within } from '../support/within.ts';

/** Images that put a FIFO where a file is read, or a path of the host where one of theirs belongs. */
const test = requires(suite('security: files and settings of images'), 'userns', 'busybox');
test.after.each(removeContainers);

let count = 0;

/** Loads busybox with this layer on top and these settings. */
async function hostile(layer: Buffer, config: object = {}) {
  const box = await busybox();
  const base = busyboxImage();
  const name = `odd-${++count}`;
  const image = { layers: [...base.layers, layer], config: { ...base.config, ...config } };
  await box.ok('load', '-i', dockerArchive(image, `${name}:1`, join(box.home.dir, `${name}.tar`)));
  const run = (...args: string[]) =>
    within(30_000, box('run', '--rm', '--network', 'none', ...args), `run ${args.join(' ')}`);
  return { box, name: `${name}:1`, run };
}

test('a FIFO in the place of /etc/passwd and /etc/group: nothing waits for it', async () => {
  const { run, name } = await hostile(archive(fifo('etc/passwd'), fifo('etc/group')));
  const named = await run('-u', 'app', name, 'true');
  assert.is(named.code, 125, named.stderr);
  assert.match(named.stderr, /\/etc\/(passwd|group) of the image cannot be used/);
  for (const user of ['0', '1000:1000']) {
    const done = await run('-u', user, name, 'true');
    assert.ok(done.code === 0 || /cannot be used/.test(done.stderr), done.stderr);
  }
});

test('a FIFO or a link in the place of files that tsbox writes', async () => {
  const { home } = await busybox();
  const canary = makeCanary(mkdtempSync(join(home.dir, 'files-')));
  const names = ['etc/hosts', 'etc/hostname', 'etc/resolv.conf'];
  for (const layer of [
    archive(...names.map(name => fifo(name))),
    archive(...names.map(name => symlink(name, join(canary.dir, 'file')))),
    archive(...names.map(name => symlink(name, `../../../../../../../../..${canary.dir}/file`))),
  ]) {
    const { run, name } = await hostile(layer);
    const done = await run('--add-host', 'a:10.0.0.1', name, 'true');
    assert.ok(done.code === 0 || done.code === 125, done.stderr);
    canary.assertUntouched();
  }
});

test('a FIFO as the command, and one that copy-up meets', async () => {
  const { run, name, box } = await hostile(
    archive(fifo('bin/wait', { mode: 0o755 }), fifo('srv/pipe'), file('srv/x', 'y')),
  );
  const done = await run(name, '/bin/wait');
  assert.is(done.code, 126, done.stderr);
  const copied = await run('-v', 'odd:/srv', name, 'sh', '-c', 'test -p /srv/pipe && cat /srv/x');
  assert.is(copied.stdout, 'y', copied.stderr);
  await box.ok('volume', 'rm', 'odd').catch(() => {});
});

test('volumes and working directories of an image that climb out end in the container', async () => {
  const { home } = await busybox();
  const parent = mkdtempSync(join(home.dir, 'climb-'));
  const canary = makeCanary(parent);
  const up = '../'.repeat(12);
  for (const target of [`/${up}${canary.dir}/new`, `${canary.dir}/new`, '/out/new']) {
    const config = { Volumes: { [target]: {} }, WorkingDir: target };
    const { run, name } = await hostile(archive(symlink('out', canary.dir)), config);
    const done = await run(name, 'pwd');
    assert.ok(done.code === 0 || done.code === 125, done.stderr);
    canary.assertUntouched();
    assert.equal(readdirSync(parent), ['canary']);
  }
});

test('settings with newlines, equals signs and terminal escapes stay what they are', async () => {
  const ugly = 'a\nb=c\x1b]0;owned\x07';
  const { run, name, box } = await hostile(archive(file('x')), {
    Env: [`UGLY=${ugly}`, 'PATH=/bin', '=x', 'NONE'],
    Labels: { [ugly]: ugly },
    Cmd: ['sh', '-c', 'printf %s "$UGLY"'],
  });
  const done = await run(name);
  assert.is(done.stdout, ugly, done.stderr);
  for (const words of [['inspect', name], ['history', name], ['images'], ['images', '--format', 'json']]) {
    const { stdout } = await box(...words);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what must not be there
    assert.not.match(stdout, /[\x00-\x08\x0b-\x1f\x7f]/, words.join(' '));
  }
});

test.run();
