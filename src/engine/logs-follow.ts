import { type FSWatcher, watch } from 'node:fs';

/** Wakes whoever waits when a file has grown, told by inotify(7). Changes between two waits are not lost. */
export class FileChanges {
  readonly #watcher: FSWatcher;
  #changed = false;
  #wake: (() => void) | undefined;

  /** Begins to watch at once: what is written after this is noticed. */
  constructor(path: string) {
    this.#watcher = watch(path, { persistent: true }, () => this.notify());
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
