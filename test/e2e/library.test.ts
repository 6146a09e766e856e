import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { capture } from '../support/cli.ts';
import { busyboxImage } from '../support/images.ts';
import { push } from '../support/push.ts';
import { startRegistry } from '../support/registry.ts';
import { requires } from '../support/requires.ts';
import { PROJECT, readProject } from '../support/source.ts';
import { tempHome } from '../support/temp-home.ts';

/** The lines of the README that show the library, run as they stand there, in a program that imports the package. */
const test = requires(suite('library'), 'userns', 'busybox', 'registry');

function program(name: string, code: string): string {
  const dir = join(tempHome().dir, 'program');
  mkdirSync(join(dir, 'node_modules'), { recursive: true });
  try {
    symlinkSync(PROJECT, join(dir, 'node_modules/tsbox'));
  } catch {} // made by an earlier test
  writeFileSync(join(dir, 'package.json'), '{"type":"module"}');
  writeFileSync(join(dir, name), code);
  return join(dir, name);
}

test('the example of the README', async () => {
  const registry = await startRegistry();
  await push(registry, 'library/alpine', 'latest', busyboxImage());
  const home = tempHome();
  mkdirSync(join(home.dir, '.config/tsbox'), { recursive: true });
  writeFileSync(
    join(home.dir, '.config/tsbox/config.toml'),
    `[registries.mirrors]\n"docker.io" = ["http://${registry.host}"]\n`,
  );
  const [, code = ''] = /```(?:ts|js)\n(import \{ Tsbox[\s\S]*?)```/.exec(readProject('README.md')) ?? [];
  assert.ok(code.split('\n').length >= 8, 'README has an example');
  // .mjs: what stands there must be valid without a compiler, too
  const done = await capture(process.execPath, [program('example.mjs', code)], home);
  await registry.stop();
  assert.equal([done.code, done.stderr], [0, ''], done.stdout);
  assert.match(done.stdout, 'tsbox test image');
});

test('errors are TsboxErrors with a code and a hint', async () => {
  const code = `
    import { Tsbox, TsboxError } from 'tsbox';
    const tsbox = await Tsbox.open();
    try { await tsbox.run({ image: 'nothing', pull: 'never' }); } catch (e) {
      console.log(e instanceof TsboxError, e.code, typeof e.message);
    }`;
  const done = await capture(process.execPath, [program('errors.mjs', code)], tempHome());
  assert.equal([done.stdout, done.stderr], ['true NOT_FOUND string\n', '']);
});

test('nothing but the public API is exported', async () => {
  const code = `import * as all from 'tsbox'; console.log(Object.keys(all).sort().join(' '));`;
  const done = await capture(process.execPath, [program('names.mjs', code)], tempHome());
  assert.is(done.stdout, 'ERROR_CODES Tsbox TsboxError silentReporter\n', done.stderr);
});

test('importing it does nothing: no file, no output', async () => {
  const home = tempHome('untouched');
  const done = await capture(process.execPath, [program('import.mjs', `import 'tsbox';`)], home);
  assert.equal([done.code, done.stdout, done.stderr], [0, '', '']);
  const { existsSync } = await import('node:fs');
  assert.not(existsSync(home.store));
});

test.run();
