import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
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
import { defaultConfig } from '../../../src/host/config.ts';
import { openPaths } from '../../../src/host/paths.ts';

const test = suite<{ dir: string; saved: Record<string, string | undefined> }>('host/paths');
const VARIABLES = ['TSBOX_ROOT', 'TSBOX_RUNTIME_DIR', 'XDG_DATA_HOME', 'XDG_RUNTIME_DIR'];
const isRoot = process.geteuid?.() === 0;

test.before.each(context => {
  context.dir = mkdtempSync(join(tmpdir(), 'tsbox-paths-'));
  context.saved = Object.fromEntries(VARIABLES.map(name => [name, process.env[name]]));
  for (const name of VARIABLES) delete process.env[name];
});

test.after.each(context => {
  for (const name of VARIABLES) {
    const value = context.saved[name];
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  }
  rmSync(context.dir, { recursive: true, force: true });
});

const both = (dir: string) => ({ root: join(dir, 'store'), runtimeDir: join(dir, 'run') });
const mode = (path: string): string => (statSync(path).mode & 0o7777).toString(8);

async function refusal(work: Promise<unknown>): Promise<TsboxError> {
  const error = await work.then(
    () => undefined,
    (e: unknown) => e,
  );
  if (error instanceof TsboxError) return error;
  throw new Error(`no TsboxError but ${String(error)}`);
}

test('everything is made, closed to others, and opening again changes nothing', async ({ dir }) => {
  const paths = await openPaths(defaultConfig(), both(dir));
  for (const path of [
    paths.root,
    paths.images,
    paths.layers,
    paths.containers,
    paths.volumes,
    paths.tmp,
    paths.runtime,
  ]) {
    assert.is(mode(path), '700', path);
  }
  const before = readdirSync(paths.root).sort();
  assert.equal(before, ['containers', 'images', 'layers', 'networks', 'tmp', 'version', 'volumes']);
  assert.equal(await openPaths(defaultConfig(), both(dir)), paths);
  assert.equal(readdirSync(paths.root).sort(), before);
  assert.equal(readdirSync(paths.tmp), []);
});

test('flag, then environment, then config', async ({ dir }) => {
  const config = { ...defaultConfig(), root: join(dir, 'c'), runtimeDir: join(dir, 'cr') };
  assert.is((await openPaths(config)).root, join(dir, 'c'));
  process.env.TSBOX_ROOT = join(dir, 'e');
  process.env.TSBOX_RUNTIME_DIR = join(dir, 'er');
  const fromEnvironment = await openPaths(config);
  assert.is(fromEnvironment.root, join(dir, 'e'));
  assert.is(fromEnvironment.runtime, join(dir, 'er'));
  assert.is((await openPaths(config, { root: join(dir, 'f') })).root, join(dir, 'f'));
  process.env.TSBOX_ROOT = '';
  assert.is((await openPaths(config)).root, join(dir, 'c'), 'an empty variable is none');
});

test('XDG directories of a user', async ({ dir }) => {
  if (isRoot) return;
  process.env.XDG_DATA_HOME = join(dir, 'data');
  process.env.XDG_RUNTIME_DIR = dir;
  const paths = await openPaths(defaultConfig());
  assert.is(paths.root, join(dir, 'data/tsbox'));
  assert.is(paths.runtime, join(dir, 'tsbox'));
});

test('a store of another format is refused and left alone', async ({ dir }) => {
  const { root } = both(dir);
  mkdirSync(root);
  writeFileSync(join(root, 'version'), '2\n');
  const error = await refusal(openPaths(defaultConfig(), both(dir)));
  assert.is(error.code, 'STORE_VERSION');
  assert.match(error.message, /has format "2", this tsbox knows 1/);
  assert.equal(readdirSync(root), ['version']);
});

test('a directory with other things in it does not become a store', async ({ dir }) => {
  const { root } = both(dir);
  mkdirSync(root);
  writeFileSync(join(root, 'thesis.tex'), '');
  const error = await refusal(openPaths(defaultConfig(), both(dir)));
  assert.is(error.code, 'STORE_VERSION');
  assert.match(error.message, /holds "thesis.tex" and is no store/);
  assert.equal(readdirSync(root), ['thesis.tex']);
});

test('a store that was being made when somebody pulled the plug is finished', async ({ dir }) => {
  const { root } = both(dir);
  mkdirSync(join(root, 'images'), { recursive: true });
  await openPaths(defaultConfig(), both(dir));
  assert.ok(readdirSync(root).includes('version'));
});

test('a root that is a file', async ({ dir }) => {
  writeFileSync(join(dir, 'store'), '');
  assert.is((await refusal(openPaths(defaultConfig(), both(dir)))).code, 'IO');
});

test('doors that were opened are closed again', async ({ dir }) => {
  const paths = await openPaths(defaultConfig(), both(dir));
  chmodSync(paths.root, 0o755);
  chmodSync(paths.runtime, 0o777);
  await openPaths(defaultConfig(), both(dir));
  assert.is(mode(paths.root), '700');
  assert.is(mode(paths.runtime), '700');
});

test('a runtime directory that is a link is not followed', async ({ dir }) => {
  mkdirSync(join(dir, 'elsewhere'), { mode: 0o755 });
  symlinkSync('elsewhere', join(dir, 'run'));
  const error = await refusal(openPaths(defaultConfig(), both(dir)));
  assert.is(error.code, 'IO');
  assert.is(mode(join(dir, 'elsewhere')), '755');
});

test('a runtime directory of somebody else', async ({ dir }) => {
  if (isRoot) return;
  const error = await refusal(openPaths(defaultConfig(), { ...both(dir), runtimeDir: '/proc/1' }));
  assert.is(error.code, 'IO');
});

test.run();
