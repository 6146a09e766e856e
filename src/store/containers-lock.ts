import { readFileSync, statSync } from 'node:fs';
import { processStart } from '../host/probe.ts';

/**
 * Who holds the flock(2) on a file, from /proc/locks (proc(5)); undefined when nobody does. Only looks: taking the lock to
 * see whether it is free could make a container's start fail that wants it at this moment.
 */
export function lockHolder(path: string): { readonly pid: number; readonly start: number } | undefined {
  const file = statSync(path, { throwIfNoEntry: false });
  if (!file) return undefined;
  for (const line of readFileSync('/proc/locks', 'utf8').split('\n')) {
    const pid = holderIn(line, file.ino);
    const start = pid === undefined ? undefined : processStart(pid);
    if (pid !== undefined && start !== undefined) return { pid, start };
  }
  return undefined;
}

/**
 * `1: FLOCK  ADVISORY  WRITE 718 00:1f:1234 0 EOF`; waiting ones have `->` before the type. The device is not compared:
 * on btrfs and overlay it is another one than stat(2) gives.
 */
export function holderIn(line: string, inode: number): number | undefined {
  const [, type, , , pid, place] = line.trim().split(/\s+/);
  if (type !== 'FLOCK' || place?.split(':')[2] !== String(inode)) return undefined;
  return Number(pid);
}
