import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { TSBOX } from '../support/cli.ts';
import { escapeSuite } from '../support/escape.ts';
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
  // The tree is there, and what root inside made set-uid is: the door is what keeps others out.
  const find = spawnSync('find', [box.home.store, '-perm', '/6000', '-name', 'su-*'], { encoding: 'utf8' });
  for (const path of find.stdout.split('\n').filter(Boolean)) assert.ok(path.startsWith(box.home.store));
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

test.run();
