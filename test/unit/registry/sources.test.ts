import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { TsboxError } from '../../../src/errors.ts';
import { parseReference } from '../../../src/oci/reference.ts';
import { isLoopback, serverOf } from '../../../src/registry/hosts.ts';
import { findRule, parseRegistriesConf } from '../../../src/registry/registries-conf.ts';
import { pullSources, pushSource, type RegistryRules } from '../../../src/registry/sources.ts';

const test = suite('registry/sources');

const rules = (conf = '', config: Partial<RegistryRules['config']> = {}): RegistryRules => ({
  config: { mirrors: {}, insecure: [], blocked: [], ...config },
  rules: parseRegistriesConf(conf, 'registries.conf'),
});

/** `https://host/path`, `http|https://…` where both are tried, `!` for insecure, `~` for a mirror. */
function shown(reference: string, given: RegistryRules): string[] {
  return pullSources(parseReference(reference), given).map(
    s => `${s.mirror ? '~' : ''}${s.insecure ? '!' : ''}${s.schemes.join('|')}://${s.host}/${s.path}`,
  );
}

test('a registry is spoken to over HTTPS', () => {
  assert.equal(shown('alpine', rules()), ['https://docker.io/library/alpine']);
  assert.equal(shown('ghcr.io/a/b', rules()), ['https://ghcr.io/a/b']);
  assert.is(serverOf('docker.io'), 'registry-1.docker.io');
  assert.is(serverOf('ghcr.io'), 'ghcr.io');
});

test('loopback may be plain HTTP', () => {
  assert.equal(shown('localhost:5000/x', rules()), ['!http|https://localhost:5000/x']);
  assert.equal(shown('127.0.0.1:5000/x', rules()), ['!http|https://127.0.0.1:5000/x']);
});

const LOOPBACK: ReadonlyArray<readonly [string, boolean]> = [
  ['localhost', true],
  ['LOCALHOST:1', true],
  ['a.localhost', true],
  ['127.0.0.1', true],
  ['127.255.255.254:5000', true],
  ['[::1]:5000', true],
  ['127.0.0.1.example.com', false],
  ['localhost.example.com', false],
  ['notlocalhost', false],
  ['127.0.0', false],
  ['127.0.0.256', false],
  ['128.0.0.1', false],
  ['[::2]', false],
  ['10.0.0.1', false],
  ['example.com', false],
];
for (const [host, expected] of LOOPBACK)
  test(`loopback? ${host}`, () => assert.is(isLoopback(host), expected));

test('our mirrors come first, in order', () => {
  const config = {
    mirrors: { 'docker.io': ['127.0.0.1:5001', 'https://mirror.example/cache/', 'http://plain.example'] },
  };
  assert.equal(shown('alpine:3', rules('', config)), [
    '~!http|https://127.0.0.1:5001/library/alpine',
    '~https://mirror.example/cache/library/alpine',
    '~http://plain.example/library/alpine',
    'https://docker.io/library/alpine',
  ]);
  assert.equal(shown('quay.io/x', rules('', config)), ['https://quay.io/x']);
});

test('a mirror that is no address is refused', () => {
  for (const mirror of ['ftp://x', 'https://user:pw@x', 'x?y', 'http://']) {
    assert.throws(
      () => shown('alpine', rules('', { mirrors: { 'docker.io': [mirror] } })),
      (e: TsboxError) => e.code === 'USAGE',
    );
  }
});

test('insecure registries of our configuration', () => {
  const config = { insecure: ['reg.example:5000', '*.lab.example'] };
  assert.equal(shown('reg.example:5000/x', rules('', config)), ['!https|http://reg.example:5000/x']);
  assert.equal(shown('a.lab.example/x', rules('', config)), ['!https|http://a.lab.example/x']);
  assert.equal(shown('reg.example/x', rules('', config)), ['https://reg.example/x']);
  assert.equal(shown('lab.example/x', rules('', config)), ['https://lab.example/x']);
  assert.equal(shown('evil-lab.example/x', rules('', config)), ['https://evil-lab.example/x']);
});

