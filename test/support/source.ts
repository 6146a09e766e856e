import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The project's root directory. */
export const PROJECT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/** Files below `dir` (relative to the project) whose name ends with one of `endings`, relative, sorted. */
export function filesBelow(dir: string, ...endings: string[]): string[] {
  return readdirSync(join(PROJECT, dir), { recursive: true, withFileTypes: true })
    .filter(e => e.isFile() && endings.some(end => e.name.endsWith(end)))
    .map(e => relative(PROJECT, join(e.parentPath, e.name)))
    .filter(path => !path.split('/').includes('node_modules'))
    .sort();
}

export const readProject = (path: string): string => readFileSync(join(PROJECT, path), 'utf8');
