import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { silentReporter } from '../../../src/log.ts';
import { type AuthEntry, Credentials, findAuth } from '../../../src/registry/auth-file.ts';
import { findCredentials } from '../../../src/registry/credentials.ts';

const test = suite<{ dir: string }>('registry/credentials');
const b64 = (text: string): string => Buffer.from(text).toString('base64');
const PINNED = ['REGISTRY_AUTH_FILE', 'XDG_CONFIG_HOME', 'XDG_RUNTIME_DIR', 'DOCKER_CONFIG', 'PATH'] as const;
const before = PINNED.map(name => process.env[name]);

test.before.each(scene => {
  scene.dir = mkdtempSync(join(tmpdir(), 'tsbox-auth-'));
  for (const name of ['config/containers', 'run/containers', 'docker', 'bin']) {
    mkdirSync(join(scene.dir, name), { recursive: true });
  }
  delete process.env.REGISTRY_AUTH_FILE;
  process.env.XDG_CONFIG_HOME = join(scene.dir, 'config');
  process.env.XDG_RUNTIME_DIR = join(scene.dir, 'run');
  process.env.DOCKER_CONFIG = join(scene.dir, 'docker');
  process.env.PATH = `${join(scene.dir, 'bin')}:${before[4]}`;
});

test.after.each(({ dir }) => {
  rmSync(dir, { recursive: true });
  for (const [i, name] of PINNED.entries()) {
    const value = before[i];
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  }
});

function who(entry: AuthEntry | Credentials | undefined): string | undefined {
  if (entry === undefined) return undefined;
  if ('helper' in entry) return `helper ${entry.helper}`;
  const found = entry instanceof Credentials ? entry : entry.credentials;
  return `${found.isToken ? 'token ' : ''}${found.username}:${found.secret()}`;
}

const FILE = {
  auths: {
    'https://index.docker.io/v1/': { auth: b64('hub:p:w') },
    'https://old.example/v2/': { auth: b64('old:x') },
    'quay.io': { username: 'plain', password: 'pw' },
    'quay.io/team': { auth: b64('team:t') },
    'quay.io/team/app': { auth: b64('app:a') },
    'token.example': { auth: b64('me:'), identitytoken: 'refresh' },
    'empty.example': {},
    'broken.example': { auth: '%%%' },
    'nul.example': { auth: b64('u:p\0') },
  },
  credHelpers: { 'gcr.example': 'gcloud' },
};

const FOUND: ReadonlyArray<readonly [string, string, string | undefined]> = [
  ['docker.io', 'library/alpine', 'hub:p:w'],
  ['old.example', 'x', 'old:x'],
  ['quay.io', 'other/x', 'plain:pw'],
  ['quay.io', 'team/x', 'team:t'],
  ['quay.io', 'team/app', 'app:a'],
  ['quay.io', 'teamwork/x', 'plain:pw'],
  ['token.example', 'x', 'token me:refresh'],
  ['empty.example', 'x', undefined],
  ['broken.example', 'x', undefined],
  ['nul.example', 'x', 'u:p'],
  ['gcr.example', 'x', 'helper gcloud'],
  ['example', 'x', undefined],
  ['evil-quay.io', 'x', undefined],
  ['quay.io.evil', 'x', undefined],
  ['__proto__', 'x', undefined],
];
for (const [host, path, expected] of FOUND) {
  test(`${host}/${path}`, () => assert.is(who(findAuth(FILE, host, path)), expected));
}

test('a credential store is asked for what the file lacks', () => {
  assert.is(who(findAuth({ ...FILE, credsStore: 'pass' }, 'new.example', 'x')), 'helper pass');
  assert.is(who(findAuth({ ...FILE, credsStore: 'pass' }, 'old.example', 'x')), 'old:x');
});

