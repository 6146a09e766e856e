import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { TSBOX } from '../support/cli.ts';
import { container, hostDirectory } from '../support/copy-scene.ts';
import { openPty } from '../support/pty.ts';
import { busybox, removeContainers } from '../support/ready.ts';
import { missingNeed, requires } from '../support/requires.ts';
import { listTar, tarBytes } from '../support/tar-list.ts';

const test = requires(suite('export'), 'userns', 'busybox');
test.after.each(removeContainers);

const SCRIPT =
  'echo new > /etc/new; rm -r /home; echo v > /vol/v; mkdir /tmp/d; ln /etc/new /tmp/d/other; chmod 4755 /etc/new';

for (const state of ['running', 'exited'] as const) {
  test(`the root file system without what is mounted in it, ${state}`, async () => {
    const { box, id } = await container(state, SCRIPT, '-v', 'vol:/vol');
    const names = listTar(await tarBytes(box, 'export', id));
    for (const name of ['etc/new', 'etc/passwd', 'bin/busybox', 'tmp/d/other', 'vol/', 'proc/', 'dev/'])
      assert.ok(names.includes(name), name);
    for (const gone of [/^home\//, /^vol\/./, /^proc\/./, /^sys\/./, /\.wh\./])
      assert.not(
        names.some(name => gone.test(name)),
        String(gone),
      );
  });
}

test('imported again it runs, with owners and modes', async () => {
  const dir = await hostDirectory();
  const hasIds = missingNeed('subid') === undefined;
  const owner = hasIds ? 'chown 3:4 /etc/new;' : '';
  const { box, id } = await container('exited', `echo new > /etc/new; ${owner} chmod 4750 /etc/new`);
  const file = join(dir, 'root.tar');
  assert.is(await box.ok('export', '-o', file, id), '');
  await box.ok('import', file, 'again:1');
  const line = await box.ok(
    'run',
    '--rm',
    '--network',
    'none',
    'again:1',
    'stat',
    '-c',
    '%u:%g %a',
    '/etc/new',
  );
  // With one id alone an import records the setuid bit instead of setting it.
  assert.is(line, hasIds ? '3:4 4750' : '0:0 750');
});

test('a container that never ran, and a read-only one', async () => {
  const { box, id } = await container('created', 'true', '--read-only');
  assert.ok(listTar(await tarBytes(box, 'export', id)).includes('bin/busybox'));
});

test('a file gets its name when it is whole', async () => {
  const dir = await hostDirectory();
  const box = await busybox();
  const file = join(dir, 'root.tar');
  writeFileSync(file, 'before');
  await box.fails(1, /no such container/, 'export', '-o', file, 'nobody');
  assert.is(readFileSync(file, 'utf8'), 'before');
  await box.fails(
    125,
    /cannot write/,
    'export',
    '-o',
    join(dir, 'no/where'),
    (await container('created')).id,
  );
  assert.not(existsSync(join(dir, 'no')));
});

const onTerminal = requires(suite('export to a terminal'), 'userns', 'busybox', 'script');
onTerminal.after.each(removeContainers);

onTerminal('a terminal is no place for an archive', async () => {
  const { box, id } = await container('created');
  for (const line of [
    ['export', id],
    ['cp', `${id}:/etc`, '-'],
  ]) {
    const pty = await openPty([TSBOX, ...line], box.home);
    await pty.expect(/stdout is a terminal, no place for an archive/);
    assert.is.not(await pty.end(), 0);
  }
});

test.run();
onTerminal.run();
