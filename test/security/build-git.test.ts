// run as: ranges

import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { scene } from '../support/build.ts';
import { type Canary, makeCanary } from '../support/canary.ts';
import { busybox } from '../support/ready.ts';
import { requires } from '../support/requires.ts';

/**
 * CVE-2026-44517, CVE-2022-39253, CVE-2017-1000117: a repository that is built from chooses submodules in directories of the machine or
 * transports that are programs, has links to the machine in it, or a Dockerfile that adds a repository of the machine.
 */
const test = requires(suite('security: repositories as contexts'), 'userns', 'busybox', 'git');

const DOCKERFILE = 'FROM scratch\nCOPY . /all/\n';

interface Repositories {
  readonly parent: string;
  readonly canary: Canary;
  readonly git: (dir: string, ...args: string[]) => string;
}

async function repositories(): Promise<Repositories> {
  const { home } = await busybox();
  const parent = mkdtempSync(join(home.dir, 'git-'));
  const canary = makeCanary(parent);
  const who = ['-c', 'user.name=t', '-c', 'user.email=t@example.org', '-c', 'protocol.file.allow=always'];
  const git = (dir: string, ...args: string[]): string => {
    const done = spawnSync('git', [...who, ...args], { cwd: dir, env: home.env, encoding: 'utf8' });
    assert.is(done.status, 0, done.stderr);
    return done.stdout.trim();
  };
  return { parent, canary, git };
}

/** A repository of the user's, which nobody was given. */
function secret({ parent, canary, git }: Repositories): string {
  const dir = join(parent, 'private.git');
  mkdirSync(dir);
  git(dir, 'init', '-q', '-b', 'main');
  writeFileSync(join(dir, 'secret'), canary.secret);
  git(dir, 'add', '.');
  git(dir, 'commit', '-q', '-m', 'x');
  return dir;
}

/** A hostile one with a submodule `m` at `url`. */
function hostile(all: Repositories, name: string, url?: string): string {
  const { parent, git } = all;
  const dir = join(parent, `${name}.git`);
  mkdirSync(dir);
  git(dir, 'init', '-q', '-b', 'main');
  writeFileSync(join(dir, 'Dockerfile'), DOCKERFILE);
  if (url !== undefined) {
    const commit = git(join(parent, 'private.git'), 'rev-parse', 'HEAD');
    writeFileSync(join(dir, '.gitmodules'), `[submodule "m"]\n\tpath = m\n\turl = ${url}\n`);
    mkdirSync(join(dir, 'm'));
    git(dir, 'update-index', '--add', '--cacheinfo', `160000,${commit},m`);
  }
  git(dir, 'add', '.');
  git(dir, 'commit', '-q', '-m', 'x');
  return dir;
}

test('submodules in directories of the machine, and by programs, are refused', async () => {
  const all = await repositories();
  const mine = secret(all);
  const marker = join(all.parent, 'ran');
  const { box } = await scene();
  const urls = [`file://${mine}`, mine, '../private.git', `ext::sh -c touch%20${marker}`, `fd::17`];
  for (const [i, url] of urls.entries()) {
    const repository = hostile(all, `evil${i}`, url);
    const done = await box('build', '-t', 'evil', `file://${repository}`);
    assert.is.not(done.code, 0, `${url}: ${done.stderr}`);
    assert.match(done.stderr, /git cannot submodule/, done.stderr);
    assert.not.match(done.stdout + done.stderr, all.canary.secret);
  }
  assert.equal(spawnSync('ls', [marker]).status !== 0, true, 'no program was run');
  all.canary.assertUntouched();
});

test('git itself would take such a submodule when it is allowed to', async () => {
  const all = await repositories();
  const repository = hostile(all, 'proof', `file://${secret(all)}`);
  all.git(all.parent, 'clone', '-q', '--recurse-submodules', repository, 'clone');
  assert.match(all.git(join(all.parent, 'clone/m'), 'show', 'HEAD:secret'), all.canary.secret);
});

test('ADD of a repository of the machine is refused: it is no part of the context', async () => {
  const all = await repositories();
  const mine = secret(all);
  const { try: attempt } = await scene();
  for (const source of [`file://${mine}`, `file://${mine}#main`]) {
    const done = await attempt(`FROM scratch\nADD ${source} /x`);
    assert.is.not(done.code, 0);
    assert.match(done.stderr, /a directory of this machine is no part of the context/);
  }
});

test('links in a repository lead nowhere, hooks are not run', async () => {
  const all = await repositories();
  const { parent, canary, git } = all;
  const dir = hostile(all, 'links');
  symlinkSync(canary.dir, join(dir, 'out'));
  symlinkSync(join(canary.dir, 'file'), join(dir, 'file'));
  writeFileSync(join(dir, 'Dockerfile'), 'FROM busybox\nCOPY out/file /got\n');
  git(dir, 'add', '.');
  git(dir, 'commit', '-q', '-m', 'links');
  // A template of the user's own would bring a hook.
  const template = join(parent, 'template/hooks');
  mkdirSync(template, { recursive: true });
  writeFileSync(join(template, 'post-checkout'), `#!/bin/sh\ntouch ${parent}/hooked\n`, { mode: 0o755 });
  const { box } = await scene();
  const own = box.with({ env: { GIT_TEMPLATE_DIR: join(parent, 'template') } });
  const done = await own('build', '-t', 'links', `file://${dir}`);
  assert.is.not(done.code, 0, done.stderr);
  assert.match(done.stderr, /not found/);
  assert.is.not(spawnSync('ls', [`${parent}/hooked`]).status, 0);
  canary.assertUntouched();
});

test.run();
