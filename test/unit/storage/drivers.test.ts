import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readlinkSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { TsboxError } from '../../../src/errors.ts';
import type { Op } from '../../../src/plan/ops.ts';
import type { RootfsRequest, StorageHost } from '../../../src/storage/driver.ts';
import { realPaths } from '../../../src/storage/host.ts';
import { storageDriver } from '../../../src/storage/select.ts';

const test = suite<{ root: string }>('storage/drivers');
const ID = 'c'.repeat(64);
const hex = (n: number): string => n.toString(16).padStart(64, '0');
const layers = (count: number): string[] => Array.from({ length: count }, (_, i) => `sha256:${hex(i + 1)}`);

test.before.each(context => {
  context.root = realpathSync(mkdtempSync(join(tmpdir(), 'tsbox-storage-')));
  mkdirSync(join(context.root, 'containers', ID), { recursive: true });
  for (const n of [1, 2, 3]) mkdirSync(join(context.root, 'layers', hex(n), 'fs'), { recursive: true });
});
test.after.each(({ root }) => rmSync(root, { recursive: true, force: true }));

const request = (root: string, more: Partial<RootfsRequest> = {}): RootfsRequest => ({
  root,
  containerId: ID,
  layers: layers(3),
  ...more,
});
const plan = (ops: readonly Op[]): string[] => ops.map(o => [o.name, ...o.fields.map(String)].join(' '));
const host = (root: string): StorageHost => ({ root, mode: 'ranges', walk: async () => {} });

test('overlay: short names, the top layer first', async ({ root }) => {
  const driver = storageDriver('overlay');
  await driver.prepare(request(root), host(root));
  const lower = join(root, 'containers', ID, 'lower');
  assert.equal(
    [0, 1, 2].map(n => realpathSync(join(lower, String(n)))),
    [3, 2, 1].map(n => join(root, 'layers', hex(n), 'fs')),
  );
  assert.equal(plan(driver.rootfs(request(root)).ops), [
    `chdir containers/${ID}/lower`,
    'hostmount overlay overlay ../merged 0 lowerdir=0:1:2,upperdir=../upper,workdir=../work,userxattr',
    'chdir ../../..',
    `root containers/${ID}/merged`,
  ]);
});

test('overlay: preparing again changes nothing, and mends a wrong link', async ({ root }) => {
  const driver = storageDriver('overlay');
  await driver.prepare(request(root), host(root));
  const link = join(root, 'containers', ID, 'lower/0');
  writeFileSync(join(root, 'containers', ID, 'upper/kept'), '');
  rmSync(link);
  symlinkSync('/etc', link);
  await driver.prepare(request(root), host(root));
  assert.is(readlinkSync(link), `../../../layers/${hex(3)}/fs`);
  assert.ok(lstatSync(join(root, 'containers', ID, 'upper/kept')));
});

test('overlay: no layers, one empty lower directory', async ({ root }) => {
  const driver = storageDriver('overlay');
  await driver.prepare(request(root, { layers: [] }), host(root));
  assert.ok(lstatSync(join(root, 'containers', ID, 'lower/0')).isDirectory());
  assert.match(plan(driver.rootfs(request(root, { layers: [] })).ops).join(), /lowerdir=0,/);
});

test('overlay: 500 layers fit in a page', ({ root }) => {
  const { ops } = storageDriver('overlay').rootfs(request(root, { layers: layers(500) }));
  const data = String(ops.find(o => o.name === 'hostmount')?.fields[4]);
  assert.ok(data.length < 4096, String(data.length));
  assert.match(data, /:499,/);
});

test('the root directory gets the mode of the topmost layer', async ({ root }) => {
  const { chmodSync } = await import('node:fs');
  chmodSync(join(root, 'layers', hex(3), 'fs'), 0o1751);
  for (const name of ['overlay', 'fuse-overlayfs'] as const) {
    await storageDriver(name).prepare(request(root), host(root));
    assert.is(statSync(join(root, 'containers', ID, 'upper')).mode & 0o7777, 0o1751);
  }
});

