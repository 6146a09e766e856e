import { spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { capture, type Result } from '../support/cli.ts';
import { installed, npmRegistry, type Packed, packed } from '../support/npm-registry.ts';
import { requires } from '../support/requires.ts';
import { PROJECT } from '../support/source.ts';
import { tempHome } from '../support/temp-home.ts';

// run as: ranges
/** `npm install -g tsbox` from the packages that a release publishes, and a registry of the test's own: no network. */
const test = requires(suite('npm'), 'user', 'userns', 'cc', 'make', 'npm');
const home = tempHome();
const out = join(home.dir, 'packages');
const HELPER = `tsbox-helper-linux-${process.arch}`;
let project: Packed;
let helper: Packed;
let others: Packed[] = [];

test.before(() => {
  mkdirSync(out);
  const args = [out, process.arch, join(PROJECT, 'dist/tsbox-helper')];
  const done = spawnSync(join(PROJECT, 'scripts/pack-npm'), args, { env: home.env, encoding: 'utf8' });
  assert.is(done.status, 0, done.stderr);
  const file = (prefix: RegExp): string => join(out, readdirSync(out).find(n => prefix.test(n)) ?? 'none');
  project = packed(file(/^tsbox-\d/));
  helper = packed(file(/^tsbox-helper/));
  others = ['koffi', 'undici', `@koromix/koffi-linux-${process.arch}`].map(installed);
});

/** The helper as it comes is made by every build: here it only has to be made, quickly. */
const QUICK = { MAKEFLAGS: '-- CFLAGS=-O0' };

/** Into a prefix of its own; the command's path and what npm said. */
async function install(prefix: string, packages: readonly Packed[], ...flags: string[]) {
  const registry = await npmRegistry(packages);
  const npm = ['install', '-g', '--prefix', join(home.dir, prefix), '--registry', registry.url, ...flags];
  const cache = ['--cache', join(home.dir, `cache-${prefix}`), '--no-audit', '--no-fund', 'tsbox'];
  const done = await capture('npm', [...npm, ...cache], home, { limit: 120_000, env: QUICK }).finally(
    registry.stop,
  );
  assert.is(done.code, 0, done.stdout + done.stderr);
  return { command: join(home.dir, prefix, 'bin/tsbox'), tree: join(home.dir, prefix, 'lib/node_modules') };
}

const hello = (command: string): Promise<Result> =>
  capture(command, ['run', '--rm', '--network', 'none', 'host', 'echo', 'hello'], home);

test('without scripts, where the helper is a package: nothing is compiled', async () => {
  const { command, tree } = await install('prebuilt', [project, helper, ...others], '--ignore-scripts');
  assert.not(existsSync(join(tree, 'tsbox/dist/tsbox-helper')));
  assert.ok(existsSync(join(tree, 'tsbox/node_modules', HELPER, 'tsbox-helper')));
  const done = await hello(command);
  assert.equal([done.code, done.stdout], [0, 'hello\n'], done.stderr);
});

test('the tree is small: two packages beside the helper, and what koffi brings', async () => {
  const tree = join(home.dir, 'prebuilt/lib/node_modules/tsbox');
  const names = readdirSync(join(tree, 'node_modules')).filter(n => !n.startsWith('.'));
  assert.equal(names.sort(), ['@koromix', 'koffi', HELPER, 'undici']);
  const size = readdirSync(tree, { recursive: true, withFileTypes: true })
    .filter(e => e.isFile())
    .reduce((sum, e) => sum + statSync(join(e.parentPath, e.name)).size, 0);
  assert.ok(size < 20_000_000, `${size} bytes`);
});

test('with scripts and a compiler, where there is no such package: the helper is built', async () => {
  // npm asks nobody here, but may want to be told which packages run scripts; those of others are not needed.
  const { command, tree } = await install('compiled', [project, ...others], '--allow-scripts=tsbox');
  assert.ok(statSync(join(tree, 'tsbox/dist/tsbox-helper')).mode & 0o100);
  const done = await hello(command);
  assert.equal([done.code, done.stdout], [0, 'hello\n'], done.stderr);
});

test('with neither it says the command that builds the helper, and that command helps', async () => {
  const { command, tree } = await install('neither', [project, ...others], '--ignore-scripts');
  const done = await hello(command);
  assert.is(done.code, 125);
  assert.match(done.stderr, /the helper program is missing/);
  const [, make = 'none'] = /hint: build it: (make -C [^\s;]+)/.exec(done.stderr) ?? [];
  assert.is(make, `make -C ${join(tree, 'tsbox/helpers')}`, done.stderr);
  const built = spawnSync('sh', ['-c', make], { env: { ...home.env, ...QUICK }, encoding: 'utf8' });
  assert.is(built.status, 0, built.stderr);
  assert.equal((await hello(command)).stdout, 'hello\n');
});

test('a helper begins beside Node wherever it lies; of two packages, forced upon a machine, none is guessed', async () => {
  const bin = join(home.dir, 'stub');
  mkdirSync(bin);
  writeFileSync(join(bin, 'node'), '#!/bin/sh\nset -- $TSBOX_BOOT\necho begun: $1\n', { mode: 0o755 });
  const env = { PATH: `${bin}:/usr/bin:/bin` };
  const begun = async (prefix: string): Promise<string> =>
    (await capture(join(home.dir, prefix, 'bin/tsbox'), ['run', 'x'], home, { env })).stdout;
  assert.is(await begun('prebuilt'), 'begun: supervise\n');
  assert.is(await begun('compiled'), 'begun: supervise\n');
  const packages = join(home.dir, 'prebuilt/lib/node_modules/tsbox/node_modules');
  cpSync(join(packages, HELPER), join(packages, `${HELPER}64`), { recursive: true });
  assert.is(await begun('prebuilt'), 'begun:\n');
  rmSync(join(packages, `${HELPER}64`), { recursive: true });
});

test('the package holds exactly what it should', () => {
  const file = readdirSync(out).find(n => /^tsbox-\d/.test(n)) ?? '';
  const list = spawnSync('tar', ['-tzf', join(out, file)], { encoding: 'utf8' })
    .stdout.trim()
    .split('\n');
  const kinds = new Set(list.map(path => KINDS.find(([pattern]) => pattern.test(path))?.[1] ?? path));
  for (const name of kinds)
    assert.ok(
      KINDS.some(([, kind]) => kind === name),
      `a stranger: ${name}`,
    );
  for (const [, kind] of KINDS)
    if (!['manual', 'completion', 'licences'].includes(kind)) assert.ok(kinds.has(kind), `missing: ${kind}`);
  const types = list.filter(path => /^package\/dist\/types\/(bundle|cli|exe|userns)\//.test(path));
  assert.equal(types, []);
});

const KINDS: readonly (readonly [RegExp, string])[] = [
  [/^package\/(README|CHANGELOG|SECURITY)\.md$|^package\/LICENSE$/, 'texts'],
  [/^package\/package\.json$/, 'manifest'],
  [/^package\/install\.sh$/, 'install.sh'],
  [/^package\/dist\/(tsbox(\.main|\.run|\.list|\.net|\.group|\.rest)?|userns)\.cjs$/, 'programs'],
  [/^package\/dist\/index\.js$/, 'library'],
  [/^package\/dist\/types\/[\w./-]+\.d\.ts$/, 'types'],
  [/^package\/dist\/seccomp\/[\w.-]+$/, 'filters'],
  [/^package\/dist\/man\/man1\/tsbox[\w.-]*\.1$/, 'manual'],
  [/^package\/dist\/completions\/[\w./-]+$/, 'completion'],
  [/^package\/dist\/THIRD-PARTY\.txt$/, 'licences'],
  [/^package\/docs\/[\w./-]+\.md$/, 'docs'],
  [/^package\/helpers\/[\w/-]+\.[ch]$|^package\/helpers\/Makefile$/, 'source of the helper'],
];

test('the manifest: two dependencies, the helpers, one command, one entry with types', () => {
  const manifest = project.manifest as unknown as Record<string, Record<string, unknown>>;
  assert.equal(Object.keys(manifest.dependencies ?? {}), ['koffi', 'undici']);
  assert.equal(
    Object.keys(manifest.optionalDependencies ?? {}),
    ['x64', 'arm64'].map(a => `tsbox-helper-linux-${a}`),
  );
  assert.is(manifest.devDependencies, undefined);
  const tree = join(home.dir, 'prebuilt/lib/node_modules/tsbox');
  const entry = manifest.exports?.['.'] as { types: string; default: string };
  for (const path of [entry.types, entry.default, ...Object.values(manifest.bin ?? {})])
    assert.ok(readFileSync(join(tree, String(path))).length > 0, String(path));
});

test.run();
