import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { builtin } from '../util/builtin.ts';
import { embeddedKoffi } from './embedded.ts';
import { FROM_SOURCE, HERE, IN_USERNS, SINGLE_FILE } from './here.ts';

/** The programs that tsbox consists of, besides the helper. */
export type Entry = 'cli' | 'userns';

const BUNDLES: Readonly<Record<Entry, string>> = { cli: 'tsbox.cjs', userns: 'userns.cjs' };

/**
 * The command line (without arguments) that executes this program again: program first, all paths absolute. From source
 * the bundle is taken when it has been built, since it starts ten times faster.
 */
export function selfCommand(entry: Entry): string[] {
  if (SINGLE_FILE)
    return entry === 'cli' ? [process.execPath] : [process.execPath, IN_USERNS, embeddedKoffi()];
  const bundle = join(FROM_SOURCE ? join(HERE, '../../dist') : HERE, BUNDLES[entry]);
  if (!FROM_SOURCE || existsSync(bundle)) return [process.execPath, bundle];
  return [process.execPath, '--import', loader(), join(HERE, '..', entry, 'main.ts')];
}

/** `--import` resolves a bare name from the working directory, which is anywhere: it gets the file. */
function loader(): string {
  return builtin('node:module').createRequire(join(HERE, 'self.ts')).resolve('tsx');
}
