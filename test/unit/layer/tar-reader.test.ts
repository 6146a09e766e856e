import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { TsboxError } from '../../../src/errors.ts';
import {
  archive,
  base256,
  char,
  dir,
  END,
  entry,
  fifo,
  file,
  gnuLong,
  hardlink,
  header,
  pax,
  paxRecord,
  symlink,
} from '../../support/tar-bytes.ts';
import { namesOf, readTar } from '../../support/tar-events.ts';

const test = suite('layer: tar reader');

const rich = archive(
  dir('./'),
  file('a', 'alpha', { mode: 0o4755, uid: 7, gid: 8, mtime: 1234567890 }),
  symlink('link', '/bin/busybox'),
  hardlink('hard', './a'),
  fifo('pipe'),
  char('null', 1, 3),
  file('empty'),
  file('block', 'x'.repeat(512)),
  file('more', 'y'.repeat(513)),
  pax({ path: `long/${'n'.repeat(300)}`, mtime: '1.5', uid: '4000000000' }),
  file('cut', 'long name'),
  gnuLong('L', 'gnu/'.repeat(60)),
  gnuLong('K', 't'.repeat(200)),
  symlink('cut', 'cut'),
);

test('every kind of entry, with its fields', () => {
  const all = readTar(rich);
  const found = Object.fromEntries(all.map(r => [r.entry.name, r]));
  assert.equal(
    all.map(r => r.entry.type).join(' '),
    'dir file symlink hardlink fifo char file file file file symlink',
  );
  assert.is(found.a?.content.toString(), 'alpha');
  const { mode, uid, gid, mtime, size } = found.a?.entry ?? {};
  assert.equal(
    { mode, uid, gid, mtime, size },
    { mode: 0o4755, uid: 7, gid: 8, mtime: { seconds: 1234567890, nanoseconds: 0 }, size: 5 },
  );
  assert.is(found.link?.entry.link, '/bin/busybox');
  assert.is(found.hard?.entry.link, './a');
  assert.equal([found.null?.entry.major, found.null?.entry.minor], [1, 3]);
  assert.is(found.more?.content.length, 513);
  const long = found[`long/${'n'.repeat(300)}`]?.entry;
  assert.is(long?.uid, 4000000000);
  assert.equal(long?.mtime, { seconds: 1, nanoseconds: 500_000_000 });
  assert.is(found['gnu/'.repeat(60)]?.entry.link, 't'.repeat(200));
});

test('the pieces it comes in make no difference', () => {
  const whole = readTar(rich);
  for (const step of [1, 2, 3, 7, 100, 511, 512, 513, 1000, 4096]) {
    const result = readTar(rich, step);
    assert.equal(result, whole, `in pieces of ${step}`);
  }
});

test('names are bytes', () => {
  const names = ['caf\xe9', '\xff\xfe', 'tab\tnew\nline', '\x1b[31m'];
  assert.equal(namesOf(archive(...names.map(name => file(name)))), names);
});

test('ustar prefixes are joined, GNU headers have none', () => {
  assert.equal(namesOf(archive(file('b', '', { prefix: 'a/long' }))), ['a/long/b']);
  assert.equal(namesOf(archive(file('b', '', { prefix: '1234567', magic: 'ustar  \0' }))), ['b']);
  assert.equal(namesOf(archive(file('b', '', { magic: '\0\0\0\0\0\0\0\0' }))), ['b']);
});

test('a name of a hundred bytes needs no NUL', () => {
  assert.equal(namesOf(archive(file('n'.repeat(100)))), ['n'.repeat(100)]);
});

test('old directories are files with a slash', () => {
  assert.is(readTar(archive(file('old/', '', { type: '\0' })))[0]?.entry.type, 'dir');
  assert.is(readTar(archive(file('old/', '', { type: '0' })))[0]?.entry.type, 'dir');
});

test('only files have bodies, whatever the header says', () => {
  const parts = archive(
    header({ name: 'd', type: '5', size: 512 }),
    header({ name: 'l', type: '2', link: 'x', size: 999 }),
    file('f', 'body'),
  );
  assert.equal(namesOf(parts), ['d', 'l', 'f']);
});

test('extended headers concern the next entry alone', () => {
  const parts = archive(
    pax({ path: 'renamed' }),
    file('a'),
    file('b'),
    gnuLong('L', 'again'),
    file('c'),
    file('d'),
  );
  assert.equal(namesOf(parts), ['renamed', 'b', 'again', 'd']);
});

test('the size of an extended header does not shift what comes between it and its entry', () => {
  const parts = archive(
    pax({ size: '3' }),
    gnuLong('L', 'named'),
    header({ name: 'x', size: 0 }),
    Buffer.concat([Buffer.from('abc'), Buffer.alloc(509)]),
  );
  const [only] = readTar(parts);
  assert.is(only?.entry.name, 'named');
  assert.is(only?.content.toString(), 'abc');
});

test('global headers change nothing', () => {
  assert.equal(namesOf(archive(pax({ path: 'global', comment: 'x' }, 'g'), file('a'))), ['a']);
});

