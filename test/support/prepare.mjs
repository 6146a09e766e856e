// Runs before `npm test`, on plain Node: installs what the tests need (npm packages; as root also programs) and builds.
// Whatever cannot be had is named here; the tests that need it are skipped with that reason.
import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const say = text => process.stderr.write(`prepare: ${text}\n`);
const run = (program, args, options = {}) =>
  spawnSync(program, args, { cwd: root, stdio: ['ignore', 2, 2], ...options }).status === 0;
const found = name => spawnSync('sh', ['-c', `PATH=$PATH:/usr/sbin:/sbin command -v ${name}`]).status === 0;

/** Program (or file) and the Debian package that has it. */
const PROGRAMS = {
  cc: 'gcc libc6-dev linux-libc-dev',
  make: 'make',
  git: 'git',
  ip: 'iproute2',
  nft: 'nftables',
  newuidmap: 'uidmap',
  slirp4netns: 'slirp4netns',
  'fuse-overlayfs': 'fuse-overlayfs',
  'docker-registry': 'docker-registry',
  debootstrap: 'debootstrap',
  busybox: 'busybox-static',
  skopeo: 'skopeo',
  script: 'bsdutils',
  curl: 'curl',
  zstd: 'zstd',
};

function writable(path) {
  try {
    accessSync(path, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

function npmPackages() {
  if (existsSync(join(root, 'node_modules/tsx/package.json'))) return;
  say('npm ci');
  if (!run('npm', ['ci', '--no-audit', '--no-fund'])) process.exit(1);
}

function busyboxIsStatic() {
  return existsSync('/bin/busybox') && !readFileSync('/bin/busybox').includes('/lib64/ld-linux');
}

function programs() {
  const missing = Object.keys(PROGRAMS).filter(name =>
    name === 'busybox' ? !busyboxIsStatic() : !found(name),
  );
  if (missing.length === 0) return;
  const packages = missing.flatMap(name => PROGRAMS[name].split(' '));
  if (process.getuid() !== 0 || !found('apt-get')) {
    say(`missing: ${missing.join(', ')}; an administrator can run: apt-get install ${packages.join(' ')}`);
    return;
  }
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const install = ['install', '-y', '--no-install-recommends', ...packages];
  say(`apt-get ${install.join(' ')}`);
  if (!run('apt-get', install, { env })) {
    run('apt-get', ['update'], { env });
    run('apt-get', install, { env });
  }
  // the package starts a registry of its own; the tests start theirs
  if (missing.includes('docker-registry')) spawnSync('systemctl', ['disable', '--now', 'docker-registry']);
}

function build() {
  if (!writable(root)) {
    say('the project is not yours to build; testing what dist/ holds');
    return;
  }
  if (!run('npm', ['run', '-s', 'build:helper'])) process.exit(1);
  if (!run('npm', ['run', '-s', 'build:js'])) process.exit(1);
}

programs();
npmPackages();
build();
