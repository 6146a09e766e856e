import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, readFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { delimiter, join } from 'node:path';
import type { Callback, Test } from 'uvu';

/**
 * Declares what tests need of the machine. `requires(suite('x'), 'fuse')` is the suite when everything is there; when
 * something is missing, each test registered on it is skipped with the reason. An unknown need is a bug and throws.
 */
export function requires<T>(test: Test<T>, ...needs: Need[]): Test<T> {
  const missing = missingNeed(...needs);
  if (missing === undefined) return test;
  const skip = (name: string, _callback?: Callback<T>): void => reportSkip(name, missing);
  return Object.assign(skip, {
    only: skip,
    skip: (name?: string) => skip(name ?? ''),
    before: test.before,
    after: test.after,
    run: () => test.run(),
  }) as unknown as Test<T>;
}

export interface Missing {
  readonly need: Need;
  readonly reason: string;
  /** A package or an open device would help: in CI such a skip is a failure. */
  readonly fixable: boolean;
}

/** The first of the needs that this machine and user do not have. */
export function missingNeed(...needs: Need[]): Missing | undefined {
  for (const need of needs) {
    const rule: Rule | undefined = NEEDS[need];
    if (rule === undefined) throw new Error(`unknown need "${need}": add it to test/support/requires.ts`);
    if (!answers.has(need)) answers.set(need, rule.missing());
    const reason = answers.get(need);
    if (reason !== undefined) return { need, reason, fixable: rule.fixable };
  }
  return undefined;
}

const answers = new Map<Need, string | undefined>();

function reportSkip(name: string, missing: Missing): void {
  const report = (
    globalThis as { TSBOX_TEST_SKIP?: (test: string, reason: string, fixable: boolean) => void }
  ).TSBOX_TEST_SKIP;
  if (report) report(name, missing.reason, missing.fixable);
  else process.stderr.write(`skipped: ${name}: ${missing.reason}\n`);
}

interface Rule {
  readonly missing: () => string | undefined;
  readonly fixable: boolean;
}

const program = (name: string, packageName = name): Rule => ({
  fixable: true,
  missing: () => (which(name) ? undefined : `${name} is not installed (Debian package ${packageName})`),
});

const device = (path: string): Rule => ({
  fixable: existsSync(path),
  missing: () =>
    openable(path) ? undefined : `${path} cannot be opened for reading and writing by this user`,
});

const SYSTEMD = [
  '/lib/systemd/systemd',
  '/usr/bin/dbus-daemon',
  '/usr/lib/systemd/user/dbus.socket',
  '/usr/share/pam-configs/systemd',
];

const NEEDS = {
  userns: { fixable: false, missing: noUserns },
  subid: { fixable: false, missing: () => (hasSubids() ? undefined : 'this user has no subordinate ids') },
  nosubid: { fixable: false, missing: () => (hasSubids() ? 'this user has subordinate ids' : undefined) },
  root: { fixable: false, missing: () => (process.getuid?.() === 0 ? undefined : 'only root can do this') },
  user: { fixable: false, missing: () => (process.getuid?.() === 0 ? 'root is no normal user' : undefined) },
  overlay: { fixable: false, missing: noOverlay },
  fuse: device('/dev/fuse'),
  tun: device('/dev/net/tun'),
  'fuse-overlayfs': program('fuse-overlayfs'),
  slirp4netns: program('slirp4netns'),
  pasta: program('pasta', 'passt'),
  nft: program('nft', 'nftables'),
  iptables: program('iptables'),
  nginx: program('nginx', 'nginx-light'),
  wrk: program('wrk'),
  git: program('git'),
  newuidmap: program('newuidmap', 'uidmap'),
  registry: program('docker-registry'),
  busybox: {
    fixable: true,
    missing: () =>
      existsSync('/bin/busybox') ? undefined : '/bin/busybox is missing (Debian package busybox-static)',
  },
  debian: { fixable: true, missing: noDebianImage },
  'debian-servers': {
    fixable: true,
    missing: () =>
      existsSync(SERVERS_ROOTFS) ? undefined : `${SERVERS_ROOTFS} is missing; \`npm test\` as root makes it`,
  },
  skopeo: program('skopeo'),
  crun: program('crun'),
  podman: program('podman'),
  buildah: program('buildah'),
  rpm: program('rpmbuild', 'rpm'),
  xz: program('xz', 'xz-utils'),
  bzip2: program('bzip2'),
  bwrap: program('bwrap', 'bubblewrap'),
  script: program('script', 'bsdutils'),
  uml: program('linux.uml', 'user-mode-linux'),
  qemu: program('qemu-system-x86_64', 'qemu-system-x86'),
  kernel: {
    fixable: process.arch === 'x64',
    missing: () => (existsSync(KERNEL) ? undefined : `${KERNEL} is missing; \`npm test\` as root makes it`),
  },
  systemd: {
    fixable: true,
    missing: () =>
      SYSTEMD.find(path => !existsSync(path)) &&
      'systemd with D-Bus and logins is not there (Debian packages systemd, dbus, dbus-user-session, libpam-systemd)',
  },
  zstd: program('zstd'),
  zsh: program('zsh'),
  fish: program('fish'),
  mandoc: program('mandoc'),
  groff: program('groff', 'groff-base'),
  cc: program('cc', 'gcc'),
  make: program('make'),
  npm: program('npm'),
  strace: program('strace'),
  'qemu-arm64': { fixable: true, missing: noArm64 },
  exe: {
    fixable: true,
    missing: () =>
      existsSync(`dist/exe/tsbox-linux-${process.arch}`)
        ? undefined
        : 'the single file has not been built (npm run build:exe)',
  },
  packs: {
    fixable: false,
    missing: () =>
      process.env.TSBOX_TEST_BIN === undefined ? undefined : 'a single file has no packs of modules',
  },
  once: {
    fixable: false,
    missing: () =>
      process.env.TSBOX_TEST_BIN === undefined
        ? undefined
        : 'is about other programs than the one under test; runs in the pass under Node',
  },
  long: {
    fixable: false,
    missing: () => (process.env.TSBOX_TEST_LONG ? undefined : 'takes long; run with --long'),
  },
} as const satisfies Record<string, Rule>;

