import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { silentReporter } from '../../../src/log.ts';
import { parseReference } from '../../../src/oci/reference.ts';
import { RegistryClient } from '../../../src/registry/client.ts';
import { codeOf, networkFailure } from '../../../src/registry/failure.ts';
import { Http } from '../../../src/registry/http.ts';
import { DEFAULT_LIMITS } from '../../../src/registry/limits.ts';
import { getManifest } from '../../../src/registry/manifests.ts';
import { pullSources, type RegistryRules } from '../../../src/registry/sources.ts';
import { startFakeRegistry } from '../../support/fake-registry.ts';

const test = suite<{ home: string; http: Http }>('registry/http');
const FIXTURES = new URL('../../fixtures/tls/', import.meta.url);
const TLS = {
  key: readFileSync(new URL('key.pem', FIXTURES), 'utf8'),
  cert: readFileSync(new URL('cert.pem', FIXTURES), 'utf8'),
};
const PINNED = [
  'HOME',
  'XDG_CONFIG_HOME',
  'SSL_CERT_FILE',
  'NODE_EXTRA_CA_CERTS',
  'HTTP_PROXY',
  'HTTPS_PROXY',
  'NO_PROXY',
  'REGISTRY_AUTH_FILE',
] as const;
const before = PINNED.map(name => process.env[name]);
const LIMITS = { ...DEFAULT_LIMITS, backoff: 5, attempts: 2 };

test.before.each(scene => {
  scene.home = mkdtempSync(join(tmpdir(), 'tsbox-http-'));
  // Otherwise the machine's own proxies, certificates and credentials would be used.
  for (const name of PINNED) delete process.env[name];
  process.env.HOME = scene.home;
  process.env.XDG_CONFIG_HOME = scene.home;
  process.env.REGISTRY_AUTH_FILE = join(scene.home, 'none');
  scene.http = new Http(LIMITS);
});

test.after.each(async ({ home, http }) => {
  await http.close();
  rmSync(home, { recursive: true });
  for (const [i, name] of PINNED.entries()) {
    if (before[i] === undefined) delete process.env[name];
    else process.env[name] = before[i];
  }
});

function clientFor(http: Http, reference: string, insecure: string[] = []): RegistryClient {
  const rules: RegistryRules = { config: { mirrors: {}, insecure, blocked: [] }, rules: [] };
  const [source] = pullSources(parseReference(reference), rules);
  if (source === undefined) throw new Error('no source');
  return new RegistryClient({ source, rules, http, limits: LIMITS, reporter: silentReporter });
}

