import { lstatSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { messageOf, TsboxError } from '../errors.ts';
import { makeDirectories } from './directories.ts';
import type { Paths } from './paths.ts';

/** What the file `version` in the store's root says. Another number is another tsbox's store. */
export const STORE_FORMAT = '1';

/**
 * Makes an empty store; `version` is written last (temp + rename), so a store that has it is whole. Idempotent, and safe
 * when two processes do it at once. Throws STORE_VERSION for another format and for a directory with foreign content.
 */
export function makeStore(paths: Paths): void {
  try {
    makeDirectories(paths.root, 0o700);
    refuseStrangers(paths);
    for (const path of storeDirectories(paths)) makeDirectories(path, 0o700);
    const temporary = join(paths.tmp, `version.${process.pid}`);
    // Once for a store: empty after a power failure it would be another format.
    writeFileSync(temporary, `${STORE_FORMAT}\n`, { mode: 0o600, flush: true });
    renameSync(temporary, join(paths.root, 'version'));
  } catch (error) {
    if (error instanceof TsboxError) throw error;
    throw new TsboxError('IO', `the store ${paths.root} cannot be made: ${messageOf(error)}`, {
      cause: error,
      hint: 'choose another store with --root or TSBOX_ROOT',
    });
  }
}

const storeDirectories = (p: Paths): string[] => [
  p.images,
  p.layers,
  p.containers,
  p.volumes,
  p.networks,
  p.tmp,
];

function refuseStrangers(paths: Paths): void {
  const found = versionOf(paths.root);
  if (found === STORE_FORMAT) return;
  if (found !== undefined) {
    throw new TsboxError(
      'STORE_VERSION',
      `the store ${paths.root} has format ${JSON.stringify(found)}, this tsbox knows ${STORE_FORMAT}`,
      {
        hint: 'use the tsbox that made it, or another store with --root or TSBOX_ROOT',
      },
    );
  }
  const names = readdirSync(paths.root);
  // Another process has made the store since we looked.
  if (names.includes('version')) {
    refuseStrangers(paths);
    return;
  }
  const known = new Set(storeDirectories(paths).concat(join(paths.root, 'lost+found')));
  const stranger = names.find(name => !known.has(join(paths.root, name)));
  if (stranger !== undefined) {
    throw new TsboxError(
      'STORE_VERSION',
      `${paths.root} holds ${JSON.stringify(stranger)} and is no store of tsbox`,
      {
        hint: 'give --root or TSBOX_ROOT an empty or a new directory',
      },
    );
  }
}

function versionOf(root: string): string | undefined {
  const path = join(root, 'version');
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (!stat) return undefined;
  return stat.isFile() && stat.size < 64 ? readFileSync(path, 'utf8').trim() : '?';
}
