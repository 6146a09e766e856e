import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { TsboxError } from '../../../src/errors.ts';
import { networkDriver, parseNetwork, selectNetwork } from '../../../src/network/select.ts';
import { parseVersion, refusal } from '../../../src/network/slirp4netns-probe.ts';

const test = suite('network select');

test('names and options', () => {
  assert.equal(parseNetwork('none'), { name: 'none', options: {} });
  assert.equal(parseNetwork('host'), { name: 'host', options: {} });
  assert.equal(parseNetwork('slirp4netns'), { name: 'slirp4netns', options: {} });
  assert.equal(parseNetwork('slirp4netns:mtu=1500,cidr=10.1.0.0/24,enable_ipv6=true'), {
    name: 'slirp4netns',
    options: { mtu: '1500', cidr: '10.1.0.0/24', enable_ipv6: 'true' },
  });
  assert.equal(parseNetwork('slirp4netns:outbound_addr6=fd00::2').options, { outbound_addr6: 'fd00::2' });
});

const bad: [string, RegExp][] = [
  ['', /no network ""/],
  ['nonsense', /no network "nonsense"/],
  ['None', /no network "None"/],
  ['none:x=1', /--network none takes no options/],
  ['host:', /--network host takes no options/],
  ['slirp4netns:', /"" is not key=value/],
  ['slirp4netns:mtu', /"mtu" is not key=value/],
  ['slirp4netns:mtu=', /"mtu=" is not key=value/],
  ['slirp4netns:mtu=1500,', /"" is not key=value/],
  ['slirp4netns:=1', /"=1" is not key=value/],
  ['container:web', /no network "container"/],
  ['toString', /no network "toString"/],
  ['__proto__', /no network "__proto__"/],
];
for (const [text, message] of bad) {
  test(`bad: ${JSON.stringify(text)}`, () => {
    assert.throws(
      () => parseNetwork(text),
      (e: unknown) => e instanceof TsboxError && e.code === 'USAGE' && message.test(e.message),
    );
  });
}

test('a near miss is named', () => {
  assert.throws(
    () => parseNetwork('slirp4nets'),
    (e: unknown) => e instanceof TsboxError && e.hint === 'did you mean slirp4netns?',
  );
});

test('none and host need nothing of the machine', async () => {
  assert.is((await selectNetwork('none')).driver.name, 'none');
  assert.is((await selectNetwork('host')).driver.name, 'host');
});

test('the configured driver is the default, what is asked for comes first', async () => {
  assert.is((await selectNetwork(undefined, { network: { driver: 'none' } })).driver.name, 'none');
  assert.is((await selectNetwork('default', { network: { driver: 'host' } })).driver.name, 'host');
  assert.is((await selectNetwork('host', { network: { driver: 'none' } })).driver.name, 'host');
});

test('wrong options are an error of the request, not of the machine', async () => {
  const error = await selectNetwork('slirp4netns:mtu=5').then(
    () => undefined,
    e => e,
  );
  assert.instance(error, TsboxError);
  assert.is(error.code, 'USAGE');
});

test('a driver of a record', () => {
  assert.is(networkDriver('slirp4netns').name, 'slirp4netns');
  assert.throws(
    () => networkDriver('macvlan'),
    (e: unknown) => e instanceof TsboxError && e.code === 'NETWORK',
  );
  assert.throws(() => networkDriver('constructor'), /not in this version/);
});

const VERSION = `slirp4netns version 1.2.0
commit: 656041d45cfca7a4176f6b7eed9e4fe6c11e8383
libslirp: 4.7.0
SLIRP_CONFIG_VERSION_MAX: 4
libseccomp: 2.5.4
`;

test('version texts', () => {
  assert.equal(parseVersion(VERSION), { slirp4netns: '1.2.0', libslirp: '4.7.0' });
  assert.equal(parseVersion('slirp4netns version 1.3.1+dev\nlibslirp: 4.8\n'), {
    slirp4netns: '1.3.1',
    libslirp: '4.8',
  });
  for (const text of [
    '',
    'slirp4netns',
    'slirp4netns version x\nlibslirp: 4.7.0',
    'slirp4netns version 0.4.3\n',
  ]) {
    assert.is(parseVersion(text), undefined);
  }
});

test('versions with known memory errors are refused, and which part it is', () => {
  assert.is(refusal({ slirp4netns: '1.2.0', libslirp: '4.6.0' }), undefined);
  assert.is(refusal({ slirp4netns: '1.10.0', libslirp: '4.10.1' }), undefined);
  assert.is(refusal({ slirp4netns: '2.0', libslirp: '5.0' }), undefined);
  assert.match(
    refusal({ slirp4netns: '1.1.12', libslirp: '4.7.0' }) ?? '',
    /^slirp4netns 1\.1\.12 is older than 1\.2/,
  );
  assert.match(refusal({ slirp4netns: '0.4.3', libslirp: '4.7.0' }) ?? '', /^slirp4netns 0\.4\.3/);
  assert.match(
    refusal({ slirp4netns: '1.2.0', libslirp: '4.4.0' }) ?? '',
    /^libslirp 4\.4\.0 is older than 4\.6/,
  );
  assert.match(refusal({ slirp4netns: '1.2.0', libslirp: '3.9.0' }) ?? '', /^libslirp/);
  assert.match(refusal(undefined) ?? '', /does not say its version/);
});

test.run();
