import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { busybox, removeContainers } from '../support/ready.ts';
import { missingNeed, type Need, requires } from '../support/requires.ts';

const test = requires(suite('diff'), 'userns', 'busybox');
test.after.each(removeContainers);

const DRIVERS: Readonly<Record<string, readonly Need[]>> = {
  overlay: ['overlay'],
  'fuse-overlayfs': ['fuse', 'fuse-overlayfs'],
  vfs: [],
};

/** Lines of `diff` after a script has run in a container. */
async function changes(script: string, ...flags: string[]): Promise<string[]> {
  const box = await busybox();
  await box.ok('run', '--name', 'made', '--network', 'none', ...flags, 'busybox', 'sh', '-c', script);
  const text = await box.ok('diff', 'made');
  return text === '' ? [] : text.split('\n');
}

for (const [driver, needs] of Object.entries(DRIVERS)) {
  const here = requires(test, ...needs);
  const on = ['--storage-driver', driver];

  here(`${driver}: nothing changed, nothing shown, not even what is mounted`, async () => {
    assert.equal(await changes('true', ...on), []);
  });

  here(`${driver}: added, changed, deleted, sorted, with their directories`, async () => {
    const script =
      'mkdir -p /srv/d/e; echo 1 > /srv/d/f; rm /etc/os-release; echo x >> /etc/group; chmod 700 /home';
    assert.equal(await changes(script, ...on), [
      'C /etc',
      'C /etc/group',
      'D /etc/os-release',
      'C /home',
      'C /srv',
      'A /srv/d',
      'A /srv/d/e',
      'A /srv/d/f',
    ]);
  });

  here(`${driver}: a directory that went is one line; one that came back shows what is missing`, async () => {
    assert.equal(await changes('rm -r /home; rm -r /usr; mkdir /usr /usr/bin', ...on), [
      'D /home',
      'C /usr',
      'C /usr/bin',
      'D /usr/bin/env',
      'D /usr/sbin',
    ]);
  });

  here(`${driver}: files become directories and directories files`, async () => {
    const script = 'rm /etc/group; mkdir /etc/group; touch /etc/group/in; rm -r /home; echo > /home';
    assert.equal(await changes(script, ...on), ['C /etc', 'C /etc/group', 'A /etc/group/in', 'C /home']);
  });

  here(`${driver}: touching a directory is no change of it`, async () => {
    assert.equal(await changes('touch /srv; touch /srv/x; rm /srv/x', ...on), []);
  });
}

test('a running container, and one that never ran', async () => {
  const box = await busybox();
  await box.ok('create', '--name', 'new', 'busybox', 'true');
  assert.is(await box.ok('diff', 'new'), '');
  await box.ok(
    'run',
    '-d',
    '--name',
    'made',
    '--network',
    'none',
    'busybox',
    'sh',
    '-c',
    'touch /srv/x; sleep 1000',
  );
  await box.ok('exec', 'made', 'touch', '/srv/y');
  assert.equal((await box.ok('container', 'diff', 'made')).split('\n'), ['C /srv', 'A /srv/x', 'A /srv/y']);
});

test('a volume and a tmpfs are not the container’s files', async () => {
  const flags = ['-v', 'data:/srv', '--tmpfs', '/var/log'];
  assert.equal(await changes('touch /srv/x /var/log/y', ...flags), []);
});

requires(
  test,
  'fuse',
  'fuse-overlayfs',
)('host: what a command would have done to this machine', async () => {
  if (missingNeed('fuse')) return;
  const box = await busybox();
  const script = 'echo 1 > /etc/tsbox-new; rm /etc/hostname 2>/dev/null; chmod 711 /usr/share/doc';
  await box.ok('run', '--name', 'made', '--network', 'none', 'host', 'sh', '-c', script);
  const lines = (await box.ok('diff', 'made')).split('\n');
  assert.equal(
    lines.filter(line => !line.includes('hostname')),
    ['C /etc', 'A /etc/tsbox-new', 'C /usr', 'C /usr/share', 'C /usr/share/doc'],
  );
});

test('a container that is not there', async () => {
  await (await busybox()).fails(1, /no such container: nobody/i, 'diff', 'nobody');
});

test('names are shown as terminals can take them', async () => {
  const [, line = ''] = await changes(`touch "$(printf '/srv/\\033[31mred')"`);
  assert.ok(line.includes('red') && !line.includes('\u001b'), line);
});

test.run();
