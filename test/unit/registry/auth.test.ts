import * as assert from 'uvu/assert';
import { sha256 } from '../../../src/oci/digest.ts';
import { downloadBlob } from '../../../src/registry/download.ts';
import { getManifest, headManifest } from '../../../src/registry/manifests.ts';
import { fetchToken } from '../../../src/registry/token.ts';
import { startFakeRegistry } from '../../support/fake-registry.ts';
import {
  blob,
  connect,
  FAST,
  failsWith,
  logIn,
  Memory,
  registrySuite,
} from '../../support/registry-scene.ts';

const test = registrySuite('registry/auth');

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
  const realms = [
    'http://example.invalid/token',
    'ftp://127.0.0.1/',
    'nonsense',
    'https://a:b@example.invalid/',
  ];
  for (const realm of realms) {
    const wanted = {
      realm,
      service: undefined,
      scope: '',
      credentials: undefined,
      host: 'h',
      plainHttp: false,
    };
    const work = fetchToken(scene.http, { ...wanted, insecureHost: () => false });
    await failsWith(work, 'REGISTRY', /which is not HTTPS/);
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
