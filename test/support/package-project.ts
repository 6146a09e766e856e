import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Tsbox } from '../../src/index.ts';
import { openLibrary } from './library.ts';
import { PROJECT, readProject } from './source.ts';
import { tempHome } from './temp-home.ts';

/** A directory of a program that has tsbox installed. */
export function project(name: string, files: Readonly<Record<string, string>>): string {
  const dir = join(tempHome().dir, name);
  mkdirSync(join(dir, 'node_modules/@types'), { recursive: true });
  symlinkSync(PROJECT, join(dir, 'node_modules/tsbox'));
  symlinkSync(join(PROJECT, 'node_modules/@types/node'), join(dir, 'node_modules/@types/node'));
  for (const [file, text] of Object.entries(files)) writeFileSync(join(dir, file), text);
  return dir;
}

/** An example, as a program that has the package installed, on a store that `prepare` has filled. */
export async function example(
  file: string,
  args: readonly string[],
  prepare: (tsbox: Tsbox) => Promise<unknown>,
): Promise<ChildProcess> {
  const tsbox = await openLibrary('examples');
  await prepare(tsbox);
  const dir = project(`example-${file}`, {
    'package.json': '{"type":"module"}',
    [file]: readProject(`examples/${file}`),
  });
  const home = tempHome('examples');
  const env = { ...home.env, TSBOX_ROOT: tsbox.root, TSBOX_RUNTIME_DIR: join(home.dir, 'examples-run') };
  return spawn(process.execPath, [join(dir, file), ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
}
