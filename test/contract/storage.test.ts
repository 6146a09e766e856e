// run as: ranges, single, root
import { existsSync, lstatSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ops } from '../../src/plan/ops.ts';
import type { RootfsRequest, StorageDriverName } from '../../src/storage/driver.ts';
import { storageDriver } from '../../src/storage/select.ts';
import { setXattr } from '../../src/sys/xattr.ts';
import { hasSubids, type Need, requires } from '../support/requires.ts';
import {
  closeScene,
  makeLayer,
  makeManyLayers,
  newContainer,
  openScene,
  processesWith,
  runIn,
  SHELL_LAYER,
  type StorageScene,
} from '../support/storage-scene.ts';
import { eventually } from '../support/within.ts';

/** What every storage driver must do, whatever it is made of. The real helper, real mounts, a static shell inside. */
const NEEDS: Readonly<Record<Exclude<StorageDriverName, 'host'>, Need[]>> = {
  overlay: ['userns', 'overlay', 'busybox'],
  'fuse-overlayfs': ['userns', 'fuse', 'fuse-overlayfs', 'busybox'],
  vfs: ['userns', 'busybox'],
};

interface Context {
  scene: StorageScene;
  layers: string[];
}

const BASE = `${SHELL_LAYER}
mkdir -p d/deep opaque etc; echo one > file; echo gone > gone; echo hidden > opaque/hidden; echo deep > d/deep/f
ln -s /d/deep link; echo twice > first; ln first second; mkdir removed; echo x > removed/x; chmod 1777 tmp; chmod 4755 bin/sh`;

/** Whiteouts as the layer room makes them; `opaque` gets its attribute from outside. */
const TOP = `echo two > file; mknod gone c 0 0; mkdir opaque; echo shown > opaque/shown; mknod removed c 0 0; mkdir -p d; echo more > d/more`;

for (const [name, needs] of Object.entries(NEEDS) as Array<[Exclude<StorageDriverName, 'host'>, Need[]]>) {
  const driver = storageDriver(name);
  const test = requires(suite<Context>(`storage: ${name}`), ...needs);

  test.before(async context => {
    context.scene = await openScene();
    context.layers = [await makeLayer(context.scene, BASE), await makeLayer(context.scene, TOP)];
    const top = join(context.scene.paths.layers, (context.layers[1] ?? '').slice('sha256:'.length), 'fs');
    setXattr(join(top, 'opaque'), 'user.overlay.opaque', Buffer.from('y'));
  });
  test.after(async ({ scene }) => closeScene(scene));

  const start = (c: Context, request: RootfsRequest, script: string) =>
    runIn(c.scene, driver, request, script);

  test('proves itself', async ({ scene }) => {
    assert.equal(await driver.probe(scene.host), { ok: true });
    assert.equal(readdirSync(scene.paths.tmp), []);
  });

  test('the layers are one tree: upper files win, removed ones are gone', async c => {
    const request = newContainer(c.scene, c.layers);
    const script =
      'cat file link/f d/more; ls gone removed; ls opaque; cat first; [ first -ef second ] && echo same';
    const { stdout, stderr } = await start(c, request, script);
    assert.is(stdout, 'two\ndeep\nmore\nshown\ntwice\nsame\n');
    assert.match(stderr, /gone: No such file[\s\S]*removed: No such file/);
  });

  test('modes, and owners as root inside', async c => {
    const { stdout } = await start(
      c,
      newContainer(c.scene, c.layers),
      'stat -c "%a %u:%g" / tmp bin/sh file',
    );
    assert.is(stdout, '755 0:0\n1777 0:0\n4755 0:0\n644 0:0\n');
  });

  test('what is written stays in the container, and is there at the next start', async c => {
    const request = newContainer(c.scene, c.layers);
    const change =
      'echo three >> file; rm first; mkdir new; echo n > new/n; mv d/deep d/moved || { cp -a d/deep d/moved; rm -r d/deep; }';
    assert.is((await start(c, request, change)).exitCode, 0);
    const { stdout, stderr } = await start(c, request, 'cat file new/n d/moved/f second; ls first d/deep');
    assert.is(stdout, 'two\nthree\nn\ndeep\ntwice\n');
    assert.match(stderr, /first: No such file[\s\S]*deep: No such file/);
    const other = await start(c, newContainer(c.scene, c.layers), 'cat file first; ls');
    assert.match(other.stdout, /^two\ntwice\n/);
    assert.not.match(other.stdout, /new/);
  });

  test('the changes can be found below `upper`', async c => {
    const request = newContainer(c.scene, c.layers);
    await start(c, request, 'echo mine > mine; rm file');
    const { upper } = driver.rootfs(request);
    assert.is(readFileSync(join(c.scene.paths.root, upper, 'mine'), 'utf8'), 'mine\n');
    const removed = lstatSync(join(c.scene.paths.root, upper, 'file'), { throwIfNoEntry: false });
    if (name === 'vfs') assert.is(removed, undefined);
    else assert.ok(removed?.isCharacterDevice() && removed.rdev === 0);
  });

  test('two containers run at once and see nothing of one another', async c => {
    const both = [1, 2].map(n =>
      start(c, newContainer(c.scene, c.layers), `echo ${n} > me; sleep 0.3; cat me`),
    );
    assert.equal(
      (await Promise.all(both)).map(r => r.stdout),
      ['1\n', '2\n'],
    );
  });

  test('nothing stays mounted or running', async c => {
    const request = newContainer(c.scene, c.layers);
    await start(c, request, 'touch x');
    assert.not.match(readFileSync('/proc/self/mountinfo', 'utf8'), new RegExp(request.containerId));
    await eventually(5_000, 'the end of the server', () => processesWith(`upperdir=upper`).length === 0);
  });

  test('130 layers', async c => {
    const many = [c.layers[0] ?? '', ...(await makeManyLayers(c.scene, 129))];
    const { stdout } = await start(c, newContainer(c.scene, many), 'cat top f1 f77 file');
    assert.is(stdout, '129\n1\n77\none\n');
  });

  test('no layers: an empty root', async c => {
    const request = newContainer(c.scene, []);
    const shell = ops.bind({ source: '/bin/busybox', target: '/bin/busybox', how: 'c' }, 'the only program');
    const { stdout } = await runIn(c.scene, driver, request, '/bin/busybox ls -a /', [shell]);
    assert.equal(
      stdout.split('\n').filter(n => !n.startsWith('.')),
      ['bin', ''],
    );
  });

  if (hasSubids()) {
    test('owners other than root are kept, and can be given', async c => {
      const owned = await makeLayer(
        c.scene,
        'echo x > theirs; chown 33:44 theirs; mkdir closed; echo s > closed/s; chmod 600 closed/s; chmod 700 closed; chown -R 1000:1000 closed',
      );
      const request = newContainer(c.scene, [...c.layers, owned]);
      const script =
        'stat -c %u:%g theirs closed closed/s; cat closed/s; echo more >> theirs; chown 7:8 file; stat -c %u:%g theirs file';
      const { stdout } = await start(c, request, script);
      assert.is(stdout, '33:44\n1000:1000\n1000:1000\ns\n33:44\n7:8\n');
    });
  }

  test.run();
}

