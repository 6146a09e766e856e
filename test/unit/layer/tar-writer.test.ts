import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { TarEntry } from '../../../src/layer/entry.ts';
import { TarReader } from '../../../src/layer/tar-reader.ts';
import { TAR_END, type TarMember, tarHeader, tarPadding } from '../../../src/layer/tar-writer.ts';

const PLAIN: TarMember = {
  name: 'file',
  type: 'file',
  size: 0,
  stored: 0,
  mode: 0o644,
  uid: 0,
  gid: 0,
  mtime: { seconds: 1_700_000_000, nanoseconds: 0 },
  link: '',
  major: 0,
  minor: 0,
  xattrs: undefined,
};

const member = (some: Partial<TarMember>): TarMember => ({ ...PLAIN, ...some });

/** Through our own reader, which is tested against archives of other tools. */
function reread(archive: Buffer): TarEntry[] {
  const seen: TarEntry[] = [];
  const reader = new TarReader({ entry: entry => void seen.push(entry), data() {}, end() {} });
  reader.push(archive);
  reader.finish();
  return seen;
}

const archive = (...members: TarMember[]): Buffer =>
  Buffer.concat([
    ...members.flatMap(m => [tarHeader(m), Buffer.alloc(m.stored), tarPadding(m.stored)]),
    TAR_END,
  ]);

function same(given: TarMember): void {
  const [read] = reread(archive(given));
  assert.ok(read);
  const { sparse, xattrs, ...rest } = read;
  const { xattrs: wanted, ...others } = given;
  assert.equal(rest, others);
  assert.equal(
    [...(xattrs ?? [])],
    [...(wanted ?? [])].sort(([a], [b]) => (a < b ? -1 : 1)),
  );
  assert.is(sparse, undefined);
}

const test = suite('layer/tar-writer');

test('a small entry is one block of plain ustar', () => {
  const block = tarHeader(PLAIN);
  assert.is(block.length, 512);
  assert.is(block.toString('latin1', 257, 265), 'ustar\x0000');
  same(PLAIN);
});

test('the same entry makes the same bytes, whatever the order of its attributes', () => {
  const [a, b] = [Buffer.from('1'), Buffer.from('2')];
  const one = tarHeader(member({ xattrs: new Map([['user.a', a], ['user.b', b]]) })); // biome-ignore format: a table
  const two = tarHeader(member({ xattrs: new Map([['user.b', b], ['user.a', a]]) })); // biome-ignore format: a table
  assert.equal(one, two);
});

const cases: Record<string, Partial<TarMember>> = {
  'a name of exactly 100 bytes': { name: 'n'.repeat(100) },
  'a name of 101 bytes': { name: 'n'.repeat(101) },
  'a name of 300 bytes': { name: `${'d/'.repeat(100)}${'n'.repeat(100)}` },
  'names that are not UTF-8': { name: 'caf\xe9/\xff\xfe' },
  'a long name that is not UTF-8': { name: '\xff'.repeat(200) },
  'a name with newlines and equals signs': { name: `${'a=b\n'.repeat(30)}12 path=x` },
  'a directory': { type: 'dir', name: 'dir/', mode: 0o1777 },
  'a symbolic link with a long target': { type: 'symlink', link: `/${'t'.repeat(200)}` },
  'a hard link with a long target': { type: 'hardlink', link: 'x'.repeat(101) },
  'a device': { type: 'char', major: 1, minor: 3 },
  'a block device': { type: 'block', major: 259, minor: 65_535 },
  'a FIFO': { type: 'fifo', mode: 0o600 },
  'setuid, setgid, sticky': { mode: 0o7777 },
  'the largest ids of ustar': { uid: 0o7777777, gid: 0o7777777 },
  'larger ids': { uid: 0o10000000, gid: 0xffff_fffe },
  nanoseconds: { mtime: { seconds: 1, nanoseconds: 120_000_000 } },
  'one nanosecond': { mtime: { seconds: 0, nanoseconds: 1 } },
  'before 1970': { mtime: { seconds: -1, nanoseconds: 0 } },
  'before 1970 with nanoseconds': { mtime: { seconds: -2, nanoseconds: 750_000_000 } },
  'a nanosecond before 1970': { mtime: { seconds: -1, nanoseconds: 999_999_999 } },
  'far in the future': { mtime: { seconds: 0o100000000000, nanoseconds: 0 } },
  'binary extended attributes': {
    xattrs: new Map([
      ['user.a', Buffer.from([0, 10, 61, 255])],
      ['security.capability', Buffer.alloc(20, 2)],
      ['user.empty', Buffer.alloc(0)],
    ]),
  },
  'a large extended attribute': { xattrs: new Map([['user.big', Buffer.alloc(65_536, 7)]]) },
};

for (const [name, some] of Object.entries(cases)) test(`comes back: ${name}`, () => same(member(some)));

test('a body of more than 8 GiB has its size in the PAX header', () => {
  const size = 2 ** 33 + 5;
  const header = tarHeader(member({ size, stored: size }));
  assert.ok(header.includes(`size=${size}\n`));
});

test('lengths of PAX records count their own digits', () => {
  for (let length = 1; length < 1200; length++) {
    const value = Buffer.alloc(length, 120);
    const [read] = reread(archive(member({ xattrs: new Map([['user.x', value]]) })));
    assert.is(read?.xattrs?.get('user.x')?.length, length);
  }
});

test('bodies are filled up to whole blocks', () => {
  for (const [size, padding] of [[0, 0], [1, 511], [511, 1], [512, 0], [513, 511]] as const) // biome-ignore format: a table
    assert.is(tarPadding(size).length, padding);
});

test.run();
