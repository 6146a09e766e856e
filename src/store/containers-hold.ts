import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Paths } from '../host/paths.ts';
import { rm, writeFile } from '../util/files.ts';
import { identityAlive, ownIdentity } from './containers-owner.ts';
import { containerDirectory } from './containers-read.ts';

/**
 * `containers/<id>/restarting`: the identity of the `restart` that is between its end and its start. As long as that process lives, nobody removes
 * the container for having ended: neither `--rm` nor a prune.
 */
const mark = (paths: Paths, id: string): string => join(containerDirectory(paths, id), 'restarting');

/** Takes it back. */
export async function holdForRestart(paths: Paths, id: string): Promise<() => Promise<void>> {
  await writeFile(mark(paths, id), ownIdentity(), { mode: 0o600 });
  return () => rm(mark(paths, id), { force: true });
}

export function isHeldForRestart(paths: Paths, id: string): boolean {
  try {
    return identityAlive(readFileSync(mark(paths, id), 'utf8'));
  } catch {
    return false; // no restart goes on
  }
}
