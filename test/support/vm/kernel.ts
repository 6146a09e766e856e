import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { CACHE_DIR, KERNEL } from '../requires.ts';

const PACKAGE = 'linux-image-cloud-amd64';

/** What that kernel does not have in itself, and a container needs. */
export const MODULES: readonly string[] = ['overlay.ko', 'fuse.ko'];

/** Debian's kernel for virtual machines: made once per machine, from the distribution's package server. Returns what went wrong, if anything. */
export function ensureKernel(): string | undefined {
  if (MODULES.every(name => existsSync(join(KERNEL, name))) || process.arch !== 'x64') return undefined;
  mkdirSync(CACHE_DIR, { recursive: true, mode: 0o755 });
  const work = mkdtempSync(join(CACHE_DIR, '.kernel-'));
  const run = (program: string, ...args: string[]): string => {
    const done = spawnSync(program, args, { cwd: work, encoding: 'utf8' });
    if (done.status !== 0) throw new Error(`${program}: ${done.stderr}`);
    return done.stdout;
  };
  try {
    const name = /^Depends: (?:.*, )?(linux-image-[^ ,]+)/m.exec(run('apt-cache', 'show', PACKAGE))?.[1];
    if (name === undefined) throw new Error(`apt knows no ${PACKAGE}`);
    run('apt-get', 'download', '-qq', name);
    run('dpkg', '-x', join(work, readdirSync(work)[0] ?? ''), join(work, 'all'));
    const of = (pattern: string): string => run('find', 'all', '-path', pattern).trim();
    mkdirSync(join(work, 'kernel'), { mode: 0o755 });
    renameSync(join(work, of('all/boot/vmlinuz-*')), join(work, 'kernel/vmlinuz'));
    for (const name of MODULES) renameSync(join(work, of(`*/fs/*/${name}`)), join(work, 'kernel', name));
    rmSync(KERNEL, { recursive: true, force: true });
    renameSync(join(work, 'kernel'), KERNEL);
    return undefined;
  } catch (error) {
    return `a kernel for virtual machines: ${(error as Error).message}`;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}
