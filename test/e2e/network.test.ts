import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { busybox, sh } from '../support/ready.ts';
import { requires } from '../support/requires.ts';

const test = requires(suite('run --network'), 'userns', 'busybox');
const slirp = requires(test, 'slirp4netns', 'tun');

test('none: loopback and nothing else', async () => {
  assert.is(await sh('ls /sys/class/net; ip -4 -o addr | grep -c 127.0.0.1'), 'lo\n1');
});

test('host: the host’s own interfaces', async () => {
  const server = createServer((_, response) => response.end('from the host'));
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const box = await busybox();
  const out = await box.ok(
    'run',
    '--rm',
    '--network',
    'host',
    'busybox',
    'wget',
    '-qO-',
    `http://127.0.0.1:${port}/`,
  );
  server.close();
  server.closeAllConnections();
  assert.is(out, 'from the host');
});

test('host: the hostname is the host’s', async () => {
  const box = await busybox();
  const { hostname } = await import('node:os');
  assert.is(await box.ok('run', '--rm', '--network', 'host', 'busybox', 'hostname'), hostname());
});

slirp('slirp4netns is the default: an address, a route, a name server, a big MTU', async () => {
  const box = await busybox();
  const script = 'ip -4 -o addr show tap0; ip route; cat /etc/resolv.conf; cat /sys/class/net/tap0/mtu';
  const out = await box.ok('run', '--rm', 'busybox', 'sh', '-c', script);
  for (const part of ['10.0.2.100', 'default via 10.0.2.2', 'nameserver 10.0.2.3', '65520'])
    assert.match(out, part);
});

slirp('the host’s loopback cannot be reached', async () => {
  const server = createServer((_, response) => response.end('secret'));
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const box = await busybox();
  const get = `nc -w 3 10.0.2.2 ${port} </dev/null; echo status $?`;
  const opened = ['--network', 'slirp4netns:allow_host_loopback=true'];
  const request = `printf 'GET / HTTP/1.0\\r\\n\\r\\n' | nc -w 3 10.0.2.2 ${port}`;
  assert.match(await box.ok('run', '--rm', ...opened, 'busybox', 'sh', '-c', request), 'secret');
  const done = await box('run', '--rm', 'busybox', 'sh', '-c', get);
  server.close();
  server.closeAllConnections();
  assert.match(done.stdout, /^status 1$/m);
  assert.not.match(done.stdout, 'secret');
});

test('an unknown network is an error with the known ones', async () => {
  const done = await (await busybox()).fails(
    125,
    /nonsense/,
    'run',
    '--rm',
    '--network',
    'nonsense',
    'busybox',
    'true',
  );
  assert.match(done.stderr, /slirp4netns/);
});

test('its own uts, ipc, pid and cgroup namespaces; the user namespace is never the host’s', async () => {
  const { readlinkSync } = await import('node:fs');
  for (const name of ['user', 'mnt', 'pid', 'uts', 'ipc', 'net', 'cgroup']) {
    const inside = await sh(`readlink /proc/self/ns/${name}`);
    assert.is.not(inside, readlinkSync(`/proc/self/ns/${name}`), name);
  }
});

test.run();
