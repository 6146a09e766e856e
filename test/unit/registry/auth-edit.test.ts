import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { helperFor, serverKey, withAuth, withoutAuth } from '../../../src/registry/auth-edit.ts';
import { Credentials, findAuth } from '../../../src/registry/auth-file.ts';

const test = suite('registry/auth-edit');
const me = new Credentials('me', 'se:same', false);
const auth = Buffer.from('me:se:same').toString('base64');

test('what is written is found again, whatever was there', () => {
  for (const host of ['docker.io', 'localhost', 'quay.io', '127.0.0.1:5000', '[::1]:5000']) {
    for (const file of [
      {},
      undefined,
      null,
      [],
      'x',
      { auths: 5 },
      { auths: { other: { auth: 'x' } }, psFormat: 'y' },
    ]) {
      const found = findAuth(withAuth(file, host, me), host, 'a/b');
      assert.ok(found !== undefined && 'credentials' in found, host);
      assert.equal([found.credentials.username, found.credentials.secret()], ['me', 'se:same']);
    }
  }
});

test("docker's form, and nothing else is touched", () => {
  const file = { auths: { 'a.example': { auth: 'x' } }, HttpHeaders: { a: 'b' }, credHelpers: { b: 'c' } };
  assert.equal(withAuth(file, 'docker.io', me), {
    ...file,
    auths: { 'a.example': { auth: 'x' }, 'https://index.docker.io/v1/': { auth } },
  });
  assert.equal(withAuth(file, 'a.example', undefined), { ...file, auths: { 'a.example': {} } });
  const token = withAuth({}, 'a.example', new Credentials('<token>', 'tok', true));
  assert.equal(token.auths, {
    'a.example': { auth: Buffer.from('<token>:').toString('base64'), identitytoken: 'tok' },
  });
});

test('every spelling of the host goes, its neighbours stay', () => {
  const auths = {
    'a.example': {},
    'https://a.example/v1/': {},
    'a.example/team': {},
    'a.example:5000': {},
    'b.example': {},
  };
  assert.equal(Object.keys(withoutAuth({ auths }, 'a.example')?.auths ?? {}), [
    'a.example/team',
    'a.example:5000',
    'b.example',
  ]);
  const hub = {
    'https://index.docker.io/v1/': {},
    'docker.io': {},
    'registry-1.docker.io': {},
    'b.example': {},
  };
  assert.equal(withoutAuth({ auths: hub }, 'docker.io')?.auths, { 'b.example': {} });
  assert.is(withoutAuth({ auths }, 'c.example'), undefined);
  assert.is(withoutAuth({}, 'a.example'), undefined);
});

test('the helper of a host goes before the one for all', () => {
  const file = {
    credsStore: 'all',
    credHelpers: { 'a.example': 'own', 'https://index.docker.io/v1/': 'hub', e: '' },
  };
  const found = ['a.example', 'docker.io', 'b.example', 'e'].map(host => helperFor(file, host));
  assert.equal(found, ['own', 'hub', 'all', 'all']);
  assert.is(helperFor({ credsStore: 5 }, 'a'), undefined);
  assert.is(helperFor(undefined, 'a'), undefined);
});

test('a prototype is no entry', () => {
  assert.is(helperFor({ credHelpers: {} }, '__proto__'), undefined);
  assert.is(serverKey('a.example'), 'a.example');
});

test.run();
