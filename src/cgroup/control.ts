import { type FSWatcher, watch, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readMaybe } from './tree.ts';

/** Milliseconds. A process that waits in the kernel (for a dead network disk) does not freeze before it comes back. */
const PATIENCE = 10_000;

/**
 * Stops every process of a group and of those below it where it stands, or lets all go on. Resolves when the kernel says that it is done; false when
 * it does not within ten seconds. The kernel tells by changing cgroup.events, which inotify(7) sees.
 */
export async function freeze(path: string, frozen: boolean): Promise<boolean> {
  const events = join(path, 'cgroup.events');
  const done = (): boolean => (readMaybe(events) ?? '').split('\n').includes(`frozen ${Number(frozen)}`);
  const watcher = watch(events);
  try {
    writeFileSync(join(path, 'cgroup.freeze'), String(Number(frozen)));
    return done() || (await changed(watcher, done));
  } finally {
    watcher.close();
  }
}

function changed(watcher: FSWatcher, done: () => boolean): Promise<boolean> {
  return new Promise(resolve => {
    const timer = setTimeout(() => resolve(done()), PATIENCE);
    const look = (): void => {
      if (!done()) return;
      clearTimeout(timer);
      resolve(true);
    };
    watcher.on('change', look);
    watcher.on('error', look);
  });
}

/** SIGKILL to everything in a group, forks included (Linux 5.14). No error where there is none. */
export function killGroup(path: string): void {
  try {
    writeFileSync(join(path, 'cgroup.kill'), '1');
  } catch {
    // An older kernel, or the group is gone: pid 1's end takes its pid namespace along.
  }
}
