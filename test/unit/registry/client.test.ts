import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { TsboxError } from '../../../src/errors.ts';
import { silentReporter } from '../../../src/log.ts';
import { sha256 } from '../../../src/oci/digest.ts';
import { parseReference } from '../../../src/oci/reference.ts';
import { RegistryClient } from '../../../src/registry/client.ts';
import { downloadBlob } from '../../../src/registry/download.ts';
import { Http } from '../../../src/registry/http.ts';
import { DEFAULT_LIMITS, type NetworkLimits } from '../../../src/registry/limits.ts';
import { getManifest, headManifest } from '../../../src/registry/manifests.ts';
import { pullSources, type RegistryRules } from '../../../src/registry/sources.ts';
import { type FakeRegistry, startFakeRegistry } from '../../support/fake-registry.ts';

interface Scene {
  registry: FakeRegistry;
  client: RegistryClient;
  http: Http;
  said: string[];
  warned: string[];
  home: string;
}

const FAST: NetworkLimits = {
  ...DEFAULT_LIMITS,
  connect: 2000,
  headers: 1000,
  idle: 1000,
  backoff: 5,
  maxWait: 1500,
};
const test = suite<Scene>('registry/client');

test.before.each(async scene => {
  scene.home = mkdtempSync(join(tmpdir(), 'tsbox-registry-'));
  // Otherwise the credentials of whoever runs the tests would be sent.
  process.env.DOCKER_CONFIG = scene.home;
  process.env.REGISTRY_AUTH_FILE = join(scene.home, 'config.json');
  scene.registry = await startFakeRegistry();
  scene.http = new Http(FAST);
  connect(scene, FAST);
});

test.after.each(async ({ registry, http, home }) => {
  await http.close();
  await registry.stop();
  rmSync(home, { recursive: true });
});

