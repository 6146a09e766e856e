import { accessSync, constants, existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { TsboxError } from '../errors.ts';
import { builtin } from '../util/builtin.ts';
import { embeddedHelper } from './embedded.ts';
import { FROM_SOURCE, HERE, SINGLE_FILE } from './here.ts';
import { environment } from './paths.ts';
import { mayWrite } from './probe.ts';

/** Administrators' programs are often missing in a user's PATH. */
const SYSTEM_DIRECTORIES = ['/usr/sbin', '/sbin', '/usr/bin', '/bin'];

/**
 * Absolute path of a program in PATH or the system's directories; undefined when there is none. Relative and empty
 * entries of PATH are left out: a program must never come from whatever directory we happen to stand in.
 */
export async function findProgram(name: string): Promise<string | undefined> {
  return locateProgram(name);
}

/** The same at once: a handful of system calls. */
export function locateProgram(name: string): string | undefined {
  if (name === '' || name.includes('/')) return undefined;
  const listed = (environment('PATH') ?? '').split(':').filter(dir => dir.startsWith('/'));
  for (const dir of [...listed, ...SYSTEM_DIRECTORIES]) {
    // Put together without join(): a long PATH would make that the hottest function of a short command.
    const path = `${dir.endsWith('/') ? dir.slice(0, -1) : dir}/${name}`;
    if (isExecutable(path)) return path;
  }
  return undefined;
}

/** Absolute path of tsbox-helper: `$TSBOX_HELPER`, else beside the bundle, or what the single-file executable carries. Throws HOST when it has not been built. */
export function helperPath(): string {
  const told = environment('TSBOX_HELPER');
  if (told !== undefined && !told.startsWith('/')) {
    throw new TsboxError('USAGE', `TSBOX_HELPER must be an absolute path, not ${JSON.stringify(told)}`);
  }
  if (told === undefined && SINGLE_FILE) return embeddedHelper();
  const path = told ?? join(FROM_SOURCE ? join(HERE, '../../dist') : HERE, 'tsbox-helper');
  if (existsSync(path)) return path;
  const packaged = told === undefined ? packagedHelper() : undefined;
  if (packaged) return packaged;
  throw new TsboxError('HOST', `the helper program is missing: ${path}`, {
    hint: howToGetHelper(),
    check: 'helper-missing',
  });
}

/** The command that makes the helper where this program lies. Of an npm package the sources lie beside `dist`. */
export function howToGetHelper(here = HERE): string {
  if (FROM_SOURCE && here === HERE) return 'build it: npm run build:helper';
  const sources = join(here, '../helpers');
  if (!here.includes('/node_modules/') || !existsSync(join(sources, 'Makefile')))
    return 'run ./install.sh again, where tsbox was unpacked';
  const make = `${mayWrite(here) ? '' : 'sudo '}make -C ${sources}`;
  const tools = ['make', 'cc'].every(name => locateProgram(name) !== undefined);
  return `build it: ${make}${tools ? '' : ' (this needs make, a C compiler and its static C library)'}`;
}

/** From the npm package that has it ready for this architecture. */
function packagedHelper(): string | undefined {
  try {
    const { createRequire } = builtin('node:module');
    return createRequire(join(HERE, 'tsbox.cjs')).resolve(`tsbox-helper-linux-${process.arch}/tsbox-helper`);
  } catch {
    return undefined;
  }
}

function isExecutable(path: string): boolean {
  // Most directories of PATH do not have it: no error is made for those.
  if (!existsSync(path)) return false;
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
