import { closeSync, ftruncateSync, mkdtempSync, openSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { LayerApplier } from '../../../src/layer/apply.ts';
import { writeWithHoles } from '../../../src/layer/copy-write.ts';
import type { TarEntry } from '../../../src/layer/entry.ts';
import { randomFrom } from '../../support/random-changes.ts';

const test = suite<{ dir: string }>('layer/copy-write');
const KIB = 1024;
const ALL_HERE = { holdsUid: () => true, holdsGid: () => true, keepSetuid: true };
const LARGE = { block: 64 * KIB, partial: false };

test.before.each(scene => {
  scene.dir = mkdtempSync(join(tmpdir(), 'tsbox-holes-'));
});
test.after.each(({ dir }) => rmSync(dir, { recursive: true }));

/** Kibibytes that the file takes. */
const taken = (path: string): number => statSync(path).blocks / 2;

test('whatever the pieces, the file is the same; its holes are not on the disk', ({ dir }) => {
  const random = randomFrom(7);
  const bytes = Buffer.alloc(1024 * KIB);
  bytes.fill('data', 100 * KIB, 120 * KIB);
  bytes.fill('data', 512 * KIB, 513 * KIB);
  for (const holes of [undefined, LARGE]) {
    const path = join(dir, `file${holes?.block}`);
    const fd = openSync(path, 'wx');
    let end = 0;
    for (let at = 0; at < bytes.length; ) {
      const next = Math.min(bytes.length, at + 1 + random.next(200 * KIB));
      end = Math.max(end, writeWithHoles(fd, bytes.subarray(at, next), at, holes));
      at = next;
    }
    ftruncateSync(fd, bytes.length);
    closeSync(fd);
    assert.ok(readFileSync(path).equals(bytes));
    assert.ok(end >= 513 * KIB && end <= bytes.length, `${end}`);
    assert.ok(taken(path) < 1024, `${taken(path)} KiB`);
  }
});

test('an unpacked layer has the length of the file, also when it ends in a hole, or is one', ({ dir }) => {
  const applier = new LayerApplier(dir, ALL_HERE);
  const make = (name: string, ...pieces: Buffer[]): void => {
    const size = pieces.reduce((sum, piece) => sum + piece.length, 0);
    applier.entry(fileEntry(name, size));
    let at = 0;
    for (const piece of pieces) {
      applier.data(piece, at);
      at += piece.length;
    }
    applier.end();
    const path = join(dir, name);
    assert.ok(readFileSync(path).equals(Buffer.concat(pieces)), name);
  };
  make('hole', Buffer.alloc(256 * KIB));
  assert.is(taken(join(dir, 'hole')), 0);
  make('tail', Buffer.from('head'), Buffer.alloc(300 * KIB));
  assert.ok(taken(join(dir, 'tail')) < 150, `${taken(join(dir, 'tail'))} KiB`);
  make('small', Buffer.alloc(100));
  make('full', Buffer.alloc(128 * KIB, 'x'));
  make('empty');
  applier.finish();
});

const fileEntry = (name: string, size: number): TarEntry => ({
  name,
  type: 'file',
  size,
  stored: size,
  mode: 0o644,
  uid: process.getuid?.() ?? 0,
  gid: process.getgid?.() ?? 0,
  mtime: { seconds: 1, nanoseconds: 0 },
  link: '',
  major: 0,
  minor: 0,
  xattrs: undefined,
  sparse: undefined,
});

test.run();
