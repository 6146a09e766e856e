import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { TsboxError } from '../../../src/errors.ts';
import { findProgram, helperPath, howToGetHelper } from '../../../src/host/binaries.ts';
import { selfCommand } from '../../../src/host/self.ts';
import { runProgram } from '../../../src/host/spawn.ts';

const test = suite<{ dir: string; path: string | undefined; helper: string | undefined; cwd: string }>(
  'host/programs',
);

test.before.each(context => {
  context.dir = mkdtempSync(join(tmpdir(), 'tsbox-bin-'));
  context.path = process.env.PATH;
  context.helper = process.env.TSBOX_HELPER;
  context.cwd = process.cwd();
});

test.after.each(context => {
  process.chdir(context.cwd);
  process.env.PATH = context.path;
  if (context.helper === undefined) delete process.env.TSBOX_HELPER;
  else process.env.TSBOX_HELPER = context.helper;
  rmSync(context.dir, { recursive: true });
});

test('PATH first, in its order, then the system', async ({ dir }) => {
  for (const name of ['a', 'b']) {
    mkdirSync(join(dir, name));
    writeFileSync(join(dir, name, 'sh'), '#!/bin/sh\n');
  }
  chmodSync(join(dir, 'b/sh'), 0o755);
  process.env.PATH = `${dir}/a:${dir}/b`;
  assert.is(await findProgram('sh'), join(dir, 'b/sh'), 'a file that cannot be executed is passed over');
  process.env.PATH = '';
  assert.match((await findProgram('sh')) ?? '', /^\/(usr\/)?bin\/sh$/);
});

test('nothing comes from the working directory', async ({ dir }) => {
  writeFileSync(join(dir, 'evil'), '#!/bin/sh\n', { mode: 0o755 });
  process.chdir(dir);
  process.env.PATH = ':.:relative::/nonexistent';
  assert.is(await findProgram('evil'), undefined);
  for (const name of ['', './evil', `${dir}/evil`, '../evil']) assert.is(await findProgram(name), undefined);
});

test('a directory is no program', async ({ dir }) => {
  mkdirSync(join(dir, 'thing'));
  process.env.PATH = dir;
  assert.is(await findProgram('thing'), undefined);
});

test('a helper that is told must be absolute and there', ({ dir }) => {
  process.env.TSBOX_HELPER = 'dist/tsbox-helper';
  assert.throws(helperPath, (e: unknown) => e instanceof TsboxError && e.code === 'USAGE');
  process.env.TSBOX_HELPER = join(dir, 'missing');
  assert.throws(
    helperPath,
    (e: unknown) => e instanceof TsboxError && e.code === 'HOST' && e.hint !== undefined,
  );
  writeFileSync(join(dir, 'helper'), '');
  process.env.TSBOX_HELPER = join(dir, 'helper');
  assert.is(helperPath(), join(dir, 'helper'));
});

test('how to get a helper: by the command that makes it where the sources lie', ({ dir }) => {
  assert.match(howToGetHelper(), /npm run build:helper/);
  const project = join(dir, 'node_modules/tsbox');
  for (const name of ['dist', 'helpers']) mkdirSync(join(project, name), { recursive: true });
  assert.match(howToGetHelper(join(project, 'dist')), /install\.sh/, 'no sources');
  writeFileSync(join(project, 'helpers/Makefile'), '');
  const command = `build it: make -C ${join(project, 'helpers')}`;
  assert.ok(howToGetHelper(join(project, 'dist')).startsWith(command));
  assert.match(howToGetHelper(join(dir, 'dist')), /install\.sh/, 'not from npm');
});

test('this program again: absolute paths, whatever the working directory is', ({ dir }) => {
  process.chdir(dir);
  for (const entry of ['cli', 'userns'] as const) {
    const [program, ...rest] = selfCommand(entry);
    assert.is(program, process.execPath);
    assert.ok(
      rest.every(arg => arg.startsWith('/') || arg.startsWith('--')),
      rest.join(' '),
    );
  }
});

test('runProgram: status, signal, output, input, time limit', async ({ dir }) => {
  const shell = (script: string, options = {}) => runProgram('/bin/sh', ['-c', script], options);
  assert.equal(await shell('cat; echo err >&2; exit 3', { input: 'héllo' }), {
    status: 3,
    signal: null,
    stdout: 'héllo',
    stderr: 'err\n',
  });
  assert.is((await shell('kill -TERM $$')).signal, 'SIGTERM');
  assert.is((await shell('exec sleep 20', { timeoutMs: 50 })).signal, 'SIGKILL');
  assert.is((await shell('pwd', { cwd: dir })).stdout.trim(), dir);
  assert.is((await shell('echo $X', { env: { X: 'only' } })).stdout, 'only\n');
  assert.is((await shell('exit 0', { input: 'x'.repeat(1 << 20) })).status, 0, 'input that nobody reads');
  const error = await runProgram('/nonexistent', []).then(
    () => undefined,
    (e: unknown) => e,
  );
  assert.ok(error instanceof TsboxError && error.code === 'HOST');
});

test.run();
