import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import * as assert from 'uvu/assert';
import { TSBOX } from '../support/cli.ts';
import { escapeSuite } from '../support/escape.ts';
import { busyboxImage, dockerArchive } from '../support/images.ts';
import { hasSubids } from '../support/requires.ts';
import { archive, file } from '../support/tar-bytes.ts';

/** Other users of the machine enter the store and use a set-uid program of an image, or read what is in it (docker, containerd, umoci). */
const test = escapeSuite(['CVE-2021-41091', 'CVE-2021-41103', 'world-readable store'], { drivers: 'each' });

test('whatever the umask and the parents are, the store lets nobody in', async ({
  box,
  dir,
  image,
  start,
  exec,
}) => {
  const layer = archive(file('bin/su-image', 'x', { mode: 0o6755 }));
  const id = await start(await image(layer), 'sleep', '1000');
  await exec(id, 'cp /bin/busybox /bin/su-own; chmod 6755 /bin/su-own');
  for (const path of [box.home.store, join(box.home.dir, 'run/tsbox')])
    assert.is(statSync(path).mode & 0o077, 0, path);
  const open = join(dir, 'open');
  mkdirSync(open);
  chmodSync(open, 0o777);
  const umask = spawnSync(
    'sh',
    [
      '-c',
      `umask 0; exec "$@"`,
      'sh',
      TSBOX,
      '--root',
      join(open, 'store'),
      '--runtime-dir',
      join(open, 'run'),
      'ps',
    ],
    { env: { ...box.home.env }, encoding: 'utf8' },
  );
  assert.is(umask.status, 0, umask.stderr);
  for (const name of ['store', 'run']) assert.is(statSync(join(open, name)).mode & 0o777, 0o700, name);
});

/** `sh -c` as another user of the machine: a subordinate id of the caller's, which is mapped nowhere else. */
function asAnother(script: string): string {
  const become = [
    'setpriv',
    '--reuid=7',
    '--regid=7',
    '--clear-groups',
    'sh',
    '-c',
    `exec 2>&1; ${script}; true`,
  ];
  const done = spawnSync('unshare', ['--map-root-user', '--map-auto', ...become], { encoding: 'utf8' });
  assert.is(done.status, 0, done.stderr);
  return done.stdout;
}

test.once('a set-uid program of an image, below directories that everybody may enter', async ({ box }) => {
  const open = mkdtempSync('/var/tmp/tsbox-open-');
  try {
    chmodSync(open, 0o777);
    const own = ['--root', join(open, 'store'), '--runtime-dir', join(open, 'run')];
    const base = busyboxImage();
    const layer = archive(file('bin/su-image', '#!/bin/sh\necho executed\n', { mode: 0o6755 }));
    const path = dockerArchive({ ...base, layers: [layer] }, 'su:latest', join(open, 'su.tar'));
    await box.ok(...own, 'load', '-i', path);
    const find = ['-name', 'su-image', '-printf', '%m %p\n'];
    const [, mode = '', program = ''] =
      /^(\d+) (.*)$/m.exec(spawnSync('find', [join(open, 'store'), ...find], { encoding: 'utf8' }).stdout) ??
      [];
    if (!hasSubids()) assert.is(mode, '755', 'where every file is the caller’s, none has the bits');
    else {
      assert.is(mode, '6755');
      const look = `cat ${path} | wc -c; ls ${open}/store; ${program}; cat ${program}`;
      const seen = asAnother(look);
      assert.match(seen, /^[1-9]\d{3,}\n/, 'the way to it is open');
      assert.not.match(seen, /executed/);
      assert.is(seen.match(/Permission denied/g)?.length, 3, seen);
      for (let at = dirname(program); at.startsWith(join(open, 'store')); at = dirname(at))
        chmodSync(at, 0o755);
      assert.match(asAnother(program), /executed/, 'nothing else is in the way');
    }
    await box.ok(...own, 'rmi', 'su:latest');
  } finally {
    rmSync(open, { recursive: true, force: true });
  }
});

test.run();
