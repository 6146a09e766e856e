import { existsSync, mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { hasErrno } from '../errors.ts';

/**
 * mkdir -p. Not Node's `recursive`: where mkdir(2) says ENOENT although the parent is there (below /proc), that one never
 * returns. Throws the system's error.
 */
export function makeDirectories(path: string, mode: number): void {
  try {
    mkdirSync(path, { mode });
  } catch (error) {
    if (hasErrno(error, 'EEXIST') && statSync(path, { throwIfNoEntry: false })?.isDirectory()) return;
    if (!hasErrno(error, 'ENOENT') || existsSync(dirname(path))) throw error;
    makeDirectories(dirname(path), mode);
    makeDirectories(path, mode);
  }
}
