import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { mkdir, readFile, rename, rm, writeFile } from '../../../src/util/files.ts';

const test = suite('files');
const dir = mkdtempSync(join(tmpdir(), 'tsbox-files-'));
test.after(() => rmSync(dir, { recursive: true, force: true }));

const codeOf = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => 'none',
    (error: NodeJS.ErrnoException) => error.code,
  );

test('they reject, and never throw, with the errno', async () => {
  assert.is(await codeOf(readFile(join(dir, 'none'))), 'ENOENT');
  assert.is(await codeOf(rename(join(dir, 'none'), join(dir, 'a'))), 'ENOENT');
  assert.is(await codeOf(mkdir(dir)), 'EEXIST');
});

test('options go through', async () => {
  const file = join(dir, 'file');
  await writeFile(file, 'text', { mode: 0o640 });
  assert.is(statSync(file).mode & 0o777, 0o640);
  assert.is(await readFile(file, 'utf8'), 'text');
});

for (const many of [3, 500]) {
  test(`rm: a tree of ${many}, through no link`, async () => {
    const tree = join(dir, 'tree');
    mkdirSync(join(tree, 'deep/deeper'), { recursive: true });
    for (let i = 0; i < many; i++) writeFileSync(join(tree, `deep/${i}`), '');
    const kept = join(dir, 'kept');
    mkdirSync(kept, { recursive: true });
    writeFileSync(join(kept, 'file'), '');
    symlinkSync(kept, join(tree, 'link'));
    await rm(tree, { recursive: true, force: true });
    assert.is(existsSync(tree), false);
    assert.is(existsSync(join(kept, 'file')), true);
  });
}

test('rm: what is not there, and what may not go', async () => {
  assert.is(await codeOf(rm(join(dir, 'none'), { force: true })), 'none');
  assert.is(await codeOf(rm(join(dir, 'none'), { recursive: true, force: true })), 'none');
  mkdirSync(join(dir, 'full/inner'), { recursive: true });
  assert.ok((await codeOf(rm(join(dir, 'full')))) !== 'none', 'a directory without recursive stays');
  assert.is(existsSync(join(dir, 'full/inner')), true);
  assert.is((await codeOf(rm('/proc/self/status', { recursive: true, force: true }))) === 'none', false);
});

test.run();
