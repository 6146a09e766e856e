import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { giveToStore } from '../host/owner.ts';

/** A little stack of directories in the store's tmp, on which a driver proves itself. */
export interface ProbeScene {
  /** Relative to the store: holds l (with a file `f` and a directory `d`), u, w, m. */
  readonly dir: string;
  /** Absolute. */
  readonly path: string;
}

/** Makes a scene, hands it to `work` and removes it, whatever happens. */
export async function withScene<T>(root: string, work: (scene: ProbeScene) => Promise<T>): Promise<T> {
  const path = mkdtempSync(join(root, 'tmp/probe-'));
  try {
    for (const name of ['l', 'l/d', 'u', 'w', 'm']) mkdirSync(join(path, name));
    for (const name of ['l/f', 'l/d/f']) writeFileSync(join(path, name), 'seen from above\n');
    for (const name of ['', 'l', 'l/f', 'l/d', 'l/d/f', 'u', 'w', 'm']) giveToStore(root, join(path, name));
    return await work({ dir: `tmp/${basename(path)}`, path });
  } finally {
    sweep(path);
  }
}

/** overlayfs leaves `work/work` with mode 0000, which its owner must open before it can be removed. */
function sweep(path: string): void {
  // Also what a volatile one leaves in it: not every runtime removes an empty directory that it may not read.
  for (const name of ['w/work', 'w/work/work', 'w/work/incompat', 'w/work/incompat/volatile']) {
    try {
      chmodSync(join(path, name), 0o700);
    } catch {}
  }
  rmSync(path, { recursive: true, force: true, maxRetries: 2 });
}
