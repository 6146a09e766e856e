import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { TsboxError } from '../../../src/errors.ts';
import type { NetworkRequest, PortMapping } from '../../../src/network/driver.ts';
import { slirp4netns } from '../../../src/network/slirp4netns.ts';
import { addForward } from '../../../src/network/slirp4netns-api.ts';
import { networkAddress, parseSlirpOptions } from '../../../src/network/slirp4netns-options.ts';

const test = suite('slirp4netns');

const request = (
  options: Record<string, string> = {},
  ports: readonly PortMapping[] = [],
): NetworkRequest => ({
  containerId: '0'.repeat(64),
  runtimeDir: '/run/user/1000/tsbox/c',
  ports,
  options,
});
const argv = (options: Record<string, string> = {}, ports: readonly PortMapping[] = []): string[] => {
  const [service] = slirp4netns.setup(request(options, ports)).services;
  return (service?.ops.find(op => op.name === 'exec')?.fields ?? []).map(String);
};
const web: PortMapping = { hostIp: '0.0.0.0', hostPort: 8080, containerPort: 80, protocol: 'tcp' };

test("by default: sandboxed, filtered, the machine's loopback closed", () => {
  assert.equal(argv(), [
    'slirp4netns',
    'slirp4netns',
    '--configure',
    '--mtu=65520',
    '--disable-host-loopback',
    '--enable-sandbox',
    '--enable-seccomp',
    '--ready-fd=3',
    '--exit-fd=4',
    '{pid}',
    'tap0',
  ]);
});

const OWN = { port_handler: 'slirp4netns' };

test('the API socket is there only for forwarding of its own, by a name in the runtime directory', () => {
  const [service] = slirp4netns.setup(request(OWN, [web])).services;
  const text = service?.ops.map(op => [op.name, ...op.fields].join(' ')).join('\n') ?? '';
  assert.match(text, /^chdir \/run\/user\/1000\/tsbox\/c$/m);
  assert.match(text, / --api-socket slirp4netns\.sock /);
  assert.not.ok(argv({}, [web]).includes('--api-socket'));
});

test('the builtin forwarder is a service beside it, where there are ports', () => {
  const setup = slirp4netns.setup(request({}, [{ ...web, hostIp: '' }]));
  const text = setup.services[1]?.ops.map(op => [op.name, ...op.fields].join(' '));
  assert.equal(text, [
    'listen tcp 0.0.0.0 8080 8080 80 -',
    'listen tcp :: 8080 8080 80 s6',
    'forward /run/user/1000/tsbox/c/ports.sock',
  ]);
  assert.is(slirp4netns.setup(request()).services.length, 1);
  assert.is(slirp4netns.setup(request(OWN, [web])).services.length, 1);
});

test('what its own forwarding cannot do is refused', () => {
  for (const port of [
    { ...web, hostIp: '::1' },
    { ...web, proxy: 'v2' as const },
  ])
    assert.throws(
      () => slirp4netns.setup(request(OWN, [port])),
      (e: unknown) => e instanceof TsboxError && e.code === 'PORT',
    );
});

test('options become flags', () => {
  const flags = argv({
    mtu: '1500',
    cidr: '10.9.8.7/24',
    enable_ipv6: 'true',
    outbound_addr: 'eth0',
    outbound_addr6: 'fd00::2',
    allow_host_loopback: 'true',
  });
  for (const flag of [
    '--mtu=1500',
    '--cidr=10.9.8.0/24',
    '--enable-ipv6',
    '--outbound-addr=eth0',
    '--outbound-addr6=fd00::2',
  ])
    assert.ok(flags.includes(flag), flag);
  assert.not.ok(flags.includes('--disable-host-loopback'));
});

test('address and name servers', () => {
  const plain = slirp4netns.setup(request());
  assert.is(plain.address, '10.0.2.100');
  assert.equal(plain.nameservers, ['10.0.2.3']);
  const other = slirp4netns.setup(request({ cidr: '192.168.5.77/24', enable_ipv6: 'true' }));
  assert.is(other.address, '192.168.5.100');
  assert.equal(other.nameservers, ['192.168.5.3', 'fd00::3']);
});

test('addresses of networks of any size', () => {
  assert.is(networkAddress('10.0.2.0/24', 2), '10.0.2.2');
  assert.is(networkAddress('10.255.255.255/8', 100), '10.0.0.100');
  assert.is(networkAddress('172.16.200.129/25', 3), '172.16.200.131');
  assert.is(networkAddress('255.255.255.128/25', 0), '255.255.255.128');
});