/** A proxy that leads every CONNECT to `port`, and remembers where it should have led. */
async function startProxy(port: number): Promise<{ server: Server; asked: string[]; url: string }> {
  const asked: string[] = [];
  const server = createServer();
  server.on('connect', (request, socket, head) => {
    asked.push(request.url ?? '');
    const upstream = connect(port, '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
      upstream.write(head);
      upstream.pipe(socket).pipe(upstream);
    });
    for (const end of [socket, upstream]) end.on('error', () => end.destroy());
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  return { server, asked, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

test('a loopback registry may speak HTTPS too', async ({ http }) => {
  const registry = await startFakeRegistry(TLS);
  try {
    const { digest } = registry.addImage('a', 'latest', []);
    assert.is((await getManifest(clientFor(http, `${registry.host}/a`), 'latest')).digest, digest);
  } finally {
    await registry.stop();
  }
});

test('a certificate of nobody is refused, and the hint says what to do', async ({ http }) => {
  const registry = await startFakeRegistry(TLS);
  try {
    const url = new URL(`https://127.0.0.1:${registry.port}/v2/`);
    await http.send({ method: 'GET', url, headers: {} });
    assert.unreachable();
  } catch (error) {
    assert.is(codeOf(error), 'DEPTH_ZERO_SELF_SIGNED_CERT');
    assert.match(networkFailure(error, 'registry.test').message, /certificate is not trusted/);
  } finally {
    await registry.stop();
  }
});

test('certs.d vouches for a host', async ({ http, home }) => {
  const registry = await startFakeRegistry(TLS);
  try {
    const dir = join(home, 'containers/certs.d', registry.host);
    mkdirSync(dir, { recursive: true });
    writeFileSync(join(dir, 'ca.crt'), TLS.cert);
    const response = await http.send({
      method: 'GET',
      url: new URL(`https://${registry.host}/v2/`),
      headers: {},
    });
    response.body.cancel();
    assert.is(response.status, 200);
    const other = new URL(`https://localhost:${registry.port}/v2/`);
    await http.send({ method: 'GET', url: other, headers: {} }).then(
      () => assert.unreachable(),
      () => {},
    );
  } finally {
    await registry.stop();
  }
});

for (const variable of ['SSL_CERT_FILE', 'NODE_EXTRA_CA_CERTS']) {
  test(`authorities of ${variable} vouch too`, async ({ http, home }) => {
    const registry = await startFakeRegistry(TLS);
    process.env[variable] = join(home, 'bundle.pem');
    writeFileSync(join(home, 'bundle.pem'), TLS.cert);
    try {
      const get = async (path: string): Promise<void> => {
        const url = new URL(`https://${registry.host}${path}`);
        (await http.send({ method: 'GET', url, headers: {} })).body.cancel();
      };
      // The first ones at once, as a push begins; then one that profits from what they found out.
      await Promise.all(['/a', '/b', '/c'].map(get));
      await get('/d');
    } finally {
      await registry.stop();
    }
  });
}

test('HTTPS is not tried without when the registry is not insecure', async ({ http }) => {
  const registry = await startFakeRegistry();
  const proxy = await startProxy(registry.port);
  process.env.HTTPS_PROXY = proxy.url;
  try {
    const work = getManifest(clientFor(http, 'registry.test/a'), 'latest');
    await work.then(
      () => assert.unreachable(),
      (error: Error) => assert.match(error.message, /plain HTTP, not HTTPS/),
    );
    assert.is(registry.seen.length, 0);
    assert.equal([...new Set(proxy.asked)], ['registry.test:443']);
  } finally {
    proxy.server.close();
    await registry.stop();
  }
});

test('an insecure registry: any certificate, or none, through a proxy', async ({ http }) => {
  for (const tls of [TLS, undefined]) {
    const registry = await startFakeRegistry(tls);
    const proxy = await startProxy(registry.port);
    process.env.HTTPS_PROXY = proxy.url;
    process.env.HTTP_PROXY = proxy.url;
    const own = new Http(LIMITS);
    try {
      const { digest } = registry.addImage('a', 'latest', []);
      const got = await getManifest(clientFor(own, 'registry.test/a', ['registry.test']), 'latest');
      assert.is(got.digest, digest);
      assert.is(proxy.asked.at(-1), tls ? 'registry.test:443' : 'registry.test:80');
    } finally {
      await own.close();
      proxy.server.close();
      await registry.stop();
    }
  }
  await http.close();
});

test('loopback is never proxied, NO_PROXY is honoured', async ({ http }) => {
  const registry = await startFakeRegistry();
  const proxy = await startProxy(1);
  process.env.HTTP_PROXY = proxy.url;
  process.env.HTTPS_PROXY = proxy.url;
  process.env.NO_PROXY = 'direct.invalid';
  try {
    const { digest } = registry.addImage('a', 'latest', []);
    assert.is((await getManifest(clientFor(http, `${registry.host}/a`), 'latest')).digest, digest);
    await getManifest(clientFor(http, 'direct.invalid/a'), 'latest').then(
      () => assert.unreachable(),
      () => {},
    );
    assert.equal(proxy.asked, []);
  } finally {
    proxy.server.close();
    await registry.stop();
  }
});

test.run();
