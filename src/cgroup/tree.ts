import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { hasErrno, messageOf, TsboxError } from '../errors.ts';
import type { Setting } from './driver.ts';

/** Groups are directories. The calls are synchronous: the file system is memory, and each takes microseconds. */

export const CONTROLLERS = ['cpu', 'cpuset', 'io', 'memory', 'pids'] as const;

/** Words of a file; none when it is not there. */
export function wordsOf(path: string): string[] {
  return (readMaybe(path) ?? '').split(/\s+/).filter(word => word !== '');
}

export function readMaybe(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

/**
 * Enables in `path`, for its children, what is available there. Each by itself: `+cpu` alone fails while a real-time process
 * is inside (CONFIG_RT_GROUP_SCHED), and all of them with EBUSY while any process is.
 */
export function enableControllers(path: string): readonly string[] {
  const file = join(path, 'cgroup.subtree_control');
  const there = wordsOf(join(path, 'cgroup.controllers'));
  const enabled = new Set(wordsOf(file));
  for (const name of CONTROLLERS.filter(c => there.includes(c) && !enabled.has(c))) {
    if (written(file, `+${name}`)) enabled.add(name);
  }
  return [...enabled];
}

/** Moves every process of a group into another. False when some stay: strangers, or what is in another pid namespace. */
export function moveProcesses(from: string, to: string): boolean {
  for (let round = 0; round < 10; round++) {
    const pids = wordsOf(join(from, 'cgroup.procs'));
    if (pids.length === 0) return true;
    // 0 is a process that this pid namespace does not show; written, it would mean the writer.
    for (const pid of pids.filter(p => p !== '0')) written(join(to, 'cgroup.procs'), pid);
  }
  return false;
}

export function makeGroup(path: string): void {
  try {
    mkdirSync(path, { recursive: true });
  } catch (cause) {
    throw new TsboxError('HOST', `the control group ${path} cannot be made: ${messageOf(cause)}`, {
      cause,
      check: 'cgroup-refused',
    });
  }
}

/** Writes one limit. Returns the reason if the kernel does not take it. */
export function applySetting(path: string, setting: Setting): string | undefined {
  const file = join(path, setting.file);
  if (!existsSync(file)) return missingFile(setting);
  try {
    writeFileSync(file, setting.value);
    return undefined;
  } catch (error) {
    if (setting.implied) return undefined;
    if (hasErrno(error, 'ENODEV'))
      return 'it is no whole disk, or its driver knows no limits: name the disk, not a partition';
    return `write ${setting.value} to ${setting.file}: ${messageOf(error)}`;
  }
}

/** A kernel without swap, or with the accounting of it switched off. */
function missingFile({ file, implied }: Setting): string | undefined {
  const noSwap = file === 'memory.swap.max' && !existsSync('/proc/swaps');
  return implied || noSwap ? undefined : `this kernel has no ${file}`;
}

/** Removes an empty group and the empty ones in it. False when something is alive in there. */
export function removeGroup(path: string): boolean {
  try {
    for (const entry of readdirSync(path, { withFileTypes: true }))
      if (entry.isDirectory()) removeGroup(join(path, entry.name));
    rmdirSync(path);
  } catch (error) {
    return hasErrno(error, 'ENOENT');
  }
  return true;
}

export const isPopulated = (path: string): boolean =>
  /^populated 1$/m.test(readMaybe(join(path, 'cgroup.events')) ?? '');

/** From `path` upwards, as long as this is true; not beyond `top`. */
export function upWhile(path: string, top: string, test: (path: string) => boolean): string[] {
  const found: string[] = [];
  for (let at = path; test(at); at = dirname(at)) {
    found.push(at);
    if (at === top || at === '/') break;
  }
  return found;
}

function written(path: string, text: string): boolean {
  try {
    writeFileSync(path, text);
    return true;
  } catch {
    return false;
  }
}
