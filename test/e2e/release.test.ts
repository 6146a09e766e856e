import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { capture, type Result } from '../support/cli.ts';
import { requires } from '../support/requires.ts';
import { filesBelow, PROJECT } from '../support/source.ts';
import { tempHome } from '../support/temp-home.ts';
import { eventually } from '../support/within.ts';

// run as: ranges
/** `npm run release` in a fresh copy of the project, and what it makes, as it comes: for a user and a home that know nothing of Node. */
const test = requires(
  suite('release'),
  'long',
  'once',
  'user',
  'userns',
  'exe',
  'qemu-arm64',
  'npm',
  'make',
  'busybox',
);
const home = tempHome();
const clone = join(home.dir, 'clone');
const out = join(clone, 'dist/release');
const { version } = JSON.parse(readFileSync(join(PROJECT, 'package.json'), 'utf8')) as { version: string };
const tarball = (arch: string): string => `tsbox-${version}-linux-${arch}.tar.gz`;
const unpacked = join(home.dir, `tsbox-${version}`);
const program = join(unpacked, 'tsbox');

/** As git has it, with the npm packages there; Bun is among them, since the executable has been built. */
function copyProject(): void {
  mkdirSync(clone);
  for (const entry of readdirSync(PROJECT, { withFileTypes: true }))
    if (entry.isFile()) copyFileSync(join(PROJECT, entry.name), join(clone, entry.name));
  for (const dir of ['src', 'helpers', 'docs', 'scripts'])
    for (const path of filesBelow(dir, '').filter(p => !p.startsWith('helpers/build/') && !p.endsWith('.o')))
      cpSync(join(PROJECT, path), join(clone, path));
  symlinkSync(join(PROJECT, 'node_modules'), join(clone, 'node_modules'));
}

test('it builds everything and names it with its checksums', async () => {
  copyProject();
  const options = { cwd: clone, limit: 1_200_000, env: { SOURCE_DATE_EPOCH: '1700000000' } };
  const done = await capture('npm', ['run', '-s', 'release'], home, options);
  assert.is(done.code, 0, done.stdout + done.stderr);
  const packages = ['', '-helper-linux-arm64', '-helper-linux-x64'].map(
    name => `tsbox${name}-${version}.tgz`,
  );
  const names = [...packages, tarball('arm64'), tarball('x64')];
  assert.equal(readdirSync(out).sort(), ['SHA256SUMS', ...names].sort());
  const check = spawnSync('sha256sum', ['-c', 'SHA256SUMS'], { cwd: out, encoding: 'utf8' });
  assert.is(check.status, 0, check.stderr);
  assert.is(check.stdout.match(/: OK$/gm)?.length, names.length);
});

test('the archives hold one directory: program, manual, completion, licences, documents; nobody’s files, of one time', () => {
  for (const arch of ['x64', 'arm64']) {
    const list = spawnSync('tar', ['--utc', '-tvzf', join(out, tarball(arch))], { encoding: 'utf8' })
      .stdout.trim()
      .split('\n');
    const paths = list.map(line => line.replace(/.* tsbox-[^/]*\/?/, ''));
    for (const name of WANTED) assert.ok(paths.includes(name), `${arch}: ${name}`);
    assert.equal(
      paths.filter(path => !KNOWN.test(path)),
      [],
    );
    assert.equal(
      list.filter(line => !/^\S+ 0\/0 +\d+ 2023-11-14 \d\d:\d\d /.test(line)),
      [],
    );
  }
});

const WANTED = [
  'tsbox',
  'install.sh',
  'LICENSE',
  'THIRD-PARTY.txt',
  'README.md',
  'man/man1/tsbox.1',
  'man/man1/tsbox-run.1',
  'completions/bash-completion/completions/tsbox',
  'completions/zsh/site-functions/_tsbox',
  'completions/fish/vendor_completions.d/tsbox.fish',
  'docs/errors.md',
];
const KNOWN =
  /^$|^(tsbox|install\.sh|LICENSE|THIRD-PARTY\.txt|(README|CHANGELOG|SECURITY)\.md)$|^(man|completions|docs)\/[\w./-]*$/;

