// run as: ranges
import { spawn } from 'node:child_process';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { askUdp } from '../support/ask-udp.ts';
import { openBox } from '../support/cli.ts';
import { note } from '../support/note.ts';
import { freePort } from '../support/registry.ts';
import { requires, SERVERS_ROOTFS, which } from '../support/requires.ts';
import { eventually } from '../support/within.ts';

/** Real servers of a distribution in containers, and real clients: nginx and wrk, PostgreSQL and psql, iperf3; and a hundred at once. */
const needs = [
  'long',
  'debian-servers',
  'userns',
  'subid',
  'newuidmap',
  'slirp4netns',
  'tun',
  'nft',
] as const;
const test = requires(suite('networks with real parts'), ...needs);
const loaded = requires(test, 'wrk');

const box = openBox().with({ limit: 180_000 });
const run = (...words: string[]): Promise<string> => box.ok('run', ...words);
const answered = <T>(what: string, ask: () => Promise<T>): Promise<T> =>
  eventually(60_000, what, () => ask().catch(() => undefined));

/** Without holding up this process, which has other work. */
function output(program: string, ...args: string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(which(program) ?? program, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    let text = '';
    child.stdout.setEncoding('utf8').on('data', chunk => {
      text += chunk;
    });
    child.on('error', reject).on('close', code => (code === 0 ? resolve(text) : reject(new Error(text))));
  });
}

test.before(async () => {
  await box.ok('import', SERVERS_ROOTFS, 'debian-servers');
  await box.ok('network', 'create', '--ipv6', 'shop');
});
test.after.each(async () => {
  const ids = (await box('ps', '-aq')).stdout.split('\n').filter(Boolean);
  if (ids.length) await box('rm', '-f', '-v', ...ids);
});
test.after(async () => {
  await box('network', 'prune', '-f');
});

loaded('nginx of a Debian container, published, on a network of its own, under wrk', async () => {
  const port = await freePort();
  const start = 'echo from-debian > /var/www/html/index.html; exec nginx -g "daemon off;"';
  await run('-d', '--network', 'shop', '-p', `127.0.0.1:${port}:80`, 'debian-servers', 'sh', '-c', start);
  const url = `http://127.0.0.1:${port}/index.html`;
  assert.is(await answered('nginx', async () => (await fetch(url)).text()), 'from-debian\n');
  for (const header of ['Connection: close', 'Connection: keep-alive']) {
    const text = await output('wrk', '-t1', '-c100', '-d5', '-H', header, url);
    assert.not.match(text, /Socket errors|Non-2xx/);
    const rate = Number(/Requests\/sec:\s+([\d.]+)/.exec(text)?.[1]);
    note(`nginx in a container, ${header}: ${rate.toFixed(0)} requests per second`);
    assert.ok(rate > 300, text);
  }
});

test('PostgreSQL and psql find each other by name, over IPv4 and IPv6', async () => {
  const bin = '/usr/lib/postgresql/15/bin';
  const start = `${bin}/initdb -D /tmp/data -A trust -U postgres >/dev/null &&
echo "host all all samenet trust" >> /tmp/data/pg_hba.conf &&
exec ${bin}/postgres -D /tmp/data -k /tmp -c listen_addresses='*'`;
  const server = ['--network', 'shop', '--name', 'sql', '--network-alias', 'database', '-u', 'postgres'];
  await run('-d', ...server, 'debian-servers', 'sh', '-c', start);
  const psql = (host: string, ask: string): Promise<string> =>
    run(
      '--rm',
      '--network',
      'shop',
      'debian-servers',
      `${bin}/psql`,
      '-h',
      host,
      '-U',
      'postgres',
      '-tAc',
      ask,
    );
  await answered('the server', () => psql('sql', 'select 1'));
  await psql('database', 'create table t as select generate_series(1, 100000) as n');
  assert.is(await psql('sql.shop', 'select sum(n) from t'), '5000050000');
  const six = JSON.parse(await box.ok('inspect', 'sql'))[0].NetworkSettings.Networks.shop.GlobalIPv6Address;
  assert.is(await psql(six, 'select family(inet_client_addr())'), '6');
  const blob = await psql('sql', "select md5(string_agg(n::text, ',')) from t");
  assert.match(blob, /^[0-9a-f]{32}$/);
});