for (const nonsense of [
  undefined,
  null,
  1,
  'x',
  [],
  { auths: [] },
  { auths: { 'a.b': 1 } },
  { credHelpers: 'x' },
]) {
  test(`nothing in ${JSON.stringify(nonsense)}`, () => assert.is(findAuth(nonsense, 'a.b', 'x'), undefined));
}

test('secrets are not shown by accident', () => {
  const credentials = new Credentials('me', 'sesame', false);
  const shown = [
    inspect(credentials, { showHidden: true, depth: 9 }),
    JSON.stringify(credentials),
    String(credentials),
  ];
  assert.not.match(shown.join(), /sesame/);
});

test('files are read in the order of containers tools, then docker', async ({ dir }) => {
  const write = (file: string, user: string): void =>
    writeFileSync(join(dir, file), JSON.stringify({ auths: { 'a.example': { auth: b64(`${user}:x`) } } }));
  write('docker/config.json', 'docker');
  assert.is(who(await findCredentials('a.example', 'x', silentReporter)), 'docker:x');
  write('config/containers/auth.json', 'config');
  assert.is(who(await findCredentials('a.example', 'x', silentReporter)), 'config:x');
  write('run/containers/auth.json', 'runtime');
  assert.is(who(await findCredentials('a.example', 'x', silentReporter)), 'runtime:x');
});

test('a broken file is a warning without its content', async ({ dir }) => {
  writeFileSync(join(dir, 'docker/config.json'), '{"auths": {"a": {"auth": "c2VzYW1l" x');
  const warned: string[] = [];
  assert.is(
    await findCredentials('a', 'x', { ...silentReporter, warn: text => warned.push(text) }),
    undefined,
  );
  assert.match(warned.join(), /config\.json is ignored: it is not JSON/);
  assert.not.match(warned.join(), /c2Vz/);
});

function helper(dir: string, script: string): void {
  const file = join(dir, 'bin/docker-credential-test');
  writeFileSync(file, `#!/bin/sh\n${script}\n`);
  chmodSync(file, 0o755);
  writeFileSync(join(dir, 'docker/config.json'), JSON.stringify({ credsStore: 'test' }));
}

const HELPERS: ReadonlyArray<readonly [string, string, string | undefined, RegExp]> = [
  [
    'answers',
    'read h; printf \'{"ServerURL":"%s","Username":"%s","Secret":"s"}\' "$h" "$1-$h"',
    'get-a.example:s',
    /^$/,
  ],
  [
    'gives an identity token',
    'cat >/dev/null; echo \'{"Username":"<token>","Secret":"r"}\'',
    'token <token>:r',
    /^$/,
  ],
  [
    'knows nothing',
    'cat >/dev/null; echo "credentials not found in native keychain"; exit 1',
    undefined,
    /^$/,
  ],
  ['fails', 'cat >/dev/null; echo secret-words >&2; exit 1', undefined, /docker-credential-test failed/],
  ['answers nonsense', 'cat >/dev/null; echo "{"', undefined, /did not answer/],
  ['reads no input', 'echo \'{"Username":"u","Secret":"s"}\'', 'u:s', /^$/],
];
for (const [name, script, expected, warning] of HELPERS) {
  test(`a helper that ${name}`, async ({ dir }) => {
    helper(dir, script);
    const warned: string[] = [];
    const found = await findCredentials('a.example', 'x', {
      ...silentReporter,
      warn: text => warned.push(text),
    });
    assert.is(who(found), expected);
    assert.match(warned.join(), warning);
    assert.not.match(warned.join(), /secret-words/);
  });
}

test('a helper that is missing or has a path for a name is a warning', async ({ dir }) => {
  for (const name of ['nosuch-helper', '../../bin/sh', 'a b']) {
    writeFileSync(join(dir, 'docker/config.json'), JSON.stringify({ credsStore: name }));
    const warned: string[] = [];
    assert.is(
      await findCredentials('a', 'x', { ...silentReporter, warn: text => warned.push(text) }),
      undefined,
    );
    assert.is(warned.length, 1);
  }
});

test.run();
