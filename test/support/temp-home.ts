import { mkdirSync, mkdtempSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { removeTree } from './runner/tree.ts';
import { sealedEnv } from './sealed-env.ts';

/** A home nobody else uses, with the environment that goes with it. */
export interface TempHome {
  readonly dir: string;
  /** The store that tsbox makes there. */
  readonly store: string;
  readonly env: Readonly<Record<string, string>>;
}

/**
 * The test file's home, or with a name another one inside it. The runner removes it, except when a failed scene is to be
 * kept; a file that is run by hand removes it itself.
 */
export function tempHome(name?: string): TempHome {
  const dir = name === undefined ? fileHome() : join(fileHome(), name);
  mkdirSync(join(dir, 'run'), { recursive: true, mode: 0o700 });
  return {
    dir,
    store: join(dir, '.local/share/tsbox'),
    env: sealedEnv(dir, userInfo().username),
  };
}

let own: string | undefined;

function fileHome(): string {
  if (process.env.TSBOX_TEST_HOME) return process.env.TSBOX_TEST_HOME;
  if (own === undefined) {
    const made = mkdtempSync(join(tmpdir(), 'tsbox-h'));
    own = made;
    process.on('exit', () => {
      if (process.env.TSBOX_TEST_KEEP) process.stderr.write(`kept: ${made}\n`);
      else removeTree(made);
    });
  }
  return own;
}
