import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readlinkSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { capture, type Result } from '../support/cli.ts';
import { requires } from '../support/requires.ts';
import { filesBelow, PROJECT, readProject } from '../support/source.ts';
import { type TempHome, tempHome } from '../support/temp-home.ts';

/** install.sh as a normal user in a fresh copy of the project, with the npm packages there and no network. */
const test = requires(suite('install.sh'), 'user', 'cc', 'make');
const home = tempHome();
const clone = join(home.dir, 'clone');
const link = join(home.dir, '.local/bin/tsbox');

function copyProject(): void {
  for (const file of ['package.json', 'package-lock.json', 'tsconfig.json', 'install.sh']) {
    mkdirSync(clone, { recursive: true });
    copyFileSync(join(PROJECT, file), join(clone, file));
  }
  for (const dir of ['src', 'helpers']) {
    for (const path of filesBelow(dir, '').filter(
      p => !p.startsWith('helpers/build/') && !p.endsWith('.o'),
    )) {
      cpSync(join(PROJECT, path), join(clone, path));
    }
  }
  symlinkSync(join(PROJECT, 'node_modules'), join(clone, 'node_modules'));
}

const install = (...args: string[]): Promise<Result> =>
  capture(join(clone, 'install.sh'), args, home, { cwd: clone, limit: 120_000 });

test('it is a shell script without complaints', () => {
  assert.is(spawnSync('sh', ['-n', join(PROJECT, 'install.sh')]).status, 0);
  assert.match(readProject('install.sh'), /^#!\/bin\/sh\nset -eu$|^#!\/bin\/sh\n/);
});

test('it builds, links, says how to run; the command works', async () => {
  copyProject();
  const done = await install();
  assert.is(done.code, 0, done.stdout + done.stderr);
  assert.match(done.stdout, /tsbox run --rm host/);
  assert.match(done.stdout, /not in your PATH/);
  assert.is(readlinkSync(link), join(clone, 'dist/tsbox.cjs'));
  const version = await capture(link, ['--version'], home);
  assert.equal([version.code, version.stderr], [0, '']);
});

const page = join(home.dir, '.local/share/man/man1/tsbox-volume-create.1');

test('the manual is where man looks', () => {
  assert.is(readlinkSync(page), join(clone, 'dist/man/man1/tsbox-volume-create.1'));
  assert.ok(existsSync(page));
});

test('the helper is static', () => {
  const said = spawnSync('ldd', [join(clone, 'dist/tsbox-helper')], { encoding: 'utf8' });
  assert.match(said.stdout + said.stderr, /not a dynamic executable|statically linked/);
});

test('the second time nothing is built again', async () => {
  const before = statSync(join(clone, 'dist/tsbox.cjs')).mtimeMs;
  const done = await install();
  assert.is(done.code, 0, done.stderr);
  assert.match(done.stdout, 'Built already');
  assert.is(statSync(join(clone, 'dist/tsbox.cjs')).mtimeMs, before);
  assert.ok(done.duration < 3000, `${done.duration} ms`);
});

test('--prefix', async () => {
  const prefix = join(home.dir, 'elsewhere');
  assert.is((await install('--prefix', prefix)).code, 0);
  assert.ok(lstatSync(join(prefix, 'bin/tsbox')).isSymbolicLink());
  assert.is((await install('--uninstall', `--prefix=${prefix}`)).code, 0);
  assert.not(existsSync(join(prefix, 'bin/tsbox')));
  assert.is((await install()).code, 0);
});

test('a file of somebody else is not replaced', async () => {
  const prefix = join(home.dir, 'taken');
  mkdirSync(join(prefix, 'bin'), { recursive: true });
  writeFileSync(join(prefix, 'bin/tsbox'), 'mine');
  const done = await install('--prefix', prefix);
  assert.equal([done.code, /not a link of ours/.test(done.stderr)], [1, true]);
});

test('missing programs: one exact line for the administrator', async () => {
  const bin = bareBin(home, ['slirp4netns', 'fuse-overlayfs', 'newuidmap', 'sudo']);
  const env = { PATH: `${bin}` };
  const script = readProject('install.sh').replace('PATH="$PATH:/usr/sbin:/sbin"', 'PATH="$PATH"');
  writeFileSync(join(clone, 'install-bare.sh'), script, { mode: 0o755 });
  const done = await capture(join(clone, 'install-bare.sh'), [], home, { cwd: clone, env });
  assert.is(done.code, 0, done.stdout + done.stderr);
  const line = done.stdout.split('\n').filter(l => l.startsWith('For the administrator: '));
  assert.is(line.length, 1, done.stdout);
  assert.match(line[0] ?? '', /apt-get install -y --no-install-recommends slirp4netns fuse-overlayfs uidmap/);
});

/** A directory with links to every program of the machine except some. */
function bareBin(where: TempHome, without: readonly string[]): string {
  const dir = join(where.dir, 'bare-bin');
  mkdirSync(dir);
  const script =
    'for d in /bin /sbin /usr/bin /usr/sbin /usr/local/bin; do for f in $d/*; do ln -s "$f" "$1/" 2>/dev/null; done; done';
  spawnSync('sh', [
    '-c',
    `${script}; ln -sf "$2" "$1/node"; cd "$1" && rm -f ${without.join(' ')}`,
    'sh',
    dir,
    process.execPath,
  ]);
  return dir;
}

test('unknown arguments', async () => {
  const done = await install('--frobnicate');
  assert.equal([done.code, /--frobnicate/.test(done.stderr)], [1, true]);
  assert.is((await install('--help')).code, 0);
});

test('--uninstall takes it all away and says where the store is', async () => {
  await capture(link, ['ps'], home);
  const done = await install('--uninstall');
  assert.is(done.code, 0, done.stderr);
  assert.match(done.stdout, home.store);
  for (const path of [link, page, join(clone, 'dist'), join(clone, 'helpers/build')])
    assert.is(lstatSync(path, { throwIfNoEntry: false }), undefined, path);
  assert.ok(existsSync(join(clone, 'node_modules/uvu')), 'packages that it did not fetch stay');
});

test('--uninstall --purge removes the store, too', async () => {
  assert.is((await install()).code, 0);
  const done = await install('--uninstall', '--purge');
  assert.is(done.code, 0, done.stderr);
  assert.not(existsSync(home.store));
});

test.run();