const keepId = requires(suite('storage: keep-id'), 'user', 'subid', 'fuse', 'fuse-overlayfs', 'busybox');

keepId('image files are root’s inside, new files are mine, on disk they are as in ranges mode', async () => {
  const scene = await openScene();
  const kept = await openScene('keep-id');
  try {
    const { keepIdMapping } = await import('../../src/host/idmap.ts');
    const layer = await makeLayer(scene, `${SHELL_LAYER}; echo x > of33; chown 33:33 of33; chmod 777 tmp`);
    const request = newContainer(scene, [layer], { idmap: keepIdMapping(scene.maps, kept.maps) });
    const driver = storageDriver('fuse-overlayfs');
    const { stdout } = await runIn(
      { ...scene, maps: kept.maps },
      driver,
      request,
      'stat -c %u / bin of33; touch /tmp/r; chown 33 /tmp/r; stat -c %u /tmp/r',
    );
    assert.is(stdout, '0\n0\n33\n33\n');
    const outside = scene.maps.uid[1]?.outside ?? 0;
    assert.is(statSync(join(scene.paths.root, driver.rootfs(request).upper, 'tmp/r')).uid, outside + 32);
  } finally {
    await closeScene(scene);
    await closeScene(kept);
  }
});
keepId.run();

const hostView = requires(
  suite<{ scene: StorageScene }>('storage: host'),
  'userns',
  'fuse',
  'fuse-overlayfs',
  'busybox',
);
hostView.before(async context => {
  context.scene = await openScene();
});
hostView.after(({ scene }) => closeScene(scene));

const viewOf = (scene: StorageScene): RootfsRequest =>
  newContainer(scene, [], {
    cover: [homedir(), '/home', '/root', '/run', '/tmp', '/var/tmp', scene.paths.root],
  });

hostView('shows the machine as root’s, without what is private', async ({ scene }) => {
  writeFileSync(join(homedir(), 'secret-of-host'), 'x');
  const script = `stat -c %u:%g /etc/passwd; cat /etc/hostname; ls -A /tmp /root ${homedir()} ${scene.paths.root}; ls ${homedir()}/secret-of-host`;
  const { stdout } = await runIn(scene, storageDriver('host'), viewOf(scene), script);
  const [owner, hostname, ...rest] = stdout.split('\n');
  assert.is(owner, '0:0');
  assert.is(hostname, readFileSync('/etc/hostname', 'utf8').trim());
  assert.not.match(rest.join('\n'), /secret|layers/);
});

hostView('changes stay in the container', async ({ scene }) => {
  const request = viewOf(scene);
  const script =
    'echo new > /etc/tsbox-was-here; rm /etc/hostname; cat /etc/tsbox-was-here; ls /etc/hostname';
  const { stdout, stderr } = await runIn(scene, storageDriver('host'), request, script);
  assert.is(stdout, 'new\n');
  assert.match(stderr, /hostname: No such file/);
  assert.not(existsSync('/etc/tsbox-was-here'));
  assert.ok(existsSync('/etc/hostname'));
  const upper = join(scene.paths.root, storageDriver('host').rootfs(request).upper);
  assert.is(readFileSync(join(upper, 'etc/tsbox-was-here'), 'utf8'), 'new\n');
});

hostView('what the user may not read stays unreadable', async ({ scene }) => {
  const { stdout } = await runIn(scene, storageDriver('host'), viewOf(scene), 'cat /etc/shadow');
  assert.is(stdout, '');
});
hostView.run();
