// run as: root
import { spawnSync } from 'node:child_process';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { openBox } from '../support/cli.ts';
import { busybox, sh } from '../support/ready.ts';
import { requires } from '../support/requires.ts';

/** tsbox started by root: never the host's own root unmapped. */
const test = requires(suite('as root'), 'root', 'userns', 'busybox');

test('root inside is not root outside', async () => {
  const [inside = '', outside = ''] = (await sh('cat /proc/self/uid_map')).trim().split(/\s+/);
  assert.is(inside, '0');
  assert.ok(Number(outside) > 0, `0 is mapped to ${outside}`);
});

test('a container runs, its files are kept, root of the host is out of reach', async () => {
  assert.is(
    await sh(
      'id -u; cat /etc/shadow 2>/dev/null | head -1; echo x > /proc/sys/kernel/core_pattern 2>/dev/null || echo refused',
    ),
    '0\nrefused',
  );
});

test('doctor and info answer', async () => {
  const box = await busybox();
  assert.match(await box.ok('info'), /Root Dir/);
  assert.ok((await box('doctor')).stdout.length > 100);
});

test('nothing setuid in the store can be used by others', async () => {
  const box = openBox((await busybox()).home);
  const mode = spawnSync('stat', ['-c', '%a', box.home.store], { encoding: 'utf8' }).stdout.trim();
  assert.is(mode, '700');
});

test.run();
