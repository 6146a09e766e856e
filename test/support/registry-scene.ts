import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite, type Test } from 'uvu';
import * as assert from 'uvu/assert';
import { TsboxError } from '../../src/errors.ts';
import { silentReporter } from '../../src/log.ts';
import { sha256 } from '../../src/oci/digest.ts';
import { parseReference } from '../../src/oci/reference.ts';
import { RegistryClient } from '../../src/registry/client.ts';
import { Http } from '../../src/registry/http.ts';
import { DEFAULT_LIMITS, type NetworkLimits } from '../../src/registry/limits.ts';
import { pullSources, type RegistryRules } from '../../src/registry/sources.ts';
import { type FakeRegistry, startFakeRegistry } from './fake-registry.ts';

/** A client of a registry that misbehaves, with credentials of its own and everything it says. */
export interface RegistryScene {
  registry: FakeRegistry;
  client: RegistryClient;
  http: Http;
  said: string[];
  warned: string[];
  home: string;
}

export const FAST: NetworkLimits = {
  ...DEFAULT_LIMITS,
  connect: 2000,
  headers: 1000,
  idle: 1000,
  backoff: 5,
  maxWait: 1500,
};

const FILE = 'REGISTRY_AUTH_FILE';

/** A suite whose tests each get a fresh scene. */
export function registrySuite(name: string): Test<RegistryScene> {
  const test = suite<RegistryScene>(name);
  const before = process.env[FILE];
  test.before.each(async scene => {
    scene.home = mkdtempSync(join(tmpdir(), 'tsbox-registry-'));
    // Otherwise the credentials of whoever runs the tests would be sent.
    process.env[FILE] = join(scene.home, 'config.json');
    scene.registry = await startFakeRegistry();
    scene.http = new Http(FAST);
    connect(scene, FAST);
  });
  test.after.each(async ({ registry, http, home }) => {
    await http.close();
    await registry.stop();
    rmSync(home, { recursive: true });
    if (before === undefined) delete process.env[FILE];
    else process.env[FILE] = before;
  });
  return test;
}

/** Makes `scene.client`, for the repository a/b. */
export function connect(scene: RegistryScene, limits: NetworkLimits, signal?: AbortSignal): void {
  const rules: RegistryRules = { config: { mirrors: {}, insecure: [], blocked: [] }, rules: [] };
  const [source] = pullSources(parseReference(`${scene.registry.host}/a/b`), rules);
  assert.ok(source);
  scene.said = [];
  scene.warned = [];
  const reporter = {
    ...silentReporter,
    debug: (_: string, text: () => string) => void scene.said.push(text()),
    warn: (text: string) => void scene.warned.push(text),
  };
  scene.client = new RegistryClient({ source, rules, http: scene.http, limits, reporter, signal });
}

/** Writes credentials for the scene's registry. */
export function logIn(scene: RegistryScene, user: string, password: string): void {
  const auth = Buffer.from(`${user}:${password}`).toString('base64');
  writeFileSync(
    join(scene.home, 'config.json'),
    JSON.stringify({ auths: { [scene.registry.host]: { auth } } }),
  );
}

/** A blob's place in memory. */
export class Memory {
  chunks: Buffer[] = [];
  offset = 0;
  async write(chunk: Buffer): Promise<void> {
    this.chunks.push(Buffer.from(chunk));
    this.offset += chunk.length;
  }
  get bytes(): Buffer {
    return Buffer.concat(this.chunks);
  }
}

/** Gives the registry a blob of random bytes. */
export function blob(registry: FakeRegistry, size: number): { digest: string; size: number; bytes: Buffer } {
  const bytes = randomBytes(size);
  registry.blobs.set(sha256(bytes), bytes);
  return { digest: sha256(bytes), size, bytes };
}

/** Asserts code and message, and gives the error back. */
export async function failsWith(work: Promise<unknown>, code: string, message: RegExp): Promise<TsboxError> {
  try {
    await work;
  } catch (error) {
    assert.instance(error, TsboxError, String(error));
    const found = error as TsboxError;
    assert.is(found.code, code, found.message);
    assert.match(found.message, message);
    return found;
  }
  throw new Error('it did not fail');
}