test('iperf3 from container to container, and both ways through a published port', async () => {
  const port = await freePort();
  await run(
    '-d',
    '--network',
    'shop',
    '--name',
    'meter',
    '-p',
    `127.0.0.1:${port}:5201`,
    'debian-servers',
    'iperf3',
    '-s',
  );
  const inside =
    (...flags: string[]) =>
    () =>
      run('--rm', '--network', 'shop', 'debian-servers', 'iperf3', '-J', '-t', '3', '-c', 'meter', ...flags);
  const outside =
    (...flags: string[]) =>
    () =>
      output('iperf3', '-J', '-t', '3', '-c', '127.0.0.1', '-p', String(port), ...flags);
  const ways = {
    'between containers': inside(),
    'over IPv6': inside('-6'),
    ...(which('iperf3') && { 'into it': outside(), 'out of it': outside('-R') }),
  };
  for (const [way, ask] of Object.entries(ways)) {
    const { end } = JSON.parse(await answered(way, ask));
    note(`iperf3 ${way}: ${(end.sum_received.bits_per_second / 1e9).toFixed(1)} Gbit/s`);
    assert.ok(end.sum_received.bytes > 10_000_000);
  }
});

test('a UDP echo server: many clients through -p, each hears its own words; and by name', async () => {
  const echo =
    'use IO::Socket::INET; my $s = IO::Socket::INET->new(LocalPort => 7, Proto => "udp"); my $m; while (defined(my $from = $s->recv($m, 65535))) { $s->send($m, 0, $from) }';
  const port = await freePort();
  await run(
    '-d',
    '--name',
    'echo',
    '--network',
    'shop',
    '-p',
    `127.0.0.1:${port}:7/udp`,
    'debian-servers',
    'perl',
    '-e',
    echo,
  );
  const words = Array.from({ length: 50 }, (_, i) => `client ${i} `.repeat(1 + (i % 3) * 60));
  assert.equal(await Promise.all(words.map(word => askUdp(port, word, 20_000))), words);
  const client =
    'use IO::Socket::INET; my $s = IO::Socket::INET->new(PeerAddr => "echo", PeerPort => 7, Proto => "udp"); $s->send("by name"); my $m; $s->recv($m, 100); print $m';
  assert.is(await run('--rm', '--network', 'shop', 'debian-servers', 'perl', '-e', client), 'by name');
});

const MANY = 100;

test(`${MANY} containers on one network: each has its address and name, and all of it goes`, async () => {
  const names = Array.from({ length: MANY }, (_, i) => `many${i}`);
  const began = Date.now();
  for (let i = 0; i < MANY; i += 5)
    await Promise.all(
      names
        .slice(i, i + 5)
        .map(name => run('-d', '--name', name, '--network', 'shop', 'debian-servers', 'sleep', '1000')),
    );
  note(`${MANY} containers on one network in ${((Date.now() - began) / 1000).toFixed(1)} s`);
  const [{ Containers: there }] = JSON.parse(await box.ok('network', 'inspect', 'shop'));
  const addresses = Object.values(there as Record<string, { IPv4Address: string }>).map(
    each => each.IPv4Address,
  );
  assert.is(new Set(addresses).size, MANY);
  const all = await box.ok('exec', 'many7', 'getent', 'ahostsv4', ...names);
  assert.is(new Set(all.split('\n').map(line => line.split(/\s+/)[0])).size, MANY);
  const connect =
    'for n in $(seq 0 99); do timeout 5 bash -c "exec 3<>/dev/tcp/many$n/9" 2>&1 | grep -q refused && echo $n; done';
  const refused = (await box.ok('exec', 'many99', 'bash', '-c', connect)).split('\n');
  assert.is(refused.length, MANY, 'each was reached, and nobody listens');
  await box.ok('rm', '-f', ...names);
  assert.is(await box.ok('network', 'inspect', '-f', '{{len .Containers}}', 'shop'), '0');
});

test.run();