/** Everything of the machine but Node, npm and compilers. */
const bin = join(home.dir, 'bin');
const WITHOUT = /^(node|nodejs|npm|npx|bun|cc|c\+\+|make|.*gcc.*|.*clang.*)$/;

function makeBin(): void {
  mkdirSync(bin);
  for (const dir of ['/usr/sbin', '/usr/bin'])
    for (const name of readdirSync(dir))
      if (!WITHOUT.test(name) && !existsSync(join(bin, name))) symlinkSync(join(dir, name), join(bin, name));
}

/** `env -i`: the home and a PATH is all it has. */
const fresh = tempHome('fresh');
const bare = (args: readonly string[], command = program): Promise<Result> =>
  capture('env', ['-i', `HOME=${fresh.dir}`, `PATH=${bin}`, command, ...args], fresh, {
    cwd: fresh.dir,
    limit: 120_000,
  });

async function ok(...args: string[]): Promise<string> {
  const done = await bare(args);
  assert.equal([done.code, done.stderr], [0, ''], args.join(' '));
  return done.stdout.trim();
}

test('unpacked, it works in a fresh home without Node: run, exec, build, commit, cp', async () => {
  makeBin();
  spawnSync('tar', ['-C', home.dir, '-xzf', join(out, tarball(process.arch))]);
  assert.is(await ok('--version'), `tsbox version ${version}`);
  const context = join(fresh.dir, 'context');
  mkdirSync(context);
  copyFileSync('/bin/busybox', join(context, 'busybox'));
  const lines = [
    'FROM scratch',
    'COPY busybox /bin/',
    'RUN ["/bin/busybox", "--install", "/bin"]',
    'RUN echo built > /it',
  ];
  writeFileSync(join(context, 'Dockerfile'), lines.join('\n'));
  await ok('build', '-q', '--network', 'none', '-t', 'it', context);
  assert.is(await ok('run', '--rm', '--network', 'none', 'it', 'cat', '/it'), 'built');
  await ok(
    'run',
    '-d',
    '--name',
    'one',
    '--network',
    'none',
    'it',
    'sh',
    '-c',
    'echo new > /new; sleep 1000',
  );
  assert.is(await ok('exec', 'one', 'cat', '/it'), 'built');
  await ok('cp', '-q', 'one:/it', join(fresh.dir, 'it'));
  assert.is(readFileSync(join(fresh.dir, 'it'), 'utf8'), 'built\n');
  await ok('commit', 'one', 'two');
  assert.match(await ok('diff', 'one'), /^A \/new$/m);
  await ok('rm', '-f', 'one');
});

test('it executes itself where Node would be executed: who waits to start a container again', async () => {
  const id = await ok('run', '-d', '--restart', 'always', '--network', 'none', 'it', 'sh', '-c', 'exit 3');
  const file = join(fresh.store, 'containers', id, 'restart.json');
  const waiter = (): string =>
    (JSON.parse(readFileSync(file, 'utf8')) as { waiter: string }).waiter.split('-')[0] ?? '';
  const executed = (): string | false => {
    try {
      return readlinkSync(`/proc/${waiter()}/exe`);
    } catch {
      return false; // none, or gone already
    }
  };
  assert.is(await eventually(20_000, 'one that waits', executed), program);
  await ok('rm', '-f', id);
});

test('its install.sh links the command, the manual and the completion, and takes them away', async () => {
  const done = await bare(['--no-packages'], join(unpacked, 'install.sh'));
  assert.is(done.code, 0, done.stdout + done.stderr);
  const links = ['bin/tsbox', 'share/man/man1/tsbox-run.1', 'share/bash-completion/completions/tsbox'];
  for (const name of links) assert.ok(existsSync(join(fresh.dir, '.local', name)), name);
  const removed = await bare(['--uninstall', '--purge'], join(unpacked, 'install.sh'));
  assert.is(removed.code, 0, removed.stdout + removed.stderr);
  for (const name of links) assert.not(existsSync(join(fresh.dir, '.local', name)), name);
  assert.not(existsSync(fresh.store));
});

test.run();