test('an archive may end at a block of zeros, at two, or just so', () => {
  for (const end of [
    Buffer.alloc(0),
    Buffer.alloc(512),
    END,
    Buffer.concat([END, Buffer.from('trailing garbage')]),
  ]) {
    assert.equal(namesOf(Buffer.concat([file('a', 'x'), end])), ['a']);
  }
  assert.equal(namesOf(Buffer.alloc(0)), []);
});

const BAD: ReadonlyArray<readonly [what: string, bytes: Buffer, message: RegExp]> = [
  ['a wrong checksum', archive(file('a', '', { checksum: '0000000\0' })), /entry "a": .*checksum/],
  ['garbage', Buffer.alloc(1024, 'garbage '), /checksum/],
  [
    'a header after one block of zeros',
    Buffer.concat([file('a'), Buffer.alloc(512), file('b')]),
    /after the end/,
  ],
  ['a truncated header', file('a').subarray(0, 300), /truncated/],
  ['a truncated body', file('name', 'x'.repeat(600)).subarray(0, 700), /entry "name": .*truncated/],
  ['truncated padding', file('a', 'x').subarray(0, 600), /truncated/],
  ['a long name without an entry', gnuLong('L', 'x'), /truncated/],
  ['a truncated long name', gnuLong('L', 'x'.repeat(600)).subarray(0, 700), /truncated/],
  ['a negative size', archive(file('a', '', { size: base256(-1n, 12) })), /entry "a": .*size/],
  ['a size past 2^53', archive(file('a', '', { size: base256(2n ** 60n, 12) })), /entry "a"/],
  ['a size that is no number', archive(file('a', '', { size: 'zzzzzzzzzzz\0' })), /entry "a": .*size/],
  ['an owner that is no id', archive(file('a', '', { uid: 2 ** 32 - 1 })), /owner/],
  ['a negative owner', archive(file('a', '', { uid: base256(-5n, 8) })), /owner/],
  ['a mode that is no number', archive(file('a', '', { mode: 'rwxr-xr' })), /mode/],
  ['a type that no layer holds', archive(entry({ name: 'a', type: 'V' })), /type "V"/],
  ['a multi-volume part', archive(entry({ name: 'a', type: 'M' })), /type "M"/],
  ['a directory with a body', archive(file('a/', 'body')), /body/],
  ['a directory with a body by PAX', archive(pax({ size: '512' }), file('a/'), Buffer.alloc(512, 1)), /body/],
  ['a NUL in a PAX path', archive(pax({ path: 'a\0b' }), file('x')), /NUL/],
  ['a NUL in a PAX link', archive(pax({ linkpath: 'a\0b' }), symlink('x', 'y')), /NUL/],
  [
    'a huge extended header',
    archive(header({ name: 'x', type: 'x', size: (1 << 20) + 1 })),
    /extended header of 1048577 bytes/,
  ],
  [
    'an extended header of negative size',
    archive(header({ name: 'x', type: 'x', size: base256(-1n, 12) })),
    /extended header/,
  ],
  ['a negative PAX size', archive(pax({ size: '-1' }), file('a')), /size/],
  ['a PAX size past 2^53', archive(pax({ size: '99999999999999999999' }), file('a')), /size/],
  ['a PAX record that is too long', archive(pax(Buffer.from('99 path=a\n')), file('a')), /longer/],
  ['a PAX record that is too short', archive(pax(Buffer.from('3 path=a\n')), file('a')), /PAX/],
  ['a PAX record without newline', archive(pax(Buffer.from('9 path=a!')), file('a')), /newline/],
  ['a PAX record without key', archive(pax(Buffer.from('5 =a\n')), file('a')), /key/],
  ['a PAX record without length', archive(pax(Buffer.from('path=a\n')), file('a')), /length/],
  ['a PAX record with a leading zero', archive(pax(Buffer.from('010 path=a\n')), file('a')), /length/],
  [
    'NULs after the PAX records',
    archive(pax(Buffer.concat([paxRecord('path', 'a'), Buffer.alloc(3)])), file('a')),
    /length/,
  ],
];

for (const [what, bytes, message] of BAD) {
  test(`refuses ${what}`, () => {
    for (const step of [bytes.length, 100]) {
      try {
        readTar(bytes, step);
        assert.unreachable();
      } catch (error) {
        assert.instance(error, TsboxError);
        assert.is((error as TsboxError).code, 'LAYER');
        assert.match((error as TsboxError).message, message);
      }
    }
  });
}

test('random damage is refused or read, never a crash of another kind', () => {
  let state = 12345;
  const random = (n: number) => {
    state = (state * 1103515245 + 12345) % 2147483648;
    return state % n;
  };
  for (let round = 0; round < 400; round++) {
    const damaged = Buffer.from(rich);
    for (let i = 0; i < 1 + random(4); i++) damaged[random(damaged.length)] = random(256);
    try {
      readTar(
        damaged.subarray(0, random(8) === 0 ? random(damaged.length) : damaged.length),
        1 + random(5000),
      );
    } catch (error) {
      assert.instance(error, TsboxError, String(error));
    }
  }
});

test.run();