const CONF = `
unqualified-search-registries = ["quay.io"]
[[registry]]
prefix = "docker.io"
location = "docker.io"
[[registry.mirror]]
location = "one.example"
[[registry.mirror]]
location = "two.example/hub"
insecure = true
pull-from-mirror = "digest-only"

[[registry]]
prefix = "docker.io/secret"
blocked = true

[[registry]]
prefix = "*.old.example"
location = ""
blocked = true

[[registry]]
prefix = "moved.example/team"
location = "new.example/group/team"
insecure = true
`;

test('registries.conf: mirrors', () => {
  assert.equal(shown('alpine', rules(CONF)), [
    '~https://one.example/library/alpine',
    'https://docker.io/library/alpine',
  ]);
  assert.equal(shown(`alpine@sha256:${'a'.repeat(64)}`, rules(CONF)), [
    '~https://one.example/library/alpine',
    '~!https|http://two.example/hub/library/alpine',
    'https://docker.io/library/alpine',
  ]);
});

test('registries.conf: another location', () => {
  assert.equal(shown('moved.example/team/x', rules(CONF)), ['!https|http://new.example/group/team/x']);
  assert.equal(shown('moved.example/teamx/y', rules(CONF)), ['https://moved.example/teamx/y']);
});

test('a push goes to the registry itself', () => {
  assert.is(pushSource(parseReference('alpine'), rules(CONF)).host, 'docker.io');
});

for (const reference of [
  'docker.io/secret/x',
  'docker.io/secret/x/y',
  'a.old.example/x',
  'b.a.old.example:5000/x',
]) {
  test(`blocked: ${reference}`, () => {
    assert.throws(
      () => shown(reference, rules(CONF)),
      (e: Error) => /is blocked by containers\/registries\.conf/.test(e.message),
    );
  });
}

test('blocked by our configuration, whole components only', () => {
  const config = { blocked: ['bad.example', 'docker.io/evil'] };
  assert.throws(
    () => shown('bad.example/x', rules('', config)),
    (e: Error) => /config file/.test(e.message),
  );
  assert.throws(() => shown('evil/x', rules('', config)));
  assert.equal(shown('evilx/y', rules('', config)), ['https://docker.io/evilx/y']);
  assert.equal(shown('bad.example.com/x', rules('', config)), ['https://bad.example.com/x']);
});

test('the longest prefix wins', () => {
  const list = parseRegistriesConf(
    '[[registry]]\nlocation="a.io"\n[[registry]]\nprefix="a.io/b"\nlocation="c.io"\n',
    'f',
  );
  assert.is(findRule(list, 'a.io/b/x')?.location, 'c.io');
  assert.is(findRule(list, 'a.io/bb')?.location, 'a.io');
  assert.is(findRule(list, 'b.io/b'), undefined);
});

test('aliases and comments alone are no rules', () => {
  assert.equal(
    parseRegistriesConf('# [[registry]]\n[aliases]\n"alpine" = "docker.io/library/alpine"\n', 'f'),
    [],
  );
});

const BROKEN: ReadonlyArray<readonly [string, RegExp]> = [
  ['[[registry]]\nlocation = "unclosed\n', /conf\.test is not valid TOML/],
  ['[[registry]]\nblocked = true\n', /neither prefix nor location/],
  ['[[registry]]\nlocation = 1\n', /location is not a string/],
  ['registry = "x"\n', /lists of tables/],
  ['[[registry]]\nlocation = "a"\n[[registry.mirror]]\ninsecure = true\n', /mirror\]\] has no location/],
  [
    '[[registry]]\nlocation = "a"\n[[registry.mirror]]\nlocation = "b"\npull-from-mirror = "x"\n',
    /pull-from-mirror/,
  ],
];
for (const [text, problem] of BROKEN) {
  test(`refuses ${JSON.stringify(text).slice(0, 50)}`, () => {
    assert.throws(
      () => parseRegistriesConf(text, 'conf.test'),
      (e: TsboxError) => e instanceof TsboxError && e.code === 'USAGE' && problem.test(e.message),
    );
  });
}

test.run();
