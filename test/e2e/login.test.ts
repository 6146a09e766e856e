import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Box, openBox, TSBOX } from '../support/cli.ts';
import { busyboxImage, dockerArchive } from '../support/images.ts';
import { openPty } from '../support/pty.ts';
import { type Registry, startRegistry } from '../support/registry.ts';
import { requires } from '../support/requires.ts';
import { tempHome } from '../support/temp-home.ts';

/** At the real registry, with passwords. */
const test = requires(suite('login'), 'registry');
const push = requires(test, 'userns', 'busybox');
const typed = requires(test, 'script');
let registry: Registry;
let homes = 0;

/** `sesame`, hashed with bcrypt. */
const HTPASSWD = 'me:$2b$05$abcdefghijklmnopqrstuuKcS.CYWVYVaLiiCKrrc0A5s3mGesJ9O';
const fresh = (): Box => openBox(tempHome(`login-${++homes}`));
const fileOf = (box: Box): string => join(box.home.dir, '.docker/config.json');
const read = (box: Box): Record<string, unknown> => JSON.parse(readFileSync(fileOf(box), 'utf8'));
const sesame = (box: Box, text = 'sesame\n'): Box => box.with({ input: text });
const logIn = (box: Box) => sesame(box).ok('login', '-u', 'me', '--password-stdin', registry.host);

test.before(async () => {
  const file = join(tempHome().dir, 'htpasswd');
  writeFileSync(file, `${HTPASSWD}\n`);
  const settings = {
    REGISTRY_AUTH: 'htpasswd',
    REGISTRY_AUTH_HTPASSWD_REALM: 'x',
    REGISTRY_AUTH_HTPASSWD_PATH: file,
  };
  Object.assign(process.env, settings);
  registry = await startRegistry().finally(() => {
    for (const name of Object.keys(settings)) delete process.env[name];
  });
});
test.after(() => registry?.stop());

test('with the password on stdin: docker reads the file', async () => {
  const box = fresh();
  assert.is(await logIn(box), 'Login Succeeded');
  assert.is(statSync(fileOf(box)).mode & 0o777, 0o600);
  assert.equal(read(box), {
    auths: { [registry.host]: { auth: Buffer.from('me:sesame').toString('base64') } },
  });
  assert.is(await box.ok('login', registry.host), 'Login Succeeded', 'again, with what is kept');
  assert.is(await box.ok('logout', registry.host), `Removing login credentials for ${registry.host}`);
  assert.equal(read(box), { auths: {} });
  assert.is(await box.ok('logout', `https://${registry.host}/v2/`), `Not logged in to ${registry.host}`);
});

test('what else is in the file stays, also its other hosts and a link to it', async () => {
  const box = fresh();
  mkdirSync(join(box.home.dir, '.docker'));
  const before = { auths: { 'other.example': { auth: 'eDp5' } }, psFormat: 'table {{.ID}}' };
  writeFileSync(join(box.home.dir, 'real.json'), JSON.stringify(before));
  symlinkSync('../real.json', fileOf(box));
  await logIn(box);
  await box.ok('logout', registry.host);
  assert.equal(JSON.parse(readFileSync(join(box.home.dir, 'real.json'), 'utf8')), before);
});

test('a wrong password: status 125, one line, nothing is kept', async () => {
  const box = fresh();
  const wrong = sesame(box, 'nonsense');
  const done = await wrong.fails(
    125,
    /refuses the credentials given/,
    'login',
    '-u',
    'me',
    '--password-stdin',
    registry.host,
  );
  assert.not.match(done.stderr + done.stdout, /nonsense/);
  assert.not(existsSync(fileOf(box)));
});

test('bad requests', async () => {
  const box = fresh();
  await box.fails(125, /--password-stdin needs --username/, 'login', '--password-stdin', registry.host);
  await box.fails(
    125,
    /exclude each other/,
    'login',
    '-u',
    'me',
    '-p',
    'x',
    '--password-stdin',
    registry.host,
  );
  await box.fails(125, /stdin is no terminal/, 'login', '-u', 'me', registry.host);
  await box.fails(125, /stdin is no terminal/, 'login', registry.host);
  await box.fails(125, /the password is empty/, 'login', '-u', 'me', '--password-stdin', registry.host);
  for (const host of ['nohost', 'a b:5', 'https://', '..', '-x.example/'])
    await box
      .with({ input: 'x' })
      .fails(
        125,
        /is not the address of a registry|invalid image reference|nknown|a registry host/,
        'login',
        '-u',
        'me',
        '--password-stdin',
        host === 'https://' ? 'no_host' : host,
      );
  await sesame(box).fails(125, /connection refused/, 'login', '-u', 'me', '--password-stdin', '127.0.0.1:1');
});

