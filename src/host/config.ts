import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { hasErrno, messageOf, TsboxError } from '../errors.ts';
import { type Config, defaultConfig } from './config-default.ts';
import { absoluteEnvironment, environment, homeDirectory } from './paths.ts';

export { type Config, defaultConfig } from './config-default.ts';

/**
 * Reads `file`, or `$XDG_CONFIG_HOME/tsbox/config.toml` if that exists; the environment wins over what it says. Throws USAGE with file and line for bad TOML, an
 * unknown key or a value of the wrong kind, and when a `file` that was asked for is missing.
 */
export async function loadConfig(file?: string): Promise<Config> {
  const config = await readConfig(file);
  const required = environment('TSBOX_REQUIRE_SIGNATURE');
  if (required === undefined) return config;
  return { ...config, images: { ...config.images, requireSignature: yes(required) } };
}

/** A word that is neither must not pass for "no": somebody wants to be protected. */
function yes(word: string): boolean {
  if (['1', 'true'].includes(word)) return true;
  if (['0', 'false'].includes(word)) return false;
  throw new TsboxError('USAGE', `TSBOX_REQUIRE_SIGNATURE is neither true nor false: ${word}`);
}

async function readConfig(file?: string): Promise<Config> {
  const path = file ?? defaultFile();
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (file === undefined && hasErrno(error, 'ENOENT', 'ENOTDIR')) return defaultConfig();
    throw new TsboxError('USAGE', `the configuration ${path} cannot be read: ${messageOf(error)}`, {
      cause: error,
    });
  }
  return (await import('./config-parse.ts')).parseConfig(text, path);
}

function defaultFile(): string {
  return join(
    absoluteEnvironment('XDG_CONFIG_HOME') ?? join(homeDirectory(), '.config'),
    'tsbox/config.toml',
  );
}
