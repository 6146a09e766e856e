import { chmodSync, mkdirSync, mkdtempSync, readdirSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { giveToStore } from '../host/owner.ts';
import { rm } from '../util/files.ts';

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
    await sweep(path);
  }
}

/** Drivers leave directories with mode 0000, which their owner must open first: not every runtime removes one that it may not read. */
async function sweep(path: string): Promise<void> {
  open(path);
  // entry by entry: a whiteout belongs to a mapped id, and not every runtime unlinks what it may not open
  await rm(path, { recursive: true, force: true });
}

function open(directory: string): void {
  try {
    chmodSync(directory, 0o700);
    for (const entry of readdirSync(directory, { withFileTypes: true }))
      if (entry.isDirectory()) open(join(directory, entry.name));
  } catch {} // not ours: the removal tells
}
