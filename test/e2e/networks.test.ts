import { readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { busybox, removeContainers } from '../support/ready.ts';
import { requires } from '../support/requires.ts';
import { eventually } from '../support/within.ts';

/** User-defined networks through the real program: names, addresses, walls, and that nothing stays. */
const test = requires(suite('user-defined networks'), 'userns', 'busybox', 'slirp4netns', 'tun', 'nft');

const run = async (...words: string[]): Promise<string> => (await busybox()).ok('run', ...words);
const inside = async (name: string, script: string) => (await busybox())('exec', name, 'sh', '-c', script);
const up = (name: string, ...flags: string[]): Promise<string> =>
  run('-d', '--name', name, ...flags, 'busybox', 'sleep', '1000');

/** Pids of this user's processes whose command line has this text. */
function processes(text: string): number[] {
  return readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .map(Number)
    .filter(pid => {
      try {
        const own = readFileSync(`/proc/${pid}/status`, 'utf8').includes(`\nUid:\t${process.getuid?.()}\t`);
        return own && readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').includes(text);
      } catch {
        return false;
      }
    });
}

test.before(async () => {
  const box = await busybox();
  for (const words of [['web'], ['other'], ['--internal', 'lab'], ['--ipv6', 'six']])
    await box.ok('network', 'create', ...words);
});
test.after.each(removeContainers);
test.after(async () => {
  await removeContainers();
  await (await busybox()).ok('network', 'prune', '-f');
});

test('by name, alias, short id and address; with a port below 1024', async () => {
  const id = await up('one', '--network', 'web', '--network-alias', 'uno');
  await inside('one', 'mkdir -p /w; echo found > /w/index.html; httpd -h /w -p 80');
  for (const name of ['one', 'uno', id.slice(0, 12), 'one.web']) {
    assert.is(await run('--rm', '--network', 'web', 'busybox', 'wget', '-qO-', `http://${name}/`), 'found');
  }
  assert.match(
    await run('--rm', '--network', 'web', 'busybox', 'ping', '-c', '1', '-W', '3', 'one'),
    '1 packets received',
  );
});

test('networks cannot reach one another; a container in both reaches both', async () => {
  await up('one', '--network', 'web');
  await up('two', '--network', 'other');
  await up('both', '--network', 'web', '--network', 'other:alias=bridge-head');
  const two = JSON.parse(await (await busybox()).ok('inspect', 'two'))[0].NetworkSettings.Networks.other
    .IPAddress;
  assert.is.not((await inside('one', 'ping -c 1 -W 1 two')).code, 0);
  assert.is.not((await inside('one', `ping -c 1 -W 1 ${two}`)).code, 0);
  for (const name of ['one', 'two']) assert.is((await inside('both', `ping -c 1 -W 3 ${name}`)).code, 0);
  assert.is((await inside('two', 'ping -c 1 -W 3 bridge-head')).code, 0);
});

test('connect and disconnect while it runs', async () => {
  const box = await busybox();
  await up('one', '--network', 'web');
  await up('two', '--network', 'other');
  await box.ok('network', 'connect', '--alias', 'guest', 'other', 'one');
  assert.is((await inside('two', 'ping -c 1 -W 3 guest')).code, 0);
  assert.is((await box('network', 'connect', 'other', 'one')).code, 1);
  await box.ok('network', 'disconnect', 'other', 'one');
  assert.is.not((await inside('two', 'ping -c 1 -W 1 guest')).code, 0);
  assert.is((await inside('one', 'ls /sys/class/net | grep -c eth')).stdout.trim(), '1');
  await box.ok('run', '-d', '--name', 'plain', '--network', 'none', 'busybox', 'sleep', '100');
  const refused = await box('network', 'connect', 'web', 'plain');
  assert.is(refused.code, 1);
  assert.match(refused.stderr, 'make it with --network web');
});

test('a way out; none from --internal, for questions neither', async () => {
  const address = Object.values(networkInterfaces())
    .flatMap(list => list ?? [])
    .find(each => each.family === 'IPv4' && !each.internal)?.address;
  const server = createServer((_, response) => response.end('outside'));
  await new Promise<void>(resolve => server.listen(0, resolve));
  const { port } = server.address() as AddressInfo;
  const get = (network: string, host: string) => async () =>
    (await busybox())(
      'run',
      '--rm',
      '--network',
      network,
      'busybox',
      'wget',
      '-qO-',
      `http://${host}:${port}/`,
    );
  try {
    if (address) assert.is((await get('web', address)()).stdout, 'outside');
    if (address) assert.is.not((await get('lab', address)()).code, 0);
    // Neither the gateway of the bridge nor that of the uplink leads to the machine's loopback.
    for (const host of ['172.18.0.1', '10.0.2.2']) assert.is.not((await get('web', host)()).code, 0);
  } finally {
    server.close();
    server.closeAllConnections();
  }
  const asked = await (await busybox())(
    'run',
    '--rm',
    '--network',
    'lab',
    'busybox',
    'nslookup',
    'secret.example.com',
  );
  assert.match(asked.stdout + asked.stderr, /REFUSED/);
});

test('addresses: chosen, refused, given back; of hardware, too', async () => {
  const box = await busybox();
  await box.ok(
    'network',
    'create',
    '--subnet',
    '10.77.0.0/29',
    '--gateway',
    '10.77.0.6',
    '--ip-range',
    '10.77.0.0/30',
    'small',
  );
  await up('one', '--network', 'small', '--ip', '10.77.0.5', '--mac-address', '02:00:00:00:00:99');
  const out = (
    await inside('one', 'ip -4 -o addr show eth0; cat /sys/class/net/eth0/address; ip route; cat /etc/hosts')
  ).stdout;
  for (const part of ['10.77.0.5/29', '02:00:00:00:00:99', 'default via 10.77.0.6', /10\.77\.0\.5\t/])
    assert.match(out, part);
  for (const [address, why] of [
    ['10.77.0.0', 'no interface can have it'],
    ['10.77.0.7', 'no interface can have it'],
    ['10.77.0.6', "it is the network's own"],
    ['10.77.0.8', 'it is not in'],
  ] as const)
    await box.fails(125, new RegExp(why), 'create', '--network', 'small', '--ip', address, 'busybox', 'true');
  const taken = await box('run', '--network', 'small', '--ip', '10.77.0.5', 'busybox', 'true');
  assert.match(taken.stderr, 'in use by');
  for (const name of ['a1', 'a2', 'a3']) await up(name, '--network', 'small');
  const full = await box('run', '--rm', '--network', 'small', 'busybox', 'true');
  assert.match(full.stderr, 'no free address in 10.77.0.0/30');
  const hardware = ['--mac-address', '02:00:00:00:00:99', '--network', 'small', 'busybox', 'true'];
  await box.ok('rm', '-f', 'a1');
  assert.match(
    (await box('run', '--rm', ...hardware)).stderr,
    '02:00:00:00:00:99 of network small is in use',
  );
  await box.ok('rm', '-f', 'a2', 'one');
  await box.ok('run', '--rm', ...hardware);
  await up('again', '--network', 'small', '--ip', '10.77.0.5');
  await up('a4', '--network', 'small');
  assert.match((await box('network', 'rm', 'small')).stderr, 'is in use by container');
  await removeContainers();
  await box.ok('network', 'rm', 'small');
});

test('several starts at once: one address, the same inside, in inspect and in /etc/hosts', async () => {
  const box = await busybox();
  await box.ok('network', 'create', '--subnet', '10.79.0.0/24', 'race');
  await box.ok('create', '--name', 'both', '--network', 'race', 'busybox', 'sleep', '1000');
  await Promise.all([1, 2, 3, 4].map(() => box.ok('start', 'both')));
  const taken = readdirSync(join(box.home.store, 'networks/race/addresses'));
  assert.is(taken.length, 1);
  const [address = ''] = taken;
  const { stdout } = await inside('both', 'ip -4 -o addr show eth0; cat /etc/hosts');
  assert.match(stdout, `inet ${address}/24`);
  assert.match(stdout, `${address}\t`);
  assert.match(await box.ok('inspect', 'both'), `"IPAddress": "${address}"`);
  await removeContainers();
  await box.ok('network', 'rm', 'race');
});

test('--ip6 and --link-local-ip are addresses of the container', async () => {
  const box = await busybox();
  await box.ok('network', 'create', '--ipv6', '--subnet', '10.78.0.0/24', '--subnet', 'fd77:1::/64', 'both');
  await up('one', '--network', 'both', '--ip6', 'fd77:1::42', '--link-local-ip', '169.254.10.7');
  const out = (await inside('one', 'ip -o addr show eth0')).stdout;
  for (const part of ['fd77:1::42/64', '169.254.10.7/']) assert.match(out, part);
  const same = ['create', '--network', 'both', '--link-local-ip', '169.254.10.7', 'busybox', 'true'];
  await box.fails(1, /169\.254\.10\.7 of network both is in use/, 'start', await box.ok(...same));
  const wanted = (four: string, six: string) => ['create', '--network', 'both', '--ip', four, '--ip6', six];
  await box.fails(125, /the network's own/, ...wanted('10.78.0.9', 'fd77:1:0::1'), 'busybox', 'true');
  const second = await box.ok(...wanted('10.78.0.9', 'fd77:1::42'), 'busybox', 'true');
  await box.fails(1, /fd77:1::42 of network both is in use/, 'start', second);
  // What it had taken before it failed is free again.
  await up('nine', '--network', 'both', '--ip', '10.78.0.9');
  await removeContainers();
  await box.ok('network', 'rm', 'both');
});

test('IPv6: addresses, names and a ping', async () => {
  await up('one', '--network', 'six');
  const out = await run('--rm', '--network', 'six', 'busybox', 'ping', '-6', '-c', '1', '-W', '3', 'one');
  assert.match(out, '1 packets received');
});

test('container:NAME: its interfaces, its names, and nothing else of it', async () => {
  await up('one', '--network', 'web', '--hostname', 'first');
  const script =
    'ip -4 -o addr show eth0 | wc -l; grep -c first /etc/hosts; ping -c 1 -W 3 one | grep -c "1 packets received"; ls /proc | grep -c "^[0-9]"';
  const out = await run('--rm', '--network', 'container:one', 'busybox', 'sh', '-c', script);
  assert.equal(out.split('\n').slice(0, 3), ['1', '1', '1']);
  assert.match(
    (await (await busybox())('run', '--network', 'container:one', '-p', '80', 'busybox', 'true')).stderr,
    'published',
  );
});

test('what there is: ls, inspect, ps', async () => {
  const box = await busybox();
  const id = await up('one', '--network', 'web');
  assert.equal(
    (await box.ok('network', 'ls', '--filter', 'type=custom', '--format', '{{.Name}}')).split('\n'),
    ['lab', 'other', 'six', 'web'],
  );
  const [web] = JSON.parse(await box.ok('network', 'inspect', 'web'));
  assert.equal([web.Driver, web.Internal, web.Containers[id].Name], ['bridge', false, 'one']);
  assert.is(await box.ok('ps', '--filter', 'network=web', '--format', '{{.Names}} {{.Networks}}'), 'one web');
});

test('what cannot be is refused with the reason', async () => {
  const box = await busybox();
  const table: [string[], string][] = [
    [['network', 'create', '-d', 'macvlan', 'x'], 'only root may touch that'],
    [['network', 'create', 'web'], 'already exists'],
    [['network', 'create', 'host'], 'is always there'],
    [
      ['network', 'create', '--subnet', '10.1.0.0/16', '--gateway', '10.2.0.1', 'x'],
      'not an address of the network',
    ],
    [['network', 'rm', 'nosuch'], 'not found'],
    [['run', '--network', 'nosuch', 'busybox', 'true'], 'not found'],
    [['run', '--network', 'web', '--network', 'none', 'busybox', 'true'], 'goes with no other'],
    [['run', '--network', 'web', '--ip', '10.9.9.9', 'busybox', 'true'], 'it is not in'],
  ];
  for (const [words, why] of table) {
    const done = await box(...words);
    assert.is.not(done.code, 0);
    assert.match(done.stderr, why);
  }
});

test('the last container takes everything with it; so does whoever is killed', async () => {
  const box = await busybox();
  await up('one', '--network', 'web');
  await run('--rm', '--network', 'web', 'busybox', 'nslookup', 'one');
  assert.is(processes('tsbox: network').length, 1);
  assert.is(processes(' _names').length, 1);
  const [holder = 0] = processes('tsbox: network');
  const resident = Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${holder}/status`, 'utf8'))?.[1]);
  assert.ok(resident < 2048, `the holder has ${resident} kB resident, and its PSS is less`);
  await box.ok('rm', '-f', 'one');
  const uplinkGone = () =>
    ['tsbox: network', 'slirp4netns --configure'].every(text => processes(text).length === 0);
  const nothing = () =>
    ['tsbox: network', ' _names', 'slirp4netns --configure'].every(text => processes(text).length === 0);
  await eventually(5000, 'everything to go', nothing);
  for (const victim of ['tsbox: supervise', 'tsbox: network']) {
    await up('one', '--network', 'web', '--ip', '172.18.0.50');
    for (const pid of processes(victim)) process.kill(pid, 'SIGKILL');
    await eventually(5000, `the end of ${victim}`, uplinkGone);
    await box.ok('rm', '-f', 'one');
  }
  await up('one', '--network', 'web', '--ip', '172.18.0.50');
  assert.is((await inside('one', 'ping -c 1 -W 3 172.18.0.1')).code, 0);
  await removeContainers();
  assert.equal(readdirSync(join(box.home.store, 'networks/web/addresses')), []);
});

test.run();
