import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { login, logout } from '../../../src/engine/login.ts';
import { search } from '../../../src/engine/search.ts';
import { engineOf, failsWith, LIMITS, pullSuite, type Scene } from '../../support/pull-scene.ts';

/** Login with tokens, and which of several files counts. */
const test = pullSuite('engine/login');
const fileOf = ({ home }: Scene): string => join(home, 'none');
const me = ({ registry }: Scene, password = 'sesame') => ({
  registry: registry.host,
  username: 'me',
  password,
});
const withTokens = (scene: Scene): void => {
  scene.registry.auth = { scheme: 'bearer', user: 'me', password: 'sesame' };
};

test('a token server vouches', async scene => {
  withTokens(scene);
  const { host } = scene.registry;
  assert.equal(await login(scene.engine, me(scene), LIMITS), {
    registry: host,
    username: 'me',
    file: fileOf(scene),
  });
  assert.match(readFileSync(fileOf(scene), 'utf8'), new RegExp(`"${host}"`));
  assert.equal(await login(scene.engine, { registry: `http://${host}/x` }, LIMITS), {
    registry: host,
    username: 'me',
  });
  assert.equal(await logout(scene.engine, host), { registry: host, removed: true });
  assert.equal(await logout(scene.engine, host), { registry: host, removed: false });
});

test('an identity token is kept in place of the password, and is good for the next time', async scene => {
  withTokens(scene);
  scene.registry.auth = { ...scene.registry.auth, scheme: 'bearer', refresh: 'again-and-again' };
  const { host } = scene.registry;
  await login(scene.engine, me(scene), LIMITS);
  assert.equal(JSON.parse(readFileSync(fileOf(scene), 'utf8')), {
    auths: { [host]: { auth: Buffer.from('me:').toString('base64'), identitytoken: 'again-and-again' } },
  });
  assert.equal(await login(scene.engine, { registry: host }, LIMITS), { registry: host, username: 'me' });
  assert.is(scene.registry.count(/^\/token/, 'POST'), 1);
  scene.registry.auth = { ...scene.registry.auth, scheme: 'bearer', refresh: 'withdrawn' };
  const error = await failsWith(
    login(scene.engine, { registry: host }, LIMITS),
    'UNAUTHORIZED',
    /refuses the credentials given/,
  );
  assert.not.match(JSON.stringify([error, scene.warned]), /again-and-again/);
});

test('it refuses: nothing is kept, nothing is said of the password', async scene => {
  withTokens(scene);
  const error = await failsWith(
    login(scene.engine, me(scene, 'nonsense'), LIMITS),
    'UNAUTHORIZED',
    /refuses the credentials given.*incorrect/,
  );
  assert.not.match(JSON.stringify(error), /nonsense/);
  assert.not(existsSync(fileOf(scene)));
  await failsWith(
    login(scene.engine, { registry: scene.registry.host }, LIMITS),
    'UNAUTHORIZED',
    /no credentials for/,
  );
});

test('a token server that answers slowly for ever is given up', async scene => {
  withTokens(scene);
  scene.registry.mischief = ({ path }) =>
    path.startsWith('/token') ? { delay: Number.POSITIVE_INFINITY } : undefined;
  const limits = { ...LIMITS, headers: 100, attempts: 2 };
  await failsWith(login(scene.engine, me(scene), limits), 'REGISTRY', /never answered/);
});

test('a server that is no registry', async scene => {
  scene.registry.mischief = () => ({ status: 404, body: 'not here' });
  await failsWith(login(scene.engine, me(scene), LIMITS), 'REGISTRY', /HTTP 404/);
});

test('a registry that lets everybody in is said', async scene => {
  scene.registry.mischief = () => ({ status: 200, body: '{}' });
  await login(scene.engine, me(scene), LIMITS);
  assert.match(scene.warned.join('\n'), /lets everybody in: the credentials were not checked/);
});

test('another file that is read first is said', async scene => {
  withTokens(scene);
  const before = process.env.REGISTRY_AUTH_FILE;
  delete process.env.REGISTRY_AUTH_FILE;
  try {
    const other = join(scene.home, 'containers/auth.json');
    mkdirSync(join(scene.home, 'containers'));
    writeFileSync(other, JSON.stringify({ auths: { [scene.registry.host]: { auth: 'eDp5' } } }));
    await login(scene.engine, me(scene), LIMITS);
    assert.match(scene.warned.join('\n'), /auth\.json also has credentials for .*, and is read first/);
    assert.ok(existsSync(join(scene.home, 'config.json')), "docker's file, beside it");
    await logout(scene.engine, scene.registry.host);
    assert.match(scene.warned.join('\n'), /auth\.json still has credentials/);
    assert.ok(readFileSync(other, 'utf8').includes('eDp5'));
  } finally {
    process.env.REGISTRY_AUTH_FILE = before;
  }
});

test('a blocked registry gets no password, and no question', async scene => {
  const registries = { ...scene.engine.config.registries, blocked: [scene.registry.host] };
  const engine = engineOf(scene, { registries });
  await failsWith(login(engine, me(scene), LIMITS), 'REGISTRY', /is blocked by registries\.blocked/);
  await failsWith(search(engine, `${scene.registry.host}/x`, {}, LIMITS), 'REGISTRY', /is blocked by/);
  assert.is(scene.registry.seen.length, 0);
});

test('names of registries', async ({ engine }) => {
  for (const registry of ['nohost', 'a b:5000', '-x.example', 'x.example:999999', 'me@x.example', '..'])
    await failsWith(
      logout(engine, registry),
      registry.includes(' ') || /[.:]/.test(registry) ? 'BAD_REFERENCE' : 'USAGE',
      /./,
    );
  for (const registry of ['', 'docker.io', 'https://index.docker.io/v1/', 'hub.docker.com'])
    assert.is((await logout(engine, registry)).registry, 'docker.io');
});

test.run();
