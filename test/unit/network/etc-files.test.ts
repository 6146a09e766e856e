import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { TsboxError } from '../../../src/errors.ts';
import { hostnameFile, hostsFile, resolvConf } from '../../../src/network/etc-files.ts';
import { isLoopback, parseResolv, readHostResolv } from '../../../src/network/resolv.ts';

const test = suite('etc files');

const own = { netns: 'new', address: '10.0.2.100', nameservers: ['10.0.2.3'] } as const;
const alone = { netns: 'new', nameservers: [] } as const;
const shared = { netns: 'host' } as const;
const host = {
  nameservers: ['192.0.2.1', '127.0.0.1'],
  search: ['corp.example', 'example'],
  options: ['ndots:2'],
};

test('hosts: localhost, what was added, the container itself', () => {
  const text = hostsFile({
    hostname: 'web',
    domainname: 'example',
    setup: own,
    addHost: ['db:10.1.2.3', 'six=fd00::5', 'bracket:[fd00::6]'],
  });
  assert.match(text, /^127\.0\.0\.1\tlocalhost$/m);
  assert.match(text, /^::1\tlocalhost/m);
  assert.match(text, /^10\.1\.2\.3\tdb$/m);
  assert.match(text, /^fd00::5\tsix$/m);
  assert.match(text, /^fd00::6\tbracket$/m);
  assert.match(text, /^10\.0\.2\.100\tweb\.example web$/m);
  assert.ok(text.endsWith('\n'));
});

test('hosts: without an address the name is on loopback, without a name there is no line', () => {
  assert.match(hostsFile({ hostname: 'web', setup: alone }), /^127\.0\.1\.1\tweb$/m);
  assert.not.match(hostsFile({ hostname: '', setup: alone }), /127\.0\.1\.1/);
});

test("hosts: with the machine's network, the machine's file", () => {
  const text = hostsFile({
    hostname: 'box',
    setup: shared,
    hostHosts: '127.0.0.1 localhost\n192.0.2.9 printer',
    addHost: ['a:10.0.0.1'],
  });
  assert.is(text, '127.0.0.1 localhost\n192.0.2.9 printer\n10.0.0.1\ta\n');
});

test('hosts: host-gateway', () => {
  assert.match(
    hostsFile({ hostname: 'x', setup: own, addHost: ['up:host-gateway'], gateway: '192.0.2.2' }),
    /^192\.0\.2\.2\tup$/m,
  );
  assert.match(
    hostsFile({ hostname: 'x', setup: shared, addHost: ['up:host-gateway'] }),
    /^127\.0\.0\.1\tup$/m,
  );
});

for (const entry of [
  '',
  'db',
  'db:',
  ':10.0.0.1',
  'db:nonsense',
  'db:10.0.0',
  'd b:10.0.0.1',
  'db:10.0.0.1 evil',
  'db\nevil:10.0.0.1',
  '-x:10.0.0.1',
  'db:10.0.0.1\n127.0.0.1 evil',
]) {
  test(`hosts: bad --add-host ${JSON.stringify(entry)}`, () => {
    assert.throws(
      () => hostsFile({ hostname: 'x', setup: own, addHost: [entry] }),
      (e: unknown) => e instanceof TsboxError && e.code === 'USAGE',
    );
  });
}

test("resolv.conf: the driver's server, the machine's search and options", () => {
  assert.is(
    resolvConf({ setup: own, host }),
    'search corp.example example\nnameserver 10.0.2.3\noptions ndots:2\n',
  );
});

test("resolv.conf: the machine's servers with the machine's network; those on loopback only there", () => {
  assert.match(resolvConf({ setup: shared, host }), /nameserver 192\.0\.2\.1\nnameserver 127\.0\.0\.1\n/);
  assert.not.match(resolvConf({ setup: { netns: 'new' }, host }), /127\.0\.0\.1/);
});

test('resolv.conf: no network, nobody to ask', () => assert.is(resolvConf({ setup: alone, host }), ''));

test('resolv.conf: flags replace', () => {
  const text = resolvConf({
    setup: own,
    host,
    dns: ['9.9.9.9', 'fd00::53'],
    dnsSearch: ['a.example'],
    dnsOptions: ['rotate'],
  });
  assert.is(text, 'search a.example\nnameserver 9.9.9.9\nnameserver fd00::53\noptions rotate\n');
  assert.not.match(resolvConf({ setup: own, host, dnsSearch: ['.'] }), /search/);
});

for (const server of ['', 'dns.example', '1.2.3', '10.0.0.1\nsearch evil']) {
  test(`resolv.conf: bad --dns ${JSON.stringify(server)}`, () => {
    assert.throws(
      () => resolvConf({ setup: own, host, dns: [server] }),
      (e: unknown) => e instanceof TsboxError && e.code === 'USAGE',
    );
  });
}

test('hostname', () => assert.is(hostnameFile('web'), 'web\n'));

test('reading resolv.conf', () => {
  const text =
    '# made by hand\n; old\ndomain a\nsearch b c # really\nnameserver 192.0.2.1\nnameserver\t192.0.2.2 \n nameserver fe80::1%eth0\nnameserver\noptions a b\noptions c\nsortlist x\n';
  assert.equal(parseResolv(text), {
    nameservers: ['192.0.2.1', '192.0.2.2', 'fe80::1%eth0'],
    search: ['b', 'c'],
    options: ['a', 'b', 'c'],
  });
  assert.equal(parseResolv(''), { nameservers: [], search: [], options: [] });
  assert.equal(parseResolv('nameserver 192.0.2.1\r\n').nameservers, ['192.0.2.1']);
});

test('the real servers behind a stub of systemd-resolved', () => {
  const dir = mkdtempSync(join(tmpdir(), 'tsbox-resolv-'));
  const [etc, real] = [join(dir, 'etc'), join(dir, 'real')];
  try {
    writeFileSync(etc, 'nameserver 127.0.0.53\nsearch lan\noptions edns0\n');
    assert.equal(readHostResolv(etc, real).nameservers, ['127.0.0.53'], 'nothing better is known');
    writeFileSync(real, 'nameserver 192.0.2.53\nsearch other\n');
    assert.equal(readHostResolv(etc, real), {
      nameservers: ['192.0.2.53'],
      search: ['lan'],
      options: ['edns0'],
    });
    writeFileSync(etc, 'nameserver 127.0.0.1\n');
    assert.equal(readHostResolv(etc, real).nameservers, ['127.0.0.1'], 'a server of its own is no stub');
    assert.equal(readHostResolv(join(dir, 'missing'), real).nameservers, []);
  } finally {
    rmSync(dir, { recursive: true });
  }
});

test('what loopback is', () => {
  for (const yes of ['127.0.0.1', '127.0.0.53', '127.255.1.2', '::1']) assert.ok(isLoopback(yes), yes);
  for (const no of ['12.7.0.1', '128.0.0.1', '10.0.2.3', '::10', 'fe80::1'])
    assert.not.ok(isLoopback(no), no);
});

test.run();
