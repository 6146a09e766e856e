import { createSocket } from 'node:dgram';
import { type AddressInfo, createServer } from 'node:net';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { TsboxError } from '../../../src/errors.ts';
import {
  fixPorts,
  hostSide,
  parsePublish,
  privilegedPort,
  unprivilegedPortStart,
} from '../../../src/network/ports.ts';

const test = suite('ports');

const short = async (...specs: string[]) =>
  (await parsePublish(specs)).map(p => `${p.hostIp} ${p.hostPort} ${p.containerPort} ${p.protocol}`);

const good: [string, string[]][] = [
  ['18080:80', [' 18080 80 tcp']],
  ['18080:80/tcp', [' 18080 80 tcp']],
  ['18053:53/udp', [' 18053 53 udp']],
  ['18053:53/UDP', [' 18053 53 udp']],
  ['127.0.0.1:18080:80', ['127.0.0.1 18080 80 tcp']],
  ['[::1]:18080:80', ['::1 18080 80 tcp']],
  ['[fe80::1]:18080:80/udp', ['fe80::1 18080 80 udp']],
  [':18080:80', [' 18080 80 tcp']],
  ['18080-18082:80-82', [' 18080 80 tcp', ' 18081 81 tcp', ' 18082 82 tcp']],
  ['127.0.0.1:18080-18081:80-81/udp', ['127.0.0.1 18080 80 udp', '127.0.0.1 18081 81 udp']],
  ['65535:65535', [' 65535 65535 tcp']],
];
for (const [spec, expected] of good) test(spec, async () => assert.equal(await short(spec), expected));

test('without a host port, a free one is chosen at each start', async () => {
  for (const spec of ['80', '127.0.0.1::80', ':80', '0:80', '53/udp', '[::1]::80']) {
    const [mapping] = await parsePublish([spec]);
    assert.is(mapping?.hostPort, 0, spec);
  }
});

test('a range of container ports alone gets a free port each', async () => {
  const mappings = await parsePublish(['8000-8003']);
  assert.equal(
    mappings.map(m => [m.containerPort, m.hostPort]),
    [8000, 8001, 8002, 8003].map(port => [port, 0]),
  );
});

test('a range of host ports for one container port: any of them that is free', async () => {
  const [mapping] = await parsePublish(['18000-18020:80']);
  assert.equal(mapping, {
    hostIp: '',
    hostPort: 18000,
    hostPortEnd: 18020,
    containerPort: 80,
    protocol: 'tcp',
  });
});

test('everywhere is what the configuration says', async () => {
  assert.is((await parsePublish(['8080:80'], '127.0.0.1'))[0]?.hostIp, '127.0.0.1');
  assert.is((await parsePublish(['0.0.0.0:8080:80'], '127.0.0.1'))[0]?.hostIp, '0.0.0.0');
});

test('proxy=v2 is for tcp', async () => {
  assert.is((await parsePublish(['18080:80,proxy=v2']))[0]?.proxy, 'v2');
  assert.is((await parsePublish(['127.0.0.1:18080:80/tcp,proxy=v2']))[0]?.proxy, 'v2');
  assert.is((await failure(['18080:80/udp,proxy=v2']))?.code, 'USAGE');
});

test('fixed for a forwarder that cannot choose', async () => {
  const server = createServer();
  await new Promise<void>(resolve => server.listen(0, '0.0.0.0', resolve));
  const taken = (server.address() as AddressInfo).port;
  try {
    const [a, b] = await fixPorts(await parsePublish([`${taken}-${taken + 20}:80`, '81']));
    assert.ok(a && a.hostPort > taken && a.hostPort <= taken + 20 && a.hostIp === '0.0.0.0');
    assert.ok(b && b.hostPort > 1023);
  } finally {
    server.close();
  }
});

test('no free port in a range is a PORT error', async () => {
  const sockets = [createSocket('udp4'), createSocket('udp4')];
  const [first, second] = sockets;
  try {
    await new Promise<void>(resolve => first?.bind(0, '127.0.0.1', resolve));
    const port = first?.address().port ?? 0;
    await new Promise<void>((resolve, reject) =>
      second?.once('error', reject).bind(port + 1, '127.0.0.1', resolve),
    );
    const wanted = await parsePublish([`127.0.0.1:${port}-${port + 1}:53/udp`]);
    const error = await fixPorts(wanted).catch(e => e);
    assert.is(error?.code, 'PORT');
    assert.match(error?.message ?? '', new RegExp(`container port 53: tried ${port}-${port + 1}`));
  } finally {
    for (const socket of sockets) socket.close();
  }
});

const bad = [
  '',
  ':',
  '::',
  'http',
  '80/',
  '80/icmp',
  '80/sctp',
  '70000',
  '0',
  '18080:0',
  '18080:80:90:100',
  '18080:70000',
  '70000:80',
  '80-70',
  '18080-18090:80-82',
  '1.2.3:80:80',
  '1.2.3.4.5:80:80',
  'localhost:80:80',
  '::1:80:80',
  '[::g]:80:80',
  '[127.0.0.1]:80:80',
  '[]:80:80',
  '-80',
  '80-',
  '8o80:80',
  ' 80',
  '80 ',
  '18080:80/tcp/udp',
  '127.0.0.1:80:80:',
  '1e3:80',
  '0x50:80',
  '18080;80',
  '18080:80\n',
  '18080:80,proxy=v1',
  '18080:80,',
  '18080:80,proxy=v2,proxy=v2',
];
for (const spec of bad) {
  test(`bad: ${JSON.stringify(spec)}`, async () => {
    const error = await failure([spec]);
    assert.is(error?.code, 'USAGE', `${error?.message}`);
    assert.ok(error?.message.startsWith(`-p ${JSON.stringify(spec)}: `), error?.message);
  });
}

test('the same host port twice', async () => {
  assert.match(
    (await failure(['18080:80', '18080:81']))?.message ?? '',
    /0\.0\.0\.0:18080\/tcp is published twice/,
  );
  assert.is(await failure(['18080:80', '18080:80/udp']), undefined);
  assert.is(await failure(['127.0.0.1:18080:80', '127.0.0.2:18080:80']), undefined);
});

test("root's ports: the error names the sysctl", () => {
  const error = privilegedPort({ hostIp: '0.0.0.0', hostPort: 80, containerPort: 80, protocol: 'tcp' }, 1024);
  assert.is(error.code, 'PORT');
  assert.match(error.message, /port 80\/tcp cannot be published: permission denied, ports below 1024/);
  assert.match(error.hint ?? '', /-p 8080:80.*net\.ipv4\.ip_unprivileged_port_start=80/);
});

if (process.geteuid?.() !== 0 && unprivilegedPortStart() > 7) {
  test('they are refused at once for a normal user', async () => {
    assert.is((await failure(['7:7']))?.code, 'PORT');
  });
}

test('how a host side is written', () => {
  const mapping = { hostIp: '::1', hostPort: 80, containerPort: 1, protocol: 'tcp' as const };
  assert.is(hostSide(mapping), '[::1]:80/tcp');
  assert.is(hostSide({ ...mapping, hostIp: '127.0.0.1', protocol: 'udp' }), '127.0.0.1:80/udp');
});

async function failure(specs: readonly string[]): Promise<TsboxError | undefined> {
  const error = await parsePublish(specs).then(
    () => undefined,
    e => e,
  );
  if (error !== undefined) assert.instance(error, TsboxError);
  return error;
}

test.run();
