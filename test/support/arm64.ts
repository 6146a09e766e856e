import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { CROSS_ARM64, which } from './requires.ts';

/** What the tests under qemu-user need: the programs as root, from the distribution, and the executable. Returns what went wrong, if anything. */
export function ensureArm64(root: string): string | undefined {
  const missing = Object.entries(CROSS_ARM64).filter(([name]) => which(name) === undefined);
  if (missing.length > 0) {
    if (process.getuid?.() !== 0 || which('apt-get') === undefined) return undefined; // requires() names them
    const packages = [...Object.values(CROSS_ARM64), 'libc6-dev-arm64-cross'];
    const failed = apt('install', '-y', '--no-install-recommends', ...packages) && aptAnew(packages);
    if (failed) return `apt-get install ${packages.join(' ')}: ${failed}`;
  }
  const built = spawnSync(join(root, 'scripts/build-exe'), ['arm64'], { encoding: 'utf8' });
  return built.status === 0 ? undefined : `scripts/build-exe arm64: ${built.stderr.slice(-500)}`;
}

function aptAnew(packages: readonly string[]): string | undefined {
  return apt('update') ?? apt('install', '-y', '--no-install-recommends', ...packages);
}

function apt(...args: string[]): string | undefined {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const done = spawnSync('apt-get', args, { env, encoding: 'utf8' });
  return done.status === 0 ? undefined : done.stderr.slice(-500) || 'failed';
}
