import { linkSync, lstatSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { giveTree, translateTree } from '../../../src/layer/give.ts';

const test = suite('layer/give');
const dir = mkdtempSync(join(tmpdir(), 'tsbox-give-'));
test.after(() => rmSync(dir, { recursive: true }));
mkdirSync(join(dir, 'a/b'), { recursive: true });
writeFileSync(join(dir, 'a/b/file'), '');
linkSync(join(dir, 'a/b/file'), join(dir, 'a/twice'));
symlinkSync('/', join(dir, 'a/link'));
const [uid, gid] = [process.getuid?.() ?? 0, process.getgid?.() ?? 0];

test('what is his already is not touched', () => {
  const before = lstatSync(join(dir, 'a/b/file')).ctimeMs;
  assert.is(giveTree(dir, uid, gid), 0);
  assert.is(translateTree(dir, [], []), 0);
  assert.is(translateTree(dir, [{ inside: uid, outside: uid, count: 1 }], []), 0);
  assert.is(lstatSync(join(dir, 'a/b/file')).ctimeMs, before);
});

test('what may not be given is an error with the path, or is given once for all its names', () => {
  if (uid !== 0) {
    assert.throws(() => giveTree(dir, 0, 0, '/shown'), /^\/shown\/.* cannot be given to 0:0|: \/shown/);
    return;
  }
  // the directory itself, a, b, the file under one of its names, the link
  assert.is(
    translateTree(
      dir,
      [
        { inside: 0, outside: 1000, count: 1 },
        { inside: 1000, outside: 2000, count: 1 },
      ],
      [],
    ),
    5,
  );
  assert.equal(
    [lstatSync(join(dir, 'a/twice')).uid, lstatSync(join(dir, 'a/link')).uid, lstatSync('/').uid],
    [1000, 1000, 0],
  );
  assert.is(giveTree(dir, 0, gid), 5);
});

test.run();
