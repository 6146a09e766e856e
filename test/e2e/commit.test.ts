import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Box } from '../support/cli.ts';
import { busybox, removeContainers } from '../support/ready.ts';
import { hasSubids, requires } from '../support/requires.ts';
import { archive, char, dir, file } from '../support/tar-bytes.ts';
import { listTar } from '../support/tar-list.ts';

const test = requires(suite('commit'), 'userns', 'busybox');
test.after.each(removeContainers);

/** A container that has run a script and ended. */
async function made(script: string, ...flags: string[]): Promise<Box> {
  const box = await busybox();
  await box.ok('run', '--name', 'made', '--network', 'none', ...flags, 'busybox', 'sh', '-c', script);
  return box;
}

const inspect = async (box: Box, image: string): Promise<Record<string, unknown>> =>
  (JSON.parse(await box.ok('image', 'inspect', image)) as Record<string, unknown>[])[0] ?? {};

const config = async (box: Box, image: string): Promise<Record<string, unknown>> =>
  (await inspect(box, image)).Config as Record<string, unknown>;

/** The archive of the newest layer. */
async function newestLayer(box: Box, image: string): Promise<Buffer> {
  const { RootFS } = await inspect(box, image);
  const digest = (RootFS as { Layers: string[] }).Layers.at(-1) ?? '';
  return readFileSync(join(box.home.store, 'images/blobs/sha256', digest.slice('sha256:'.length)));
}

test('an image that runs, with author, message and history', async () => {
  const box = await made('echo hello > /srv/x');
  const id = await box.ok('commit', '-a', 'Ada <ada@example.com>', '-m', 'a greeting', 'made', 'app:1');
  assert.match(id, /^sha256:[0-9a-f]{64}$/);
  assert.is(await box.ok('run', '--rm', '--network', 'none', 'app:1', 'cat', '/srv/x'), 'hello');
  const { Author, Comment, Id } = await inspect(box, 'app:1');
  assert.equal([Id, Author, Comment], [id, 'Ada <ada@example.com>', 'a greeting']);
});

test('the settings of the container are those of the image, and -c changes them', async () => {
  const flags = ['-e', 'A=1', '-w', '/srv', '-u', '0:0', '--label', 'k=v', '--expose', '80'];
  const box = await made('true', ...flags);
  await box.ok('commit', 'made', 'app:2');
  const plain = await config(box, 'app:2');
  assert.equal([plain.Cmd, plain.WorkingDir, plain.User], [['sh', '-c', 'true'], '/srv', '0:0']);
  assert.equal([plain.Labels, plain.ExposedPorts], [{ k: 'v' }, { '80/tcp': {} }]);
  const names = (plain.Env as string[]).map(entry => entry.split('=')[0]);
  assert.equal(names.sort(), ['A', 'PATH']);
  const changes = ['-c', 'CMD ["env"]', '--change', 'ENV B=2', '-c', 'USER root', '-c', 'EXPOSE 81'];
  await box.ok('commit', ...changes, 'made', 'app:3');
  assert.match(await box.ok('run', '--rm', '--network', 'none', 'app:3'), /^A=1\n(.*\n)*B=2/m);
  const { ExposedPorts } = await config(box, 'app:3');
  assert.equal(Object.keys(ExposedPorts as object).sort(), ['80/tcp', '81/tcp']);
});

test('without a name, and a second time onto the same name', async () => {
  const box = await made('echo 1 > /srv/x');
  const first = await box.ok('commit', 'made');
  assert.is(await box.ok('images', '-q', '--no-trunc', '--filter', 'dangling=true'), first);
  await box.ok('commit', '-m', 'one', 'made', 'again');
  const second = await box.ok('container', 'commit', '-m', 'two', 'made', 'again');
  assert.is(await box.ok('images', '-q', '--no-trunc', 'again'), second);
});

