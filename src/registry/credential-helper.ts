import { TsboxError } from '../errors.ts';
import type { Reporter } from '../log.ts';
import { serverKey } from './auth-edit.ts';
import { Credentials, hostKeys } from './auth-file.ts';

const TIMEOUT_MS = 30_000;
// Docker's credential helpers say it with these words, on stdout, with status 1.
const NOT_FOUND = /credentials not found|no credentials server URL/i;

/**
 * The protocol of docker's credential helpers, `docker-credential-<name>`: `get` takes the host on stdin and answers with JSON
 * (Username, Secret). One that does not work is a warning: most pulls need no credentials.
 */
export async function askHelper(
  name: string,
  host: string,
  reporter: Reporter,
): Promise<Credentials | undefined> {
  if (!isHelperName(name)) return warn(reporter, `the credential helper ${JSON.stringify(name)} is ignored`);
  for (const key of hostKeys(host)) {
    const result = await run(name, 'get', key).catch(() => undefined);
    const program = `docker-credential-${name}`;
    if (result === undefined)
      return warn(reporter, `${program} cannot be started; going on without credentials for ${host}`);
    if (result.status === 0)
      return parseAnswer(result.stdout) ?? warn(reporter, `${program} did not answer as it must`);
    if (!NOT_FOUND.test(result.stdout))
      return warn(reporter, `${program} failed; going on without credentials for ${host}`);
  }
  return undefined;
}

/** `store`: JSON on stdin. Throws HOST when the helper is missing or fails; its words may hold secrets and are not shown. */
export async function storeInHelper(name: string, host: string, credentials: Credentials): Promise<void> {
  const Username = credentials.isToken ? '<token>' : credentials.username;
  const input = JSON.stringify({ ServerURL: serverKey(host), Username, Secret: credentials.secret() });
  await change(name, 'store', host, input);
}

/** `erase`: the host on stdin. No error when it has nothing. */
export async function eraseFromHelper(name: string, host: string): Promise<void> {
  await change(name, 'erase', host, serverKey(host));
}

async function change(name: string, action: 'store' | 'erase', host: string, input: string): Promise<void> {
  const program = `docker-credential-${name}`;
  if (!isHelperName(name)) {
    throw new TsboxError('USAGE', `${JSON.stringify(name)} in docker's config.json is no credential helper`);
  }
  const result = await run(name, action, input);
  if (result.status === 0 || (action === 'erase' && NOT_FOUND.test(result.stdout))) return;
  throw new TsboxError('HOST', `${program} could not ${action} the credentials for ${host}`, {
    hint: `try it by hand, or remove it from credsStore and credHelpers of docker's config.json`,
  });
}

const isHelperName = (name: string): boolean => /^[\w.-]+$/.test(name);

async function run(name: string, action: string, input: string) {
  const { runProgram } = await import('../host/spawn.ts');
  return runProgram(`docker-credential-${name}`, [action], { input, timeoutMs: TIMEOUT_MS });
}

function parseAnswer(stdout: string): Credentials | undefined {
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
