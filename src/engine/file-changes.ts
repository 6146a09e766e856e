import { type FSWatcher, watch } from 'node:fs';
import { messageOf, TsboxError } from '../errors.ts';

/** Wakes whoever waits when a file or directory has changed, told by inotify(7). Changes between two waits are not lost. */
export class FileChanges {
  readonly #watcher: FSWatcher;
  #changed = false;
  #wake: (() => void) | undefined;

  /**
   * Begins to watch at once: what is written after this is noticed. `only`: the one name that counts in a directory. Throws
   * IO when inotify's limits are reached.
   */
  constructor(path: string, only?: string) {
    this.#watcher = start(path, name => {
      if (only === undefined || name === only) this.notify();
    });
    // The file was removed or inotify gave up: waiting for it would never end.
    this.#watcher.on('error', () => this.notify());
  }

  /** As a change of the file does. */
  notify(): void {
    this.#changed = true;
    this.#wake?.();
  }

  /** Resolves at the next change, or at once if there was one since the last call. */
  async next(): Promise<void> {
    if (!this.#changed) {
      await new Promise<void>(resolve => {
        this.#wake = resolve;
      });
    }
    this.#changed = false;
    this.#wake = undefined;
  }

  close(): void {
    this.#watcher.close();
  }
}

function start(path: string, changed: (name: string | null) => void): FSWatcher {
  try {
    return watch(path, (_, name) => changed(name));
  } catch (cause) {
    throw new TsboxError('IO', `cannot watch ${path}: ${messageOf(cause)}`, {
      cause,
      hint: 'raise the limits: sysctl fs.inotify.max_user_instances fs.inotify.max_user_watches',
    });
  }
}
