import { execFile } from 'node:child_process';
import { readlinkSync } from 'node:fs';
import { type AddressInfo, createServer, type ListenOptions, type Server } from 'node:net';
import { promisify } from 'node:util';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { asAttack, compile } from '../support/attack-program.ts';
import { note } from '../support/note.ts';
import { busybox, removeContainers } from '../support/ready.ts';
import { requires } from '../support/requires.ts';
import { eventually, within } from '../support/within.ts';

/**
 * Every mode by the same table: what must work in it, and that the machine's own loopback and abstract sockets are out of reach, over IPv4
 * and IPv6. The same program reaches all of them from outside.
 */
const needs = ['userns', 'busybox', 'slirp4netns', 'pasta', 'tun', 'nft', 'cc'] as const;
const test = requires(suite('modes of networks'), ...needs);

interface Mode {
  readonly network: string;
  readonly interfaces: string;
  /** Names of what must be reached; nothing but in `host`. */
  readonly reached: string;
  readonly own: boolean;
}

const out = (network: string, interfaces: string): Mode => ({ network, interfaces, reached: '', own: true });

const MODES: readonly Mode[] = [
  out('none', 'lo'),
  out('slirp4netns:enable_ipv6=true', 'lo tap0'),
  out('pasta', 'lo tap0'),
  out('open', 'eth0 lo'),
  out('closed', 'eth0 lo'),
  out('container:in-open', 'eth0 lo'),
  out('container:in-slirp', 'lo tap0'),
  { network: 'host', interfaces: '', reached: 'v4 v6', own: false },
];

/** Tries to connect to all of them at the same time: NAME ADDRESS PORT for each; prints the names of those that answered. */
const CONNECT = `#define _GNU_SOURCE
#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
static int try(const char *to, int port) {
  struct sockaddr_in v4 = {AF_INET, htons(port)}; struct sockaddr_in6 v6 = {AF_INET6, htons(port)}; struct sockaddr_un un = {AF_UNIX};
  struct sockaddr *a = (void *)&un; socklen_t n = sizeof un; /* Node pads the name with zeros */
  strncpy(un.sun_path + 1, to, 100);
  if (inet_pton(AF_INET, to, &v4.sin_addr) == 1) a = (void *)&v4, n = sizeof v4;
  if (inet_pton(AF_INET6, to, &v6.sin6_addr) == 1) a = (void *)&v6, n = sizeof v6;
  int fd = socket(a->sa_family, SOCK_STREAM | SOCK_NONBLOCK, 0);
  connect(fd, a, n);
  return fd;
}
int main(int argc, char **argv) {
  struct pollfd p[64]; int n = 0; char byte;
  for (int i = 1; i + 2 < argc; i += 3) p[n++] = (struct pollfd){try(argv[i + 1], atoi(argv[i + 2])), POLLIN};
  for (int left = 12; left--;) usleep(100000);
  poll(p, n, 0);
  for (int i = 0; i < n; i++) if (p[i].fd >= 0 && recv(p[i].fd, &byte, 1, 0) == 1) printf("%s ", argv[1 + 3 * i]);
  return 0;
}`;

/** Wherever the machine could be: its loopback by every name, the gateways of slirp4netns and of the networks, and that of the default route. */
const FOUR = [
  '127.0.0.1',
  '0.0.0.0',
  '127.0.0.53',
  '10.0.2.2',
  '10.0.2.3',
  '10.0.2.100',
  '10.81.0.1',
  '10.82.0.1',
  '169.254.1.1',
];
const SIX = ['::1', '::', '::ffff:127.0.0.1', 'fd00::2', 'fd00::3', 'fd00:81::1', 'fd00:82::1', 'fe80::1'];

const servers: Server[] = [];
const targets: string[] = [];

async function listen(name: string, options: ListenOptions, addresses: readonly string[]): Promise<void> {
  const server = createServer(socket => socket.on('error', () => {}).end('reached'));
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(options, resolve));
  servers.push(server);
  const port = options.path === undefined ? (server.address() as AddressInfo).port : 0;
  for (const address of addresses) targets.push(name, address, String(port));
}

const box = await busybox().catch(() => undefined);
const program = () => asAttack(compile(CONNECT));
const network = (name: string, number: number, ...flags: string[]): string[] => [
  ...[
    'network',
    'create',
    ...flags,
    '--subnet',
    `10.${number}.0.0/24`,
    '--ipv6',
    '--subnet',
    `fd00:${number}::/64`,
  ],
  name,
];

test.before(async () => {
  await box?.ok(...network('open', 81));
  await box?.ok(...network('closed', 82, '--internal'));
  for (const name of ['open', 'slirp4netns'])
    await box?.ok(
      'run',
      '-d',
      '--name',
      `in-${name.slice(0, 5)}`,
      '--network',
      name,
      'busybox',
      'sleep',
      '1000',
    );
  const abstract = `tsbox-modes-${process.pid}`;
  await listen('abstract', { path: `\0${abstract}` }, [abstract]);
  await listen('v4', { host: '127.0.0.1', port: 0 }, FOUR);
  await listen('v6', { host: '::1', port: 0 }, SIX).catch(() => {}); // a machine without IPv6
});
test.after(async () => {
  for (const server of servers) server.close();
  await removeContainers();
  await box?.ok('network', 'prune', '-f');
});

