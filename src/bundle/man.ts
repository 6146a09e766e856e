import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { manPages } from '../cli/man/pages.ts';

/** `npm run build:man`: the manual, where `man -M dist/man` finds it. */
const DIRECTORY = 'dist/man/man1';

rmSync(DIRECTORY, { recursive: true, force: true });
mkdirSync(DIRECTORY, { recursive: true });
for (const [name, text] of await manPages()) writeFileSync(`${DIRECTORY}/${name}`, text);
