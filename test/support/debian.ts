import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { CACHE_DIR, DEBIAN_ROOTFS, SERVERS_ROOTFS, which } from './requires.ts';

/**
 * Makes the root file system of a small Debian with debootstrap, once per machine, as a tar archive that every user can
 * read. Needs root (mknod, chroot) and the distribution's package server. Returns what went wrong, if anything.
 */
export const ensureDebianRootfs = (): string | undefined => ensure(DEBIAN_ROOTFS, []);

/** The same with servers in it, for tests with real parts. 500 MB. */
export const ensureServersRootfs = (): string | undefined =>
  ensure(SERVERS_ROOTFS, [`--include=${['nginx-light', 'postgresql-15', 'iperf3'].join(',')}`]);

function ensure(archive: string, include: readonly string[]): string | undefined {
  if (existsSync(archive) || which('debootstrap') === undefined) return undefined;
  mkdirSync(CACHE_DIR, { recursive: true, mode: 0o755 });
  const work = mkdtempSync(join(CACHE_DIR, '.debootstrap-'));
  const rootfs = join(work, 'rootfs');
  const made = spawnSync('debootstrap', ['--variant=minbase', ...include, codename(), rootfs], {
    encoding: 'utf8',
  });
  const packed = made.status === 0 ? pack(rootfs, join(work, 'rootfs.tar')) : undefined;
  if (packed) renameSync(join(work, 'rootfs.tar'), archive);
  rmSync(work, { recursive: true, force: true });
  return packed ? undefined : `debootstrap failed: ${(made.stdout ?? '').slice(-500)}`;
}

function codename(): string {
  const release = readFileSync('/etc/os-release', 'utf8');
  return /^ID=debian$/m.test(release)
    ? (/^VERSION_CODENAME=(\S+)$/m.exec(release)?.[1] ?? 'stable')
    : 'stable';
}

/** Without downloaded packages and lists; owners by number. */
function pack(rootfs: string, archive: string): boolean {
  const drop = ['--exclude=./var/cache/apt/archives/*.deb', '--exclude=./var/lib/apt/lists/*_*'];
  const args = [
    '-C',
    rootfs,
    ...drop,
    '--numeric-owner',
    '--xattrs',
    '--xattrs-include=*',
    '-cf',
    archive,
    '.',
  ];
  return spawnSync('tar', args).status === 0;
}
