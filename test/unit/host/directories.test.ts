import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { makeDirectories } from '../../../src/host/directories.ts';

const test = suite('makeDirectories');
const dir = mkdtempSync(join(tmpdir(), 'dirs-'));
test.after(() => rmSync(dir, { recursive: true }));

test('makes what is missing, and is content with what is there', () => {
  makeDirectories(join(dir, 'a/b/c'), 0o700);
  makeDirectories(join(dir, 'a/b/c'), 0o700);
  assert.is(statSync(join(dir, 'a/b/c')).mode & 0o777, 0o700);
});

test('fails where a file is in the way, and where nothing can be made', () => {
  writeFileSync(join(dir, 'file'), '');
  assert.throws(() => makeDirectories(join(dir, 'file'), 0o700), /EEXIST/);
  assert.throws(() => makeDirectories(join(dir, 'file/below'), 0o700), /ENOTDIR/);
  assert.throws(() => makeDirectories('/proc/nowhere/at/all', 0o700), /ENOENT/);
});

test.run();