const bad: [Record<string, string>, RegExp][] = [
  [{ mtu: '0' }, /mtu must be/],
  [{ mtu: '65521' }, /mtu must be/],
  [{ mtu: '575' }, /mtu must be/],
  [{ mtu: '1500 ' }, /mtu must be/],
  [{ mtu: '1e3' }, /mtu must be/],
  [{ cidr: '10.0.2.0' }, /cidr must be/],
  [{ cidr: '10.0.2.0/26' }, /cidr must be/],
  [{ cidr: '10.0.2.0/7' }, /cidr must be/],
  [{ cidr: '10.0.2/24' }, /cidr must be/],
  [{ cidr: '10.0.2.0/24/1' }, /cidr must be/],
  [{ cidr: 'fd00::/64' }, /cidr must be/],
  [{ enable_ipv6: 'yes' }, /enable_ipv6 must be true or false/],
  [{ allow_host_loopback: '' }, /allow_host_loopback must be/],
  [{ outbound_addr: '--enable-ipv6' }, /outbound_addr must be/],
  [{ outbound_addr: 'a/b' }, /outbound_addr must be/],
  [{ outbound_addr: 'fd00::1' }, /outbound_addr must be/],
  [{ outbound_addr6: '10.0.0.1 ' }, /outbound_addr6 must be/],
  [{ outbound_addr: 'averylonginterface' }, /outbound_addr must be/],
  [{ port_handler: 'x' }, /port_handler must be builtin or slirp4netns/],
  [{ port_handlers: 'x' }, /unknown option "port_handlers"/],
];
for (const [options, message] of bad) {
  test(`bad option ${JSON.stringify(options)}`, () => {
    assert.throws(
      () => parseSlirpOptions(options),
      (e: unknown) => e instanceof TsboxError && e.code === 'USAGE' && message.test(e.message),
    );
  });
}

test('a near miss is named', () => {
  assert.throws(
    () => parseSlirpOptions({ enable_ip6: 'true' }),
    (e: unknown) => e instanceof TsboxError && e.hint === 'did you mean enable_ipv6?',
  );
});

const dir = mkdtempSync(join(tmpdir(), 'tsbox-slirp-'));
test.after(() => rmSync(dir, { recursive: true, force: true }));

/** A stand-in for slirp4netns' API: answers as it does, one request a connection. */
async function api<T>(
  answer: string | undefined,
  body: () => Promise<T>,
): Promise<{ result: T; requests: string[] }> {
  const requests: string[] = [];
  const server: Server = createServer(socket => {
    socket.on('error', () => {});
    socket.once('data', data => {
      requests.push(data.toString());
      if (answer === undefined) socket.destroy();
      else socket.end(answer);
    });
  });
  await new Promise<void>(resolve => server.listen(join(dir, 'api.sock'), resolve));
  try {
    return { result: await body(), requests };
  } finally {
    await new Promise(resolve => server.close(resolve));
  }
}

test('API: a request as the manual has it', async () => {
  const { result, requests } = await api('{"return":{"id":1}}', () =>
    addForward(dir, 'api.sock', { ...web, hostIp: '127.0.0.1', protocol: 'udp' }),
  );
  assert.is(result, undefined);
  assert.equal(
    requests.map(r => JSON.parse(r)),
    [
      {
        execute: 'add_hostfwd',
        arguments: { proto: 'udp', host_addr: '127.0.0.1', host_port: 8080, guest_port: 80 },
      },
    ],
  );
});

const answers: [string | undefined, RegExp][] = [
  ['{"error":{"desc":"bad request: add_hostfwd: slirp_add_hostfwd failed"}}', /slirp_add_hostfwd failed/],
  ['{"error":"x"}', /error/],
  ['nonsense', /unexpected answer "nonsense"/],
  ['null', /unexpected answer null/],
  ['', /hung up/],
  [undefined, /hung up/],
];
for (const [answer, message] of answers) {
  test(`API: the answer ${JSON.stringify(answer)}`, async () => {
    const { result } = await api(answer, () => addForward(dir, 'api.sock', web));
    assert.match(result ?? '', message);
  });
}

test('API: an endless answer is cut off', async () => {
  const error = await api('x'.repeat(100_000), () => addForward(dir, 'api.sock', web)).then(
    () => undefined,
    e => e,
  );
  assert.instance(error, TsboxError);
  assert.match(error.message, /too long/);
});

test('API: nobody there', async () => {
  const error = await addForward(dir, 'none.sock', web).then(
    () => undefined,
    e => e,
  );
  assert.instance(error, TsboxError);
  assert.is(error.code, 'PORT');
  assert.match(error.message, /slirp4netns does not answer on .*none\.sock/);
});

test.run();
