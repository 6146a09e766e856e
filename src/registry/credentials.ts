import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { hasErrno } from '../errors.ts';
import { absoluteEnvironment, environment, ourUid } from '../host/paths.ts';
import type { Reporter } from '../log.ts';
import { type Credentials, findAuth } from './auth-file.ts';
import { askHelper } from './credential-helper.ts';

/**
 * Looks a repository's credentials up in the auth files of containers tools and of docker, the first hit wins. A file or
 * helper that does not work is a warning: most pulls need no credentials. Nothing of a file's content gets into a message.
 */
export async function findCredentials(
  host: string,
  path: string,
  reporter: Reporter,
): Promise<Credentials | undefined> {
  for (const file of authFiles()) {
    const entry = findAuth(await readJson(file, reporter), host, path);
    if (entry === undefined) continue;
    const found = 'helper' in entry ? await askHelper(entry.helper, host, reporter) : entry.credentials;
    if (found === undefined) continue;
    reporter.debug(
      'registry',
      () => `credentials for ${host} from ${'helper' in entry ? entry.helper : file}`,
    );
    return found;
  }
  return undefined;
}

/** Where credentials are looked for, the first file with some for a host wins. */
export function authFiles(): readonly string[] {
  const chosen = environment('REGISTRY_AUTH_FILE');
  if (chosen !== undefined) return [chosen];
  const config = absoluteEnvironment('XDG_CONFIG_HOME') ?? join(homedir(), '.config');
  const runtime = absoluteEnvironment('XDG_RUNTIME_DIR') ?? `/run/containers/${ourUid()}`;
  return [
    join(runtime, 'containers/auth.json'),
    join(config, 'containers/auth.json'),
    join(environment('DOCKER_CONFIG') ?? join(homedir(), '.docker'), 'config.json'),
  ];
}

/** Where `login` writes: docker's file, or the one that REGISTRY_AUTH_FILE names. */
export function ownAuthFile(): string {
  return authFiles().at(-1) ?? '';
}

async function readJson(file: string, reporter: Reporter): Promise<unknown> {
  try {
    return JSON.parse(await readFile(file, 'utf8'));
  } catch (error) {
    // The message of a SyntaxError quotes the file, and this file holds passwords.
    const why =
      error instanceof SyntaxError
        ? 'it is not JSON'
        : ((error as NodeJS.ErrnoException).code ?? 'unreadable');
    if (!hasErrno(error, 'ENOENT', 'ENOTDIR')) reporter.warn(`${file} is ignored: ${why}`);
    return undefined;
  }
}
