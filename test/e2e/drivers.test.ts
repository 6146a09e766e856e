import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { busyboxImage, dockerArchive, layerWith } from '../support/images.ts';
import { busybox } from '../support/ready.ts';
import { missingNeed, type Need, requires } from '../support/requires.ts';

/** The same behaviour on every storage driver, and `auto` takes the best that works. */
const NEEDS: Record<string, Need[]> = {
  overlay: ['overlay'],
  'fuse-overlayfs': ['fuse', 'fuse-overlayfs'],
  vfs: [],
};

for (const [driver, needs] of Object.entries(NEEDS)) {
  const test = requires(suite(`--storage-driver ${driver}`), 'userns', 'busybox', ...needs);
  const run = async (image: string, script: string): Promise<string> =>
    (await busybox()).ok(
      'run',
      '--rm',
      '--network',
      'none',
      '--storage-driver',
      driver,
      image,
      'sh',
      '-c',
      script,
    );

  test('reads, writes, removes, replaces', async () => {
    const script = `
      cat /etc/os-release | head -1
      echo new > /etc/new && rm /etc/os-release && rm -r /home && mkdir /home && ls -A /home
      mv /etc/passwd /etc/moved && ln -s moved /etc/passwd && chmod 4711 /etc/moved
      ls /etc/os-release 2>&1 | grep -c "No such"; stat -c "%a %u" /etc/moved; tail -1 /etc/passwd`;
    assert.is(await run('busybox', script), 'ID=tsbox-test\n1\n4711 0\napp:x:1000:1000::/home/app:/bin/sh');
    assert.is(
      await run('busybox', 'ls /etc/os-release /etc/passwd; ls -A /home'),
      '/etc/os-release\n/etc/passwd\napp',
    );
  });

  test('whiteouts and opaque directories of layers', async () => {
    const box = await busybox();
    const base = busyboxImage();
    const top = layerWith({ 'etc/.wh.os-release': '', 'var/.wh..wh..opq': '', 'var/only': 'top' });
    const image = { ...base, layers: [...base.layers, layerWith({ 'var/lower': 'x' }), top] };
    await box.ok('load', '-i', dockerArchive(image, 'whiteouts:latest', join(box.home.dir, 'whiteouts.tar')));
    assert.is(await run('whiteouts', 'ls /etc/os-release 2>/dev/null; ls -A /var'), 'only');
  });

  test('forty layers', async () => {
    const box = await busybox();
    const base = busyboxImage();
    const more = Array.from({ length: 40 }, (_, i) =>
      layerWith({ 'srv/count': `${i}`, [`srv/f${i}`]: `${i}` }),
    );
    await box.ok(
      'load',
      '-i',
      dockerArchive(
        { ...base, layers: [...base.layers, ...more] },
        'many:latest',
        join(box.home.dir, 'many.tar'),
      ),
    );
    assert.is(await run('many', 'cat /srv/count; ls /srv | wc -l'), '3941');
  });

  test('a stopped container keeps what it wrote', async () => {
    const box = await busybox();
    const id = await box.ok(
      'create',
      '--network',
      'none',
      '--storage-driver',
      driver,
      'busybox',
      'sh',
      '-c',
      'echo line >> /log; wc -l < /log',
    );
    assert.is(await box.ok('start', '-a', id), '1');
    assert.is(await box.ok('start', '-a', id), '2');
    assert.is(await box.ok('inspect', '-f', '{{.GraphDriver.Name}}', id), driver);
    await box.ok('rm', id);
  });

  test.run();
}

const auto = requires(suite('--storage-driver'), 'userns', 'busybox');

auto('auto takes native overlay where it works, else fuse-overlayfs, else vfs', async () => {
  const box = await busybox();
  const expected = Object.keys(NEEDS).find(name => missingNeed(...(NEEDS[name] ?? [])) === undefined);
  const id = await box.ok('create', 'busybox', 'true');
  assert.is(await box.ok('inspect', '-f', '{{.GraphDriver.Name}}', id), expected);
  await box.ok('rm', id);
});

auto('an unknown driver is an error that lists the known ones', async () => {
  const done = await (await busybox()).fails(
    125,
    /nonsense/,
    'run',
    '--rm',
    '--storage-driver',
    'nonsense',
    'busybox',
    'true',
  );
  for (const name of Object.keys(NEEDS)) assert.match(done.stderr, name);
});

auto.run();