test('a layer that is missing is said before anything is mounted', async ({ root }) => {
  for (const name of ['overlay', 'fuse-overlayfs', 'vfs'] as const) {
    const error = await storageDriver(name)
      .prepare(request(root, { layers: layers(4) }), host(root))
      .then(
        () => undefined,
        (e: unknown) => e,
      );
    assert.ok(error instanceof TsboxError && error.code === 'STORAGE', `${name}: ${String(error)}`);
    assert.match(error.message, /layer .* is missing/);
  }
});

test('a diff id that is none never becomes a path', async ({ root }) => {
  for (const name of ['overlay', 'fuse-overlayfs', 'vfs'] as const) {
    for (const bad of ['sha256:../../x', `sha256:${'A'.repeat(64)}`, 'x', '']) {
      assert.throws(
        () => storageDriver(name).rootfs(request(root, { layers: [bad] })),
        (e: unknown) => e instanceof TsboxError,
        `${name} ${bad}`,
      );
    }
  }
});

test('fuse-overlayfs: init mounts, the server joins the ids and not the mounts', ({ root }) => {
  const result = storageDriver('fuse-overlayfs').rootfs(request(root));
  assert.equal(plan(result.ops), [
    `fuse containers/${ID}/merged rootmode=40000,user_id=0,group_id=0,allow_other,default_permissions`,
    `root containers/${ID}/merged`,
  ]);
  const [server] = result.services;
  assert.ok(server?.fuse);
  const ops = plan(server?.ops ?? []);
  assert.equal(ops.slice(0, 3), ['join 268435456', 'ids 0 0', `chdir containers/${ID}`]);
  const lower = [3, 2, 1].map(n => `../../layers/${hex(n)}/fs`).join(':');
  assert.match(
    ops[3] ?? '',
    new RegExp(
      `^exec \\S*fuse-overlayfs fuse-overlayfs -f -o lowerdir=${lower},upperdir=upper,workdir=work /dev/fd/5$`,
    ),
  );
});

test('fuse-overlayfs: keep-id translates', ({ root }) => {
  const idmap = { uid: '1000:0:1', gid: '100:0:1' };
  const [server] = storageDriver('fuse-overlayfs').rootfs(request(root, { idmap })).services;
  assert.match(plan(server?.ops ?? []).at(-1) ?? '', /,uidmapping=1000:0:1,gidmapping=100:0:1 /);
});

test('host: the covers are in place before anything is served', ({ root }) => {
  mkdirSync(join(root, 'home/me'), { recursive: true });
  mkdirSync(join(root, 'scratch/tmp'), { recursive: true });
  const cover = [
    join(root, 'home/me'),
    join(root, 'home'),
    join(root, 'scratch/tmp'),
    join(root, 'not there'),
  ];
  const [server] = storageDriver('host').rootfs(request(root, { layers: [], cover })).services;
  const ops = plan(server?.ops ?? []);
  assert.equal(ops.slice(0, -1), [
    'join 268435456',
    'ids 0 0',
    'unshare 131072',
    'private',
    `chdir containers/${ID}`,
    'hostbind / low 20480',
    ...['/dev', '/proc', '/sys'].map(path => `hostmount tmpfs tmpfs low${path} 6 mode=0755`),
    `hostmount tmpfs tmpfs low${root}/home 6 mode=0755`,
    `hostmount tmpfs tmpfs low${root}/scratch/tmp 6 mode=1777`,
  ]);
  assert.match(ops.at(-1) ?? '', /lowerdir=low,upperdir=upper,workdir=work,squash_to_root /);
  assert.ok(
    (server?.ops ?? []).every(o => !o.optional),
    'a cover that fails must stop everything',
  );
});

test('host: links are covered where they lead', ({ root }) => {
  mkdirSync(join(root, 'real'));
  symlinkSync('real', join(root, 'link'));
  assert.equal(realPaths([join(root, 'link'), join(root, 'real')]), [join(root, 'real')]);
  assert.equal(realPaths(['/', join(root, 'none')]), []);
  symlinkSync('loop', join(root, 'loop'));
  assert.throws(() => realPaths([join(root, 'loop')]), 'what cannot be resolved is not passed over');
});

test.run();