test('removals are in the archive by the names of the specification', async () => {
  const box = await made('rm /etc/os-release; rm -r /home; rm -r /usr; mkdir /usr; touch /usr/new');
  await box.ok('commit', 'made', 'removed');
  const names = listTar(await newestLayer(box, 'removed'));
  assert.equal(names, ['etc/', 'etc/.wh.os-release', '.wh.home', 'usr/', 'usr/.wh..wh..opq', 'usr/new']);
  const seen = await box.ok(
    'run',
    '--rm',
    '--network',
    'none',
    'removed',
    'sh',
    '-c',
    'ls /usr; ls -d /home 2>&1; true',
  );
  assert.match(seen, /^new\nls: \/home: No such/);
});

test('a running container stands still meanwhile, and goes on', async () => {
  const box = await busybox();
  const script = 'cd /srv; n=0; while true; do n=$((n+1)); for f in a b; do echo $n > t; mv t $f; done; done';
  await box.ok('run', '-d', '--name', 'made', '--network', 'none', 'busybox', 'sh', '-c', script);
  await box.ok('exec', 'made', 'sh', '-c', 'until [ -e /srv/b ]; do :; done');
  await box.ok('commit', 'made', 'still');
  assert.is(await box.ok('inspect', '--format', '{{.State.Status}}', 'made'), 'running');
  const before = await box.ok('exec', 'made', 'cat', '/srv/a');
  await box.ok('exec', 'made', 'sh', '-c', `while [ "$(cat /srv/a)" = "${before}" ]; do :; done`);
  const read = [
    'run',
    '--rm',
    '--network',
    'none',
    'still',
    'sh',
    '-c',
    'echo $(($(cat /srv/a) - $(cat /srv/b)))',
  ];
  assert.match(await box.ok(...read), /^[01]$/);
  await box.ok('commit', '--pause=false', 'made', 'moving');
});

test('a file that no layer can hold is named, and nothing is left', async () => {
  const box = await made('touch /srv/.wh.x');
  const before = await box.ok('images', '-aq');
  await box.fails(125, /"srv\/\.wh\.x" cannot be kept in a layer/, 'commit', 'made', 'bad');
  assert.is(await box.ok('images', '-aq'), before);
});

test('mounts are not part of it', async () => {
  const box = await made(
    'echo 1 > /srv/x; echo 1 > /var/log/x; echo 1 > /here',
    '-v',
    'data:/srv',
    '--tmpfs',
    '/var/log',
  );
  await box.ok('commit', 'made', 'mounts');
  const names = listTar(await newestLayer(box, 'mounts'));
  assert.equal(names, ['here']);
});

test('bad input', async () => {
  const box = await made('true');
  await box.fails(1, /no such container: nobody/i, 'commit', 'nobody');
  await box.fails(125, /UPPER/, 'commit', 'made', 'UPPER');
  await box.fails(125, /RUN make/, 'commit', '-c', 'RUN make', 'made');
});

test('owners that this machine cannot hold come back out of a commit', async () => {
  const box = await busybox();
  const high = hasSubids() ? 4_000_000_000 : 33;
  const input = archive(
    dir('d/', { uid: high, gid: 44, mode: 0o2750 }),
    file('d/kept', '', { uid: high, gid: 44, mode: 0o4755 }),
    file('d/changed', '', { uid: high, gid: 44, mode: 0o640 }),
    char('d/null', 1, 3, { gid: high }),
  );
  await box.with({ input }).ok('import', '-', 'owners');
  const run = [
    'run',
    '--name',
    'made',
    '--network',
    'none',
    '-v',
    '/bin/busybox:/busybox:ro',
    'owners',
    '/busybox',
    'sh',
    '-c',
  ];
  await box.ok(...run, '/busybox chmod 604 /d/changed; /busybox mv /d/kept /d/moved');
  await box.ok('commit', 'made', 'owners:2');
  const lines = listTar(await newestLayer(box, 'owners:2'), '-v', '--numeric-owner');
  const told = lines
    .map(line => line.replace(/ +\d+ \d{4}-\d\d-\d\d .*? /, ' '))
    .filter(line => line.includes(' d/'));
  assert.equal(told, [
    `drwxr-s--- ${high}/44 d/`,
    `-rw----r-- ${high}/44 d/changed`,
    '-rw------- 0/0 d/.wh.kept',
    `-rwsr-xr-x ${high}/44 d/moved`,
  ]);
});

test.run();
