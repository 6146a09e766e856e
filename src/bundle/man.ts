import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { SCRIPTS } from '../cli/completion/scripts.ts';
import { manPages } from '../cli/man/pages.ts';
import { notices } from './notices.ts';

/**
 * `npm run build:man`: everything in dist/ that people read. The manual, where `man -M dist/man` finds it; the completion scripts, below the names that they
 * have in a share directory; the licences of what is inside.
 */
const MAN = 'dist/man/man1';
const COMPLETIONS = 'dist/completions';
const FILES = {
  bash: 'bash-completion/completions/tsbox',
  zsh: 'zsh/site-functions/_tsbox',
  fish: 'fish/vendor_completions.d/tsbox.fish',
} as const satisfies Record<keyof typeof SCRIPTS, string>;

rmSync(MAN, { recursive: true, force: true });
mkdirSync(MAN, { recursive: true });
for (const [name, text] of await manPages()) writeFileSync(`${MAN}/${name}`, text);

rmSync(COMPLETIONS, { recursive: true, force: true });
for (const shell of ['bash', 'zsh', 'fish'] as const) {
  const path = join(COMPLETIONS, FILES[shell]);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, SCRIPTS[shell]);
}

writeFileSync('dist/THIRD-PARTY.txt', notices('.'));
