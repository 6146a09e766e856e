import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { hasErrno } from '../errors.ts';
import { absoluteEnvironment, environment, ourUid } from '../host/paths.ts';
import type { Reporter } from '../log.ts';
import { Credentials, findAuth, hostKeys } from './auth-file.ts';

const HELPER_TIMEOUT_MS = 30_000;
// Docker's credential helpers say it with these words, on stdout, with status 1.
const NOT_FOUND = /credentials not found|no credentials server URL/i;

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

function authFiles(): readonly string[] {
  const chosen = environment('REGISTRY_AUTH_FILE');
  if (chosen !== undefined) return [chosen];
  const config = absoluteEnvironment('XDG_CONFIG_HOME') ?? join(homedir(), '.config');
  const runtime = absoluteEnvironment('XDG_RUNTIME_DIR') ?? `/run/containers/${ourUid()}`;
  const docker = environment('DOCKER_CONFIG') ?? join(homedir(), '.docker');
  return [
    join(runtime, 'containers/auth.json'),
    join(config, 'containers/auth.json'),
    join(docker, 'config.json'),
  ];
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

/** The protocol of docker's credential helpers: the host on stdin, JSON with Username and Secret on stdout. */
async function askHelper(name: string, host: string, reporter: Reporter): Promise<Credentials | undefined> {
  const program = `docker-credential-${name}`;
  if (!/^[\w.-]+$/.test(name))
    return warn(reporter, `the credential helper ${JSON.stringify(name)} is ignored`);
  const { runProgram } = await import('../host/spawn.ts');
  for (const key of hostKeys(host)) {
    const run = runProgram(program, ['get'], { input: key, timeoutMs: HELPER_TIMEOUT_MS });
    const result = await run.catch(() => undefined);
    if (result === undefined)
      return warn(reporter, `${program} cannot be started; going on without credentials for ${host}`);
    if (result.status === 0)
      return parseHelper(result.stdout) ?? warn(reporter, `${program} did not answer as it must`);
    if (!NOT_FOUND.test(result.stdout))
      return warn(reporter, `${program} failed; going on without credentials for ${host}`);
  }
  return undefined;
}

function parseHelper(stdout: string): Credentials | undefined {
  try {
    const { Username: user, Secret: secret } = JSON.parse(stdout) as Record<string, unknown>;
    if (typeof user !== 'string' || typeof secret !== 'string') return undefined;
    return new Credentials(user, secret, user === '<token>');
  } catch {
    return undefined;
  }
}

function warn(reporter: Reporter, text: string): undefined {
  reporter.warn(text);
}