const SCRIPT = `echo "net=$(readlink /proc/self/ns/net)"
echo "links=$(echo $(ls /sys/class/net | grep -v bonding))"
echo "low=$(cat /proc/sys/net/ipv4/ip_unprivileged_port_start)"
echo "ping=$(ping -c 1 -W 2 127.0.0.1 >/dev/null 2>&1 && echo yes)"
echo "lo=$(cat /sys/class/net/lo/flags)"
gateway=$(ip route | sed -n 's/^default via \\([0-9.]*\\).*/\\1/p' | head -n 1)
echo "gateway=$gateway"
echo "reached=$(echo $(/attack "$@" gateway "\${gateway:-127.0.0.1}" "$PORT" | tr ' ' '\\n' | sort -u))"`;

async function look(mode: string): Promise<Map<string, string>> {
  const ports = targets.at(targets.indexOf('v4') + 2) ?? '0';
  const command = ['busybox', 'sh', '-c', SCRIPT, 'sh', ...targets];
  const flags = ['--network', mode, ...program(), '-e', `PORT=${ports}`];
  const text = (await box?.ok('run', '--rm', ...flags, ...command)) ?? '';
  return new Map(text.split('\n').map(line => [line.replace(/=.*/, ''), line.replace(/^[^=]*=/, '')]));
}

const seen = new Map<string, Map<string, string>>();

test('from outside all three are reached', async () => {
  const done = await promisify(execFile)(compile(CONNECT), targets);
  const names = [...new Set(done.stdout.trim().split(' '))].sort();
  assert.is(names.length, servers.length, done.stdout);
  assert.ok(names.includes('abstract'));
});

test('each is looked at from inside', async () => {
  const all = await Promise.all(MODES.map(async ({ network }) => [network, await look(network)] as const));
  for (const [mode, facts] of all) seen.set(mode, facts);
  const rows = [...seen].map(
    ([mode, facts]) =>
      `${mode}: ${facts.get('links')}; reached of the machine: ${facts.get('reached') || 'nothing'}`,
  );
  note(rows.join('\n'));
});

for (const { network: mode, interfaces, reached, own } of MODES) {
  const fact = (name: string): string => seen.get(mode)?.get(name) ?? 'was not looked at';

  test(`${mode}: the machine's 127.0.0.1, ::1 and abstract sockets: ${reached || 'out of reach'}`, () => {
    const expected = servers.length === 3 ? reached : reached.replace(' v6', '');
    // With Landlock abstract sockets are out of reach in `host`, too.
    const found = fact('reached');
    assert.is(own ? found : found.replace(/abstract |gateway /g, ''), expected);
  });

  if (own)
    test(`${mode}: a namespace of its own, loopback is up, every port may be bound, ping needs no privilege`, () => {
      assert.is.not(fact('net'), readlinkSync('/proc/self/ns/net'));
      assert.is(fact('links'), interfaces);
      assert.equal([fact('low'), fact('ping'), fact('lo')], ['0', 'yes', '0x9']);
    });
}

test('container: is the very namespace of the other', () => {
  const net = (mode: string): string => seen.get(mode)?.get('net') ?? mode;
  assert.is.not(net('container:in-open'), net('open'));
  assert.is.not(net('container:in-open'), net('container:in-slirp'));
});

for (const [mode, flags] of [
  ['open', ['--network', 'open']],
  ['pasta', ['--network', 'pasta']],
] as const) {
  test(`${mode}: a published connection never seems to come from 127.0.0.1 (CVE-2021-20199)`, async () => {
    const serve = ['nc', '-ll', '-p', '8000', '-e', 'cat', '/proc/net/tcp', '/proc/net/tcp6'];
    const id = (await box?.ok('run', '-d', ...flags, '-p', '127.0.0.1::8000', 'busybox', ...serve)) ?? '';
    const port = Number((await box?.ok('port', id, '8000'))?.split(':').at(-1));
    const sockets = await within(
      10_000,
      eventually(8000, 'an answer', () =>
        fetchText(port).then(
          text => text || undefined,
          () => undefined,
        ),
      ),
    );
    assert.match(sockets, /:1F40 \w+:\w+ 0[1-6]/);
    assert.not.match(sockets, /:1F40 \w*0100007F:(?!0000)/);
    await box?.ok('rm', '-f', id);
  });
}

async function fetchText(port: number): Promise<string> {
  const { connect } = await import('node:net');
  return new Promise((resolve, reject) => {
    let text = '';
    connect(port, '127.0.0.1')
      .setEncoding('latin1')
      .on('data', chunk => {
        text += chunk;
      })
      .on('error', reject)
      .on('close', () => resolve(text));
  });
}

test.run();
