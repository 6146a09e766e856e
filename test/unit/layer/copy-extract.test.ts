import {
  chmodSync,
  closeSync,
  constants,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { CopyExtractor, type ExtractOptions } from '../../../src/layer/copy-extract.ts';
import { heldWay } from '../../../src/layer/copy-frames.ts';
import { hostMetadata } from '../../../src/layer/copy-metadata.ts';
import { heldPath, walkHeld } from '../../../src/layer/copy-walk.ts';
import { packItems } from '../../../src/layer/pack.ts';
import { TarReader } from '../../../src/layer/tar-reader.ts';
import { type TarMember, tarHeader, tarPadding } from '../../../src/layer/tar-writer.ts';

/** The host's side of cp: an archive that is hostile, in a directory that has things of its own. */
interface Scene {
  dir: string;
  to: string;
}
const test = suite<Scene>('copy out, on the host');

test.before.each(scene => {
  scene.dir = mkdtempSync(join(tmpdir(), 'tsbox-copy-'));
  scene.to = join(scene.dir, 'to');
  mkdirSync(scene.to);
  writeFileSync(join(scene.dir, 'canary'), 'canary');
});
test.after.each(({ dir }) => {
  assert.is(readFileSync(join(dir, 'canary'), 'utf8'), 'canary');
  rmSync(dir, { recursive: true });
});

type Entry = Partial<TarMember> & { readonly name: string; readonly body?: string | Buffer };

function archive(entries: readonly Entry[]): Buffer {
  const blocks = entries.flatMap(({ body = '', ...entry }) => {
    const bytes = Buffer.from(body);
    return [
      tarHeader({ ...PLAIN, size: bytes.length, stored: bytes.length, ...entry }),
      bytes,
      tarPadding(bytes.length),
    ];
  });
  return Buffer.concat([...blocks, Buffer.alloc(1024)]);
}

const PLAIN: TarMember = {
  name: '',
  type: 'file',
  size: 0,
  stored: 0,
  mode: 0o644,
  uid: 0,
  gid: 0,
  mtime: { seconds: 1000, nanoseconds: 0 },
  link: '',
  major: 0,
  minor: 0,
  xattrs: undefined,
};

function extract(to: string, entries: readonly Entry[], options: Partial<ExtractOptions> = {}) {
  const fd = openSync(to, constants.O_RDONLY | constants.O_DIRECTORY);
  const extractor = new CopyExtractor({
    directory: heldPath(fd),
    rename: undefined,
    way: heldWay,
    metadata: hostMetadata(false),
    ...options,
  });
  try {
    const reader = new TarReader(extractor);
    reader.push(archive(entries));
    reader.finish();
    return extractor.finish();
  } finally {
    extractor.close();
    closeSync(fd);
  }
}

test('no link of the archive, and none that was there, leads out', ({ dir, to }) => {
  symlinkSync('..', join(to, 'up'));
  const out: Entry[][] = [
    [
      { name: 'l', type: 'symlink', link: '..' },
      { name: 'l/canary', body: 'evil' },
    ],
    [
      { name: 'l', type: 'symlink', link: dir },
      { name: 'l/canary', body: 'evil' },
    ],
    [{ name: 'up/canary', body: 'evil' }],
    [
      { name: 'a/', type: 'dir' },
      { name: 'a/l', type: 'symlink', link: '../..' },
      { name: 'a/l/canary', body: 'evil' },
    ],
    [{ name: '../canary', body: 'evil' }],
    [{ name: 'x/../../canary', body: 'evil' }],
    [{ name: 'h', type: 'hardlink', link: '../canary' }],
    [{ name: 'h', type: 'hardlink', link: 'up/canary' }],
  ];
  for (const entries of out) {
    assert.throws(() => extract(to, entries), /not a directory|"\.\."/, entries[0]?.name);
    assert.not(readdirSync(to).includes('h'));
  }
  extract(to, [{ name: `${dir}/canary`, body: 'an absolute name is a name below' }]);
  const evil = { name: 'c', type: 'symlink', link: join(dir, 'canary') } as const;
  extract(to, [evil, { name: 'c', body: 'replaces the link' }]);
  assert.is(readFileSync(join(to, 'c'), 'utf8'), 'replaces the link');
});

test('directories are merged, neither kind replaces the other', ({ to }) => {
  mkdirSync(join(to, 'd'));
  writeFileSync(join(to, 'd/own'), 'own');
  writeFileSync(join(to, 'f'), 'old');
  extract(to, [
    { name: 'd/', type: 'dir', mode: 0o700 },
    { name: 'd/new', body: 'new' },
    { name: 'f', body: 'new' },
  ]);
  assert.equal(readdirSync(join(to, 'd')).sort(), ['new', 'own']);
  assert.is(readFileSync(join(to, 'f'), 'utf8'), 'new');
  assert.throws(
    () => extract(to, [{ name: 'd', body: 'x' }]),
    /cannot overwrite directory "d" with non-directory "d"/,
  );
  assert.throws(
    () => extract(to, [{ name: 'f/', type: 'dir' }]),
    /cannot overwrite non-directory "f" with directory/,
  );
  symlinkSync('d', join(to, 'l'));
  assert.throws(() => extract(to, [{ name: 'l/', type: 'dir' }]), /cannot overwrite non-directory "l"/);
});

test('renamed names, links among them', ({ to }) => {
  const entries: Entry[] = [
    { name: 'from/', type: 'dir', mode: 0o555 },
    { name: 'from/a', body: 'a', mode: 0o6755 },
    { name: 'from/b', type: 'hardlink', link: 'from/a' },
    { name: 'from/from', body: 'kept' },
    { name: 'from/dev', type: 'char', major: 1, minor: 3 },
  ];
  const done = extract(to, entries, { rename: { from: 'from', to: 'new' } });
  assert.equal(done, { entries: 5, skipped: 1 });
  assert.equal(readdirSync(join(to, 'new')).sort(), ['a', 'b', 'from']);
  const [a, b] = [statSync(join(to, 'new/a')), statSync(join(to, 'new/b'))];
  assert.is(a.ino, b.ino);
  assert.is(a.mode & 0o7777, 0o755, 'no setuid program of somebody else in our name');
  assert.is(a.mtimeMs, 1_000_000);
  assert.is(statSync(join(to, 'new')).mode & 0o777, 0o555);
  chmodSync(join(to, 'new'), 0o755); // or it cannot be removed
});

test('blocks of zeros become holes, wherever the pieces of the archive end', ({ to }) => {
  const body = Buffer.alloc(3 << 20);
  body.write('begin', 0);
  body.write('middle', (1 << 20) + 17);
  extract(to, [{ name: 'sparse', body }, { name: 'empty' }, { name: 'zeros', body: Buffer.alloc(100_000) }]);
  assert.ok(readFileSync(join(to, 'sparse')).equals(body));
  assert.ok(statSync(join(to, 'sparse')).blocks * 512 < 64 << 10);
  assert.is(statSync(join(to, 'zeros')).size, 100_000);
  assert.is(statSync(join(to, 'empty')).size, 0);
});

test('what is packed comes out the same; a directory that becomes a link on the way is not followed', ({
  dir,
  to,
}) => {
  const from = join(dir, 'from');
  mkdirSync(join(from, 'a/b'), { recursive: true });
  writeFileSync(join(from, 'a/b/f'), 'f');
  symlinkSync('/etc', join(from, 'etc'));
  const items = [...walkHeld(dir, 'from', 'x')];
  assert.equal(
    items.map(i => i.name),
    ['x', 'x/a', 'x/a/b', 'x/a/b/f', 'x/etc'],
  );
  const pieces = [
    ...packItems(walkHeld(dir, 'from', 'x'), {
      holdsUid: () => true,
      holdsGid: () => true,
      keepSetuid: true,
    }),
  ];
  assert.ok(Buffer.concat(pieces).includes('x/a/b/f'));
  const names: string[] = [];
  for (const item of walkHeld(dir, 'from', 'x')) {
    names.push(item.name);
    // Seen as a directory, a link when it is to be entered.
    if (item.name !== 'x/a') continue;
    rmSync(join(from, 'a'), { recursive: true });
    symlinkSync(to, join(from, 'a'));
    writeFileSync(join(to, 'secret'), 'secret');
  }
  assert.equal(names, ['x', 'x/a', 'x/etc']);
  assert.is(readlinkSync(join(from, 'etc')), '/etc');
  assert.ok(lstatSync(join(from, 'a')).isSymbolicLink());
});

test.run();
