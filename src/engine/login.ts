import { readFile, realpath } from 'node:fs/promises';
import { dirname } from 'node:path';
import { hasErrno, messageOf, TsboxError } from '../errors.ts';
import { makeDirectories } from '../host/directories.ts';
import { parseReference } from '../oci/reference.ts';
import { helperFor, withAuth, withoutAuth } from '../registry/auth-edit.ts';
import { Credentials, findAuth } from '../registry/auth-file.ts';
import { RegistryClient } from '../registry/client.ts';
import { authFiles, findCredentials, ownAuthFile } from '../registry/credentials.ts';
import type { NetworkLimits } from '../registry/limits.ts';
import { registrySource } from '../registry/sources.ts';
import { writeFileAtomic } from '../store/atomic.ts';
import type { Engine } from './context.ts';
import { withNetwork } from './registry-network.ts';
import type { LoginOptions, LoginResult, LogoutResult } from './types.ts';

/**
 * Shows a registry who we are and, when it agrees, keeps the credentials where docker does: with the credential helper that its
 * `config.json` names, else in that file (0600); in place of the password the identity token, where the registry gives one. Without a user name, those that are kept already are tried. Throws
 * UNAUTHORIZED, REGISTRY, USAGE, HOST, IO; then nothing is kept.
 */
export async function login(
  engine: Engine,
  options: LoginOptions = {},
  limits?: NetworkLimits,
): Promise<LoginResult> {
  const registry = registryName(options.registry);
  const { username, password = '' } = options;
  const given = username === undefined ? undefined : new Credentials(username, password, false);
  const credentials = given ?? (await findCredentials(registry, '', engine.reporter));
  if (credentials === undefined) {
    throw new TsboxError('UNAUTHORIZED', `there are no credentials for ${registry} yet`, {
      hint: 'give a user name and a password',
    });
  }
  const token = await prove(engine, registry, credentials, limits);
  const known = { registry, username: credentials.username };
  if (given === undefined) return known;
  const kept = token === undefined ? given : new Credentials(given.username, token, true);
  return { ...known, ...(await keep(engine, registry, kept)) };
}

/** Forgets the credentials for a registry. `removed`: there were some where `login` keeps them. Throws HOST, IO, USAGE. */
export async function logout(engine: Engine, registry?: string): Promise<LogoutResult> {
  const host = registryName(registry);
  const file = ownAuthFile();
  const doc = await readAuthFile(file);
  const helper = helperFor(doc, host);
  const had = helper !== undefined && (await findCredentials(host, '', engine.reporter)) !== undefined;
  if (helper !== undefined) {
    await (await import('../registry/credential-helper.ts')).eraseFromHelper(helper, host);
  }
  const left = withoutAuth(doc, host);
  if (left !== undefined) await writeAuthFile(file, left);
  await warnOfOthers(engine, host, file, 'still has');
  return { registry: host, removed: had || left !== undefined };
}

/** `docker.io` for none; a URL is its host. Throws USAGE for what cannot begin the name of an image. */
function registryName(text = ''): string {
  const host = text.replace(/^https?:\/\//, '').replace(/\/.*$/, '');
  if (/^(|docker\.io|(index|registry-1|hub)\.docker\.(io|com))$/.test(host)) return 'docker.io';
  const isHost = /[.:]|^localhost$/.test(host) && parseReference(`${host}/x`).domain === host;
  if (isHost) return host;
  throw new TsboxError('USAGE', `${JSON.stringify(text)} is not the address of a registry`, {
    hint: 'write host[:port], for example registry.example:5000',
  });
}

/** The refresh token, if the registry's token server gave one. */
async function prove(
  engine: Engine,
  host: string,
  credentials: Credentials,
  limits: NetworkLimits | undefined,
): Promise<string | undefined> {
  return withNetwork(engine, limits, async network => {
    const { reporter, signal } = engine;
    let asked = false;
    let token: string | undefined;
    const client = new RegistryClient({
      ...network,
      reporter,
      signal,
      source: registrySource(host, network.rules),
      credentials: async () => {
        asked = true;
        return credentials;
      },
      onRefreshToken: given => {
        token = given;
      },
    });
    const response = await client.request({ method: 'GET', path: '/v2/', scope: '', expect: [200] });
    response.body.cancel();
    if (!asked) reporter.warn(`registry ${host} lets everybody in: the credentials were not checked`);
    return token;
  });
}

async function keep(
  engine: Engine,
  host: string,
  credentials: Credentials,
): Promise<Pick<LoginResult, 'helper' | 'file'>> {
  const file = ownAuthFile();
  const doc = await readAuthFile(file);
  const helper = helperFor(doc, host);
  if (helper !== undefined) {
    await (await import('../registry/credential-helper.ts')).storeInHelper(helper, host, credentials);
  }
  await writeAuthFile(file, withAuth(doc, host, helper === undefined ? credentials : undefined));
  await warnOfOthers(engine, host, file, 'also has');
  return helper === undefined ? { file } : { helper };
}

/** Files of other tools go before ours: what they say of the host would win, or stay. */
async function warnOfOthers(engine: Engine, host: string, own: string, verb: string): Promise<void> {
  for (const file of authFiles().filter(other => other !== own)) {
    const entry = findAuth(await readAuthFile(file).catch(() => undefined), host, '');
    if (entry !== undefined && 'credentials' in entry) {
      engine.reporter.warn(`${file} ${verb} credentials for ${host}, and is read first`);
    }
  }
}

/** An empty object for a file that is not there. Throws IO; nothing of its content gets into a message. */
async function readAuthFile(file: string): Promise<unknown> {
  try {
    const text = await readFile(file, 'utf8');
    return text.trim() === '' ? {} : (JSON.parse(text) as unknown);
  } catch (error) {
    if (hasErrno(error, 'ENOENT', 'ENOTDIR')) return {};
    const why = error instanceof SyntaxError ? 'it is not JSON' : messageOf(error);
    throw new TsboxError('IO', `the credentials in ${file} cannot be read: ${why}`, {
      hint: 'repair or remove the file, or name another one with DOCKER_CONFIG or REGISTRY_AUTH_FILE',
    });
  }
}

/** A link stays one: people keep this file in a repository of their settings. */
async function writeAuthFile(file: string, doc: object): Promise<void> {
  const target = await realpath(file).catch(() => file);
  try {
    makeDirectories(dirname(target), 0o700);
  } catch (cause) {
    throw new TsboxError('IO', `${dirname(target)} cannot be made: ${messageOf(cause)}`, { cause });
  }
  await writeFileAtomic(target, `${JSON.stringify(doc, null, '\t')}\n`);
}
