import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { defaultConfig } from '../../../src/host/config.ts';
import { findAlias } from '../../../src/registry/aliases.ts';
import { failsWith } from '../../support/registry-scene.ts';

const test = suite<{ home: string }>('registry/aliases');
const FILE = 'CONTAINERS_REGISTRIES_CONF';
const before = process.env[FILE];

test.before.each(scene => {
  scene.home = mkdtempSync(join(tmpdir(), 'tsbox-aliases-'));
  // Otherwise the aliases of the machine are read, too.
  process.env[FILE] = join(scene.home, 'registries.conf');
});
test.after.each(({ home }) => {
  rmSync(home, { recursive: true });
  if (before === undefined) delete process.env[FILE];
  else process.env[FILE] = before;
});

const say = (home: string, text: string): void => writeFileSync(join(home, 'registries.conf'), text);
const find = (name: string, aliases: Record<string, string> = {}) =>
  findAlias(name, { ...defaultConfig().registries, aliases });

test('of registries.conf, and ours before it', async ({ home }) => {
  say(home, '[aliases]\n"fedora" = "registry.example/fedora"\n"ubi9/ubi" = "registry.example/ubi9/ubi"\n');
  assert.is(await find('fedora'), 'registry.example/fedora');
  assert.is(await find('ubi9/ubi'), 'registry.example/ubi9/ubi');
  assert.is(await find('fedora', { fedora: 'own.example/f' }), 'own.example/f');
  assert.is(await find('ubi9'), undefined);
  assert.is(await find('alpine'), undefined);
  assert.is(await find('constructor'), undefined);
});

test('no file, no aliases, an empty alias', async ({ home }) => {
  assert.is(await find('fedora'), undefined);
  say(home, '# fedora\n[[registry]]\nprefix = "fedora.example"\n');
  assert.is(await find('fedora'), undefined);
  say(home, '[aliases]\nfedora = ""\n');
  assert.is(await find('fedora'), undefined);
});

test('unqualified-search-registries: the first, unless docker.io is among them', async ({ home }) => {
  const list = (...items: string[]) => `unqualified-search-registries = ${JSON.stringify(items)}\n`;
  say(home, `${list('one.example', 'two.example:5000')}[aliases]\n"fedora" = "r.example/fedora"\n`);
  assert.is(await find('ubi9/ubi'), 'one.example/ubi9/ubi');
  assert.is(await find('fedora'), 'r.example/fedora');
  assert.is(await find('fedora', { fedora: 'own.example/f' }), 'own.example/f');
  say(home, `${list('one.example', 'docker.io')}[aliases]\nfedora = ""\n`);
  assert.is(await find('ubi9'), undefined);
  assert.is(await find('fedora'), undefined);
  say(home, list());
  assert.is(await find('ubi9'), undefined);
  say(home, `# ${list('one.example')}`);
  assert.is(await find('ubi9'), undefined);
  say(home, 'unqualified-search-registries = "one.example"\n');
  await failsWith(find('ubi9'), 'USAGE', /is not a list of registries/);
  say(home, list('no registry'));
  await failsWith(find('ubi9'), 'BAD_REFERENCE', /invalid image reference/);
});

test('nonsense is said with the file', async ({ home }) => {
  say(home, '[aliases]\nfedora = \n');
  await failsWith(find('fedora'), 'USAGE', /registries\.conf is not valid TOML/);
  for (const value of ['registry.example/fedora:40', 'fedora', `a.example/f@sha256:${'0'.repeat(64)}`]) {
    say(home, `[aliases]\nfedora = ${JSON.stringify(value)}\n`);
    await failsWith(
      find('fedora'),
      'USAGE',
      /registries\.conf: the alias of fedora is .* not host\/repository/,
    );
  }
  await failsWith(find('x', { x: 'A B' }), 'BAD_REFERENCE', /invalid image reference/);
});

test('the choices that containers tools remember', async ({ home }) => {
  const saved = process.env.XDG_CACHE_HOME;
  process.env.XDG_CACHE_HOME = home;
  try {
    if (process.geteuid?.() === 0) return;
    mkdirSync(join(home, 'containers'));
    writeFileSync(join(home, 'containers/short-name-aliases.conf'), '[aliases]\n"x" = "c.example/x"\n');
    say(home, '[aliases]\nx = "r.example/x"\n');
    assert.is(await find('x'), 'c.example/x');
  } finally {
    if (saved === undefined) delete process.env.XDG_CACHE_HOME;
    else process.env.XDG_CACHE_HOME = saved;
  }
});

test.run();