function connect(scene: Scene, limits: NetworkLimits, signal?: AbortSignal): void {
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

function logIn(scene: Scene, user: string, password: string): void {
  const auth = Buffer.from(`${user}:${password}`).toString('base64');
  writeFileSync(
    join(scene.home, 'config.json'),
    JSON.stringify({ auths: { [scene.registry.host]: { auth } } }),
  );
}

class Memory {
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

function blob(registry: FakeRegistry, size: number): { digest: string; size: number; bytes: Buffer } {
  const bytes = randomBytes(size);
  registry.blobs.set(sha256(bytes), bytes);
  return { digest: sha256(bytes), size, bytes };
}

async function failsWith(work: Promise<unknown>, code: string, message: RegExp): Promise<TsboxError> {
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

test('gets a manifest and its digest', async ({ registry, client }) => {
  const image = registry.addImage('a/b', 'latest', [Buffer.from('x')]);
  assert.is(await headManifest(client, 'latest'), image.digest);
  const got = await getManifest(client, 'latest');
  assert.is(got.digest, image.digest);
  assert.equal(got.bytes, image.manifest);
});

test('gets a large blob', async ({ registry, client }) => {
  const wanted = blob(registry, 5_000_000);
  const sink = new Memory();
  await downloadBlob(client, wanted, sink);
  assert.ok(sink.bytes.equals(wanted.bytes));
});

test('an empty blob needs no request', async ({ registry, client }) => {
  await downloadBlob(client, { digest: sha256(''), size: 0 }, new Memory());
  assert.is(registry.seen.length, 0);
});

test('an unknown tag is NOT_FOUND', async ({ client }) => {
  await failsWith(getManifest(client, 'nosuch'), 'NOT_FOUND', /a\/b:nosuch: the registry has no such tag/);
});

test('a manifest that is not what its digest says is refused', async ({ registry, client }) => {
  const { digest } = registry.addImage('a/b', 'latest', []);
  registry.mischief = () => ({ corrupt: true });
  await failsWith(getManifest(client, digest), 'DIGEST', /instead of/);
  await failsWith(getManifest(client, 'latest'), 'DIGEST', /instead of/);
});

test('a huge manifest is refused without reading it all', async ({ registry, client }) => {
  registry.addManifest('a/b', 'latest', 'application/json', Buffer.alloc(6 << 20, 0x20));
  await failsWith(getManifest(client, 'latest'), 'MANIFEST', /larger than/);
});

test('HTML is named as such', async ({ registry, client }) => {
  registry.mischief = () => ({
    status: 200,
    headers: { 'content-type': 'text/html; charset=utf-8' },
    body: '<html>Welcome</html>',
  });
  await failsWith(getManifest(client, 'latest'), 'REGISTRY', /answered HTML, not a registry/);
  await failsWith(downloadBlob(client, blob(registry, 10), new Memory()), 'REGISTRY', /answered HTML/);
  registry.mischief = () => ({
    status: 404,
    headers: { 'content-type': 'text/html' },
    body: '<html>Not here</html>',
  });
  await failsWith(getManifest(client, 'latest'), 'REGISTRY', /answered HTML/);
});

test('an error body with terminal escapes is cleaned', async ({ registry, client }) => {
  const body = JSON.stringify({ errors: [{ code: 'DENIED', message: 'go \u001b[2Jaway\r\nnow\u202e' }] });
  registry.mischief = () => ({ status: 418, body });
  const error = await failsWith(getManifest(client, 'latest'), 'REGISTRY', /HTTP 418: go \[2Jaway now$/);
  assert.not.match(error.message, /\p{Cc}/u);
});

test('a 503 is tried again, and again only so often', async ({ registry, client }) => {
  const { digest } = registry.addImage('a/b', 'latest', []);
  registry.mischief = (_, nth) => (nth < 3 ? { status: 503 } : undefined);
  assert.is((await getManifest(client, 'latest')).digest, digest);
  registry.mischief = () => ({ status: 502, body: '<html>bad gateway</html>' });
  await failsWith(getManifest(client, 'other'), 'REGISTRY', /HTTP 502/);
  assert.is(registry.count(/other/), FAST.attempts);
});

test('Retry-After is waited for and said', async scene => {
  const { registry, client } = scene;
  const { digest } = registry.addImage('a/b', 'latest', []);
  registry.mischief = (_, nth) => (nth === 1 ? { status: 429, headers: { 'retry-after': '1' } } : undefined);
  const start = performance.now();
  assert.is((await getManifest(client, 'latest')).digest, digest);
  assert.ok(performance.now() - start > 900);
  assert.match(scene.warned.join(), /asks to wait 1 s/);
});

test('a Retry-After of an hour ends the work and is said', async ({ registry, client }) => {
  registry.mischief = () => ({ status: 429, headers: { 'retry-after': '3600' } });
  await failsWith(getManifest(client, 'latest'), 'REGISTRY', /HTTP 429\) and asks to wait 3600 s/);
  assert.is(registry.seen.length, 1);
});

test('a broken download goes on where it stopped', async ({ registry, client }) => {
  const wanted = blob(registry, 3_000_000);
  registry.mischief = (_, nth) => (nth < 4 ? { cutAfter: 700_000 } : undefined);
  const sink = new Memory();
  await downloadBlob(client, wanted, sink);
  assert.ok(sink.bytes.equals(wanted.bytes));
  const ranges = registry.seen.map(request => request.headers.range);
  assert.is(ranges[0], undefined);
  assert.ok(
    ranges.slice(1).every(range => /^bytes=[1-9][0-9]*-$/.test(range ?? '')),
    String(ranges),
  );
});

test('a registry without ranges starts again and nothing is written twice', async ({ registry, client }) => {
  const wanted = blob(registry, 2_000_000);
  registry.ranges = false;
  registry.mischief = (_, nth) => (nth === 1 ? { cutAfter: 900_000 } : undefined);
  const sink = new Memory();
  await downloadBlob(client, wanted, sink);
  assert.ok(sink.bytes.equals(wanted.bytes));
});

test('a blob that always breaks off ends with an error', async ({ registry, client }) => {
  const wanted = blob(registry, 1000);
  registry.mischief = () => ({ cutAfter: 0 });
  await failsWith(downloadBlob(client, wanted, new Memory()), 'REGISTRY', /closed the connection/);
  assert.is(registry.seen.length, FAST.attempts);
});

test('a wrong length is refused before a byte is written', async ({ registry, client }) => {
  const wanted = blob(registry, 1000);
  registry.mischief = () => ({ truncate: 500 });
  const sink = new Memory();
  await failsWith(downloadBlob(client, wanted, sink), 'DIGEST', /sends 500 bytes .* manifest says 1000/);
  assert.is(sink.offset, 0);
});

test('a missing blob is NOT_FOUND', async ({ client }) => {
  await failsWith(
    downloadBlob(client, { digest: sha256('x'), size: 1 }, new Memory()),
    'NOT_FOUND',
    /which its manifest names/,
  );
});

test('a wrong range is refused', async ({ registry, client }) => {
  const wanted = blob(registry, 1000);
  registry.mischief = (_, nth) =>
    nth === 1
      ? { cutAfter: 100 }
      : { status: 206, headers: { 'content-range': 'bytes 0-9/1000' }, body: '0123456789' };
  await failsWith(downloadBlob(client, wanted, new Memory()), 'REGISTRY', /another range/);
});

test('a registry that never answers is given up', async scene => {
  connect(scene, { ...FAST, attempts: 1 });
  scene.registry.mischief = () => ({ delay: Number.POSITIVE_INFINITY });
  await failsWith(getManifest(scene.client, 'latest'), 'REGISTRY', /never answered/);
});

test('a registry that stops in the middle is given up', async scene => {
  connect(scene, { ...FAST, attempts: 1 });
  const wanted = blob(scene.registry, 1000);
  scene.registry.mischief = () => ({ dripMs: 5000 });
  await failsWith(downloadBlob(scene.client, wanted, new Memory()), 'REGISTRY', /stopped sending/);
});

test('a registry that sends slowly for ever is given up', async scene => {
  connect(scene, { ...FAST, attempts: 2, rateWindow: 300, minRate: 1000 });
  const wanted = blob(scene.registry, 100_000);
  scene.registry.mischief = () => ({ dripMs: 20 });
  await failsWith(downloadBlob(scene.client, wanted, new Memory()), 'REGISTRY', /sends too slowly/);
});

test('a registry that is down is said at once', async scene => {
  await scene.registry.stop();
  await failsWith(getManifest(scene.client, 'latest'), 'REGISTRY', /nothing listens there/);
  await scene.registry.start();
});

test('an abort ends a download at once', async scene => {
  const abort = new AbortController();
  connect(scene, FAST, abort.signal);
  const wanted = blob(scene.registry, 100_000);
  scene.registry.mischief = () => ({ dripMs: 5 });
  setTimeout(() => abort.abort(), 50);
  const start = performance.now();
  await failsWith(downloadBlob(scene.client, wanted, new Memory()), 'ABORTED', /cancelled/);
  assert.ok(performance.now() - start < 1000);
});

test('an anonymous token is fetched once and used again', async ({ registry, client }) => {
  registry.auth = { scheme: 'bearer', anonymous: true };
  registry.addImage('a/b', 'latest', []);
  await getManifest(client, 'latest');
  await headManifest(client, 'latest');
  assert.is(registry.count(/^\/token/), 1);
  const token = registry.seen.find(request => request.path.startsWith('/token'));
  assert.match(token?.path ?? '', /service=fake\+%22registry%22&scope=repository%3Aa%2Fb%3Apull/);
});

test('parallel requests share one token', async ({ registry, client }) => {
  registry.auth = { scheme: 'bearer', anonymous: true };
  registry.addImage('a/b', 'latest', []);
  await Promise.all([1, 2, 3, 4].map(() => getManifest(client, 'latest')));
  assert.is(registry.count(/^\/token/), 1);
});

test('an expired token is replaced', async ({ registry, client }) => {
  registry.auth = { scheme: 'bearer', anonymous: true };
  registry.addImage('a/b', 'latest', []);
  await getManifest(client, 'latest');
  registry.tokens.clear();
  await getManifest(client, 'latest');
  assert.is(registry.count(/^\/token/), 2);
});

test('credentials get a token, and never reach a message or trace', async scene => {
  const { registry, client } = scene;
  registry.auth = { scheme: 'bearer', user: 'me', password: 'sesame-1' };
  registry.addImage('a/b', 'latest', []);
  logIn(scene, 'me', 'sesame-1');
  await getManifest(client, 'latest');
  registry.tokens.clear();
  registry.auth.password = 'changed';
  const error = await failsWith(
    getManifest(client, 'latest'),
    'UNAUTHORIZED',
    /refuses the credentials given/,
  );
  const all = JSON.stringify([error.message, error.stack, scene.said, scene.warned]);
  assert.not.match(all, /sesame|Basic|Bearer t/);
});

test('basic authentication', async scene => {
  const { registry, client } = scene;
  registry.auth = { scheme: 'basic', user: 'me', password: 'pw' };
  registry.addImage('a/b', 'latest', []);
  await failsWith(
    getManifest(client, 'latest'),
    'UNAUTHORIZED',
    /does not let anybody in without credentials/,
  );
  logIn(scene, 'me', 'pw');
  connect(scene, FAST);
  await getManifest(scene.client, 'latest');
  assert.is(registry.seen.at(-1)?.headers.authorization, `Basic ${Buffer.from('me:pw').toString('base64')}`);
});

test('wrong basic credentials are tried once', async scene => {
  scene.registry.auth = { scheme: 'basic', user: 'me', password: 'pw' };
  logIn(scene, 'me', 'wrong');
  await failsWith(getManifest(scene.client, 'latest'), 'UNAUTHORIZED', /with the credentials given/);
  assert.is(scene.registry.seen.length, 2);
});

test('a token server without HTTPS elsewhere gets nothing', async scene => {
  logIn(scene, 'me', 'pw');
  const { source, limits, signal } = scene.client;
  const rules: RegistryRules = { config: { mirrors: {}, insecure: [], blocked: [] }, rules: [] };
  assert.ok(source && limits && signal === undefined);
  const { fetchToken } = await import('../../../src/registry/token.ts');
  for (const realm of [
    'http://example.invalid/token',
    'ftp://127.0.0.1/',
    'nonsense',
    'https://a:b@example.invalid/',
  ]) {
    const wanted = {
      realm,
      service: undefined,
      scope: '',
      credentials: undefined,
      host: 'h',
      plainHttp: false,
    };
    await failsWith(
      fetchToken(scene.http, { ...wanted, insecureHost: () => rules.rules.length > 0 }),
      'REGISTRY',
      /which is not HTTPS/,
    );
  }
});

test('a redirect to another host loses the Authorization header', async scene => {
  const other = await startFakeRegistry();
  try {
    const wanted = blob(other, 1000);
    scene.registry.auth = { scheme: 'basic', user: 'me', password: 'pw' };
    logIn(scene, 'me', 'pw');
    scene.registry.mischief = request =>
      request.headers.authorization
        ? {
            status: 307,
            headers: { location: `http://${other.host}/v2/a/b/blobs/${wanted.digest}?sig=secret` },
          }
        : undefined;
    const sink = new Memory();
    await downloadBlob(scene.client, wanted, sink);
    assert.ok(sink.bytes.equals(wanted.bytes));
    assert.is(other.seen.length, 1);
    assert.is(other.seen[0]?.headers.authorization, undefined);
    assert.not.match(scene.said.join(), /secret/);
  } finally {
    await other.stop();
  }
});

test('a redirect that comes back does not get the header again', async scene => {
  const other = await startFakeRegistry();
  try {
    scene.registry.auth = { scheme: 'basic', user: 'me', password: 'pw' };
    logIn(scene, 'me', 'pw');
    other.mischief = () => ({ status: 302, headers: { location: `http://${scene.registry.host}/back` } });
    scene.registry.mischief = request => {
      if (request.path === '/back') return { status: 200, body: 'x' };
      return request.headers.authorization
        ? { status: 302, headers: { location: `http://${other.host}/` } }
        : undefined;
    };
    await downloadBlob(scene.client, { digest: sha256('x'), size: 1 }, new Memory());
    assert.is(scene.registry.seen.at(-1)?.path, '/back');
    assert.is(scene.registry.seen.at(-1)?.headers.authorization, undefined);
  } finally {
    await other.stop();
  }
});

test('redirects without end, to files and to nonsense are refused', async ({ registry, client }) => {
  const to = (location: string): void => {
    registry.mischief = () => ({ status: 302, headers: { location } });
  };
  to('/again');
  await failsWith(getManifest(client, 'latest'), 'REGISTRY', /redirects more than 5 times/);
  to('file:///etc/passwd');
  await failsWith(getManifest(client, 'latest'), 'REGISTRY', /which is not HTTPS/);
  to('http://[');
  await failsWith(getManifest(client, 'latest'), 'REGISTRY', /no URL/);
});

test.run();