test('a file that is no JSON is not overwritten, and not shown', async () => {
  const box = fresh();
  mkdirSync(join(box.home.dir, '.docker'));
  writeFileSync(fileOf(box), '{"auths": secret');
  const done = await sesame(box)('login', '-u', 'me', '--password-stdin', registry.host);
  assert.is(done.code, 125);
  assert.match(done.stderr, /cannot be read: it is not JSON/);
  assert.not.match(done.stderr, /secret/);
  assert.is(readFileSync(fileOf(box), 'utf8'), '{"auths": secret');
});

const HELPER = `#!/bin/sh
cd "$(dirname "$0")"
case $1 in
  store) cat > stored ;;
  get) [ -e stored ] && cat stored || { echo "credentials not found in native keychain"; exit 1; } ;;
  erase) read host; echo "$host" > erased; rm -f stored ;;
esac
`;

test('a credential helper keeps the password, the file only says so', async () => {
  const box = fresh();
  const bin = join(box.home.dir, 'bin');
  mkdirSync(join(box.home.dir, '.docker'));
  mkdirSync(bin);
  writeFileSync(join(bin, 'docker-credential-test'), HELPER);
  chmodSync(join(bin, 'docker-credential-test'), 0o755);
  writeFileSync(fileOf(box), JSON.stringify({ credHelpers: { [registry.host]: 'test' } }));
  const helped = box.with({ env: { PATH: `${bin}:${box.home.env.PATH}` } });
  assert.is(await logIn(helped), 'Login Succeeded');
  const stored = JSON.parse(readFileSync(join(bin, 'stored'), 'utf8'));
  assert.equal(stored, { ServerURL: registry.host, Username: 'me', Secret: 'sesame' });
  assert.equal(read(box), { credHelpers: { [registry.host]: 'test' }, auths: { [registry.host]: {} } });
  assert.is(await helped.ok('login', registry.host), 'Login Succeeded');
  assert.match(await helped.ok('logout', registry.host), /^Removing/);
  assert.is(readFileSync(join(bin, 'erased'), 'utf8'), `${registry.host}\n`);
  await sesame(box).fails(
    125,
    /docker-credential-test cannot be started/,
    'login',
    '-u',
    'me',
    '--password-stdin',
    registry.host,
  );
});

push('push and pull with what login kept; without it neither', async () => {
  const box = fresh();
  const name = `${registry.host}/team/private`;
  await box.ok('load', '-q', '-i', dockerArchive(busyboxImage(), name, join(box.home.dir, 'i.tar')));
  await box.fails(125, /without credentials.*\n.*tsbox login/, 'push', '-q', name);
  await logIn(box);
  await box.ok('push', '-q', name);
  assert.is(
    await box.ok('search', '--format', '{{.Name}}', `${registry.host}/`),
    `${registry.host}/team/private`,
  );
  await box.ok('logout', registry.host);
  await box.fails(125, /without credentials/, 'pull', '-q', name);
  await box.fails(125, /not listed for everybody/, 'search', `${registry.host}/`);
});

typed('typed on a terminal: the password is not shown', async () => {
  const box = fresh();
  const pty = await openPty([TSBOX, 'login', registry.host], box.home);
  await pty.expect(/Username: /);
  pty.type('me\r');
  await pty.expect(/Password: /);
  pty.type('wrong\x15sesamx\x7fe\r');
  assert.is(await pty.end(), 0, pty.text());
  assert.match(pty.text(), /Login Succeeded/);
  assert.not.match(pty.text(), /sesam|wrong/);
});

typed('Ctrl-C at the password', async () => {
  const box = fresh();
  const pty = await openPty([TSBOX, 'login', '-u', 'me', registry.host], box.home);
  await pty.expect(/Password: /);
  pty.type('ses\x03');
  assert.is(await pty.end(), 130, pty.text());
  assert.not(existsSync(fileOf(box)));
});

test.run();
