import {
  copyFileSync,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { capture, type Result } from '../support/cli.ts';
import { requires } from '../support/requires.ts';
import { singleFile } from '../support/runner/single-file.ts';
import { PROJECT, readProject } from '../support/source.ts';
import { tempHome } from '../support/temp-home.ts';

/** install.sh where the single-file executable is: as a release unpacks, and in a checkout; without Node, npm or a compiler. */
const test = requires(suite('install.sh with the single file'), 'user', 'exe');
const home = tempHome();
const link = join(home.dir, '.local/bin/tsbox');
const release = join(home.dir, 'release');
const checkout = join(home.dir, 'checkout');
const built = join(checkout, `dist/exe/tsbox-linux-${process.arch}`);

const COMPLETION = 'completions/bash-completion/completions/tsbox';

/** One copy for all: it has a hundred megabytes. */
const program = join(home.dir, 'program');

test.before(() => {
  makeBin();
  copyFileSync(singleFile(PROJECT), program);
  const made: Record<string, string[]> = {
    [release]: ['man/man1', dirname(COMPLETION)],
    [checkout]: ['src', 'dist/exe'],
  };
  for (const [where, directories] of Object.entries(made)) {
    for (const name of directories) mkdirSync(join(where, name), { recursive: true });
    writeFileSync(join(where, 'install.sh'), script, { mode: 0o755 });
  }
  linkSync(program, join(release, 'tsbox'));
  linkSync(program, built);
  writeFileSync(join(release, 'man/man1/tsbox.1'), '.TH TSBOX 1\n');
  writeFileSync(join(release, COMPLETION), 'complete -F _tsbox tsbox\n');
});

/** Everything of the machine but node, npm and the compiler. */
const bin = join(home.dir, 'bin');
const WITHOUT = /^(node|nodejs|npm|npx|cc|c\+\+|make|sudo|.*gcc.*|.*clang.*)$/;

function makeBin(): void {
  mkdirSync(bin);
  for (const dir of ['/usr/sbin', '/usr/bin'])
    for (const name of readdirSync(dir))
      if (!WITHOUT.test(name) && !existsSync(join(bin, name))) symlinkSync(join(dir, name), join(bin, name));
}

/** The script adds the directories of system tools, where those programs are, too. */
const script = readProject('install.sh').replace('PATH="$PATH:/usr/sbin:/sbin"', 'PATH="$PATH"');
const bare = { env: { PATH: bin } };

const install = (where: string, ...args: string[]): Promise<Result> =>
  capture(join(where, 'install.sh'), args, home, { cwd: where, ...bare });

test('from a release: linked, with its manual, and it works; nothing is built', async () => {
  const done = await install(release, '--no-packages');
  assert.is(done.code, 0, done.stdout + done.stderr);
  assert.is(readlinkSync(link), join(release, 'tsbox'));
  assert.not.match(done.stdout, /Missing: .*(node|npm|cc|make)/);
  assert.is(readlinkSync(join(home.dir, '.local/share/man/man1/tsbox.1')), join(release, 'man/man1/tsbox.1'));
  const completion = join(home.dir, '.local/share/bash-completion/completions/tsbox');
  assert.is(readlinkSync(completion), join(release, COMPLETION));
  const version = await capture(link, ['--version'], home, bare);
  assert.equal([version.code, version.stderr], [0, '']);
});

test('--uninstall of a release takes away the links and the unpacked helper, and leaves what was unpacked by hand', async () => {
  await capture(link, ['run', '--rm', '--network', 'none', 'host', 'true'], home);
  const cache = join(home.dir, '.cache/tsbox');
  assert.is(readdirSync(cache).filter(name => name.startsWith('helper-')).length, 1);
  const done = await install(release, '--uninstall');
  assert.is(done.code, 0, done.stdout + done.stderr);
  for (const name of ['man/man1/tsbox.1', 'bash-completion/completions/tsbox'])
    assert.not(existsSync(join(home.dir, '.local/share', name)), name);
  assert.not(existsSync(link));
  assert.equal(readdirSync(cache), []);
  assert.ok(existsSync(join(release, 'tsbox')));
});

test('--uninstall --purge asks the executable to remove containers and images', async () => {
  assert.is((await install(release)).code, 0);
  await capture(link, ['ps'], home);
  assert.ok(existsSync(home.store));
  const done = await install(release, '--uninstall', '--purge');
  assert.is(done.code, 0, done.stdout + done.stderr);
  assert.not(existsSync(home.store));
});

test('in a checkout the one that was built is used, unless --node says otherwise', async () => {
  assert.is((await install(checkout)).code, 0);
  assert.is(readlinkSync(link), built);
  assert.is((await install(checkout, '--uninstall')).code, 0);
  assert.not(existsSync(link));
  mkdirSync(join(checkout, 'dist/exe'), { recursive: true });
  linkSync(program, built);
  const node = await install(checkout, '--node', '--no-packages');
  assert.equal([node.code, /Node.js 20.* is needed/.test(node.stderr)], [1, true], node.stderr);
});

test('one that is older than the sources is not used, and neither is one that does not run', async () => {
  writeFileSync(join(checkout, 'src/newer.ts'), '');
  const later = Date.now() / 1000 + 100;
  utimesSync(join(checkout, 'src/newer.ts'), later, later);
  const old = await install(checkout, '--no-packages');
  assert.is(old.code, 1);
  assert.match(old.stdout, /the sources are newer: .*npm run build:exe/);
  const broken = join(home.dir, 'broken');
  mkdirSync(broken);
  writeFileSync(join(broken, 'install.sh'), script, { mode: 0o755 });
  writeFileSync(join(broken, 'tsbox'), '#!/bin/sh\nexit 126\n', { mode: 0o755 });
  const done = await install(broken);
  assert.equal([done.code, /does not run on this machine/.test(done.stdout)], [1, true]);
  assert.match(done.stderr, /take the release for its architecture/);
});

test.run();