export type Need = keyof typeof NEEDS;

/** The world-readable place for what is expensive to make; root fills it. */
export const CACHE_DIR = process.env.TSBOX_TEST_CACHE ?? '/var/cache/tsbox-test';
export const DEBIAN_ROOTFS = join(CACHE_DIR, 'debian-rootfs.tar');
/** Debian's kernel for virtual machines and its module for overlays, unpacked and not installed. */
export const KERNEL = join(CACHE_DIR, 'kernel');
export const SERVERS_ROOTFS = join(CACHE_DIR, 'debian-servers.tar');

/** Programs that make and run arm64 on another machine, and the Debian packages that have them. */
export const CROSS_ARM64 = {
  'aarch64-linux-gnu-gcc': 'gcc-aarch64-linux-gnu',
  'qemu-aarch64-static': 'qemu-user-static',
} as const;

function noArm64(): string | undefined {
  const missing = Object.entries(CROSS_ARM64).find(([name]) => which(name) === undefined);
  if (missing) return `${missing[0]} is not installed (Debian package ${missing[1]})`;
  return existsSync('dist/exe/tsbox-linux-arm64')
    ? undefined
    : 'the single file for arm64 has not been built (npm run build:exe -- arm64)';
}

function noDebianImage(): string | undefined {
  return existsSync(DEBIAN_ROOTFS) ? undefined : `${DEBIAN_ROOTFS} is missing; \`npm test\` as root makes it`;
}

/** Absolute path of a program, looked up in PATH and the directories of system tools. */
export function which(name: string): string | undefined {
  const dirs = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/sbin'];
  return dirs.map(dir => join(dir, name)).find(path => executable(path));
}

function executable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function openable(path: string): boolean {
  try {
    accessSync(path, constants.R_OK | constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

export function hasSubids(): boolean {
  const { username, uid } = userInfo();
  const has = (file: string): boolean =>
    existsSync(file) &&
    readFileSync(file, 'utf8')
      .split('\n')
      .some(line => [username, String(uid)].includes(line.split(':')[0] ?? ''));
  return has('/etc/subuid') && has('/etc/subgid') && which('newuidmap') !== undefined;
}

function noUserns(): string | undefined {
  const done = spawnSync('unshare', ['--user', '--map-root-user', 'true'], { encoding: 'utf8' });
  return done.status === 0 ? undefined : `user namespaces are not available: ${done.stderr?.trim()}`;
}

function noOverlay(): string | undefined {
  const script =
    'd=$(mktemp -d) && cd "$d" && mkdir l u w m && mount -t overlay overlay -o userxattr,lowerdir=l,upperdir=u,workdir=w m; s=$?; ' +
    'umount m 2>/dev/null; rm -rf "$d"; exit $s';
  const done = spawnSync('unshare', ['--user', '--map-root-user', '--mount', 'sh', '-c', script], {
    encoding: 'utf8',
  });
  return done.status === 0 ? undefined : `no overlay mounts in a user namespace: ${done.stderr?.trim()}`;
}
