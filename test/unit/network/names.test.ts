import { createSocket } from 'node:dgram';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Answer, decode, encode, type Packet, type Question } from 'dns-packet';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { answerQuery, failure } from '../../../src/network/dns-answer.ts';
import { forward, HostServers } from '../../../src/network/dns-forward.ts';
import { NameTable } from '../../../src/network/names.ts';

function known<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('undefined');
  return value;
}

const test = suite('network names');

function table(): NameTable {
  const names = new NameTable();
  const add = (container: string, network: string, address: string, ...more: string[]): void =>
    names.add({
      container,
      network,
      address,
      servers: [],
      names: [container, ...more, `${container}.${network}`],
    });
  add('web', 'n1', '172.18.0.2', 'www');
  add('web', 'n1', 'fd00::2', 'www');
  add('web2', 'n1', '172.18.0.3', 'www');
  add('both', 'n1', '172.18.0.4');
  add('both', 'n2', '172.19.0.4');
  add('far', 'n2', '172.19.0.2', 'www');
  names.add({
    container: 'shut',
    network: 'in',
    address: '10.9.0.2',
    servers: ['-'],
    names: ['shut', 'shut.in'],
  });
  return names;
}

const question = (name: string, type: string, more: Partial<Packet> = {}): Buffer =>
  encode({ type: 'query', id: 7, flags: 0x0100, questions: [{ name, type } as Question], ...more });

function ask(name: string, type = 'A', source = '172.18.0.2', network = 'n1', names = table()) {
  const reply = answerQuery(names, { network, source, tcp: false, packet: question(name, type) });
  if (!Buffer.isBuffer(reply)) return reply;
  const packet = decode(reply) as unknown as Packet & { rcode: string };
  assert.equal([packet.id, packet.type, packet.questions?.[0]?.name], [7, 'response', name]);
  return {
    code: packet.rcode,
    data: (packet.answers ?? []).map(a => (a as Answer & { data: unknown }).data),
  };
}

test('names, aliases, in any case, and NAME.NETWORK', () => {
  assert.equal(ask('web'), { code: 'NOERROR', data: ['172.18.0.2'] });
  assert.equal(ask('WEB2'), { code: 'NOERROR', data: ['172.18.0.3'] });
  assert.equal(ask('web.n1'), { code: 'NOERROR', data: ['172.18.0.2'] });
  assert.equal(ask('web', 'AAAA'), { code: 'NOERROR', data: ['fd00::2'] });
});

test('a name that is known and has nothing of that kind is not asked of others', () => {
  assert.equal(ask('web2', 'AAAA'), { code: 'NOERROR', data: [] });
  assert.equal(ask('web', 'MX'), { code: 'NOERROR', data: [] });
});

test('several addresses: another one comes first each time', () => {
  const names = table();
  const firsts = new Set<unknown>();
  for (let i = 0; i < 6; i++) {
    const answer = ask('www', 'A', '172.18.0.4', 'n1', names);
    assert.is(typeof answer === 'object' && answer.data.length, 3);
    if (typeof answer === 'object') firsts.add(answer.data[0]);
  }
  assert.is(firsts.size, 3);
});

test('only of networks that who asks is in', () => {
  assert.is(ask('far'), 'forward');
  assert.equal(ask('far', 'A', '172.18.0.4'), { code: 'NOERROR', data: ['172.19.0.2'] });
  assert.is(ask('web', 'A', '172.19.0.2', 'n2'), 'forward');
  // An address that nobody was given: the network it comes from, no more.
  assert.equal(ask('web2', 'A', '172.18.9.9'), { code: 'NOERROR', data: ['172.18.0.3'] });
});

test('PTR of both families', () => {
  assert.equal(ask('3.0.18.172.in-addr.arpa', 'PTR'), { code: 'NOERROR', data: ['web2.n1'] });
  const nibbles = `2.${'0.'.repeat(27)}0.0.d.f`;
  assert.equal(ask(`${nibbles}.ip6.arpa`, 'PTR'), { code: 'NOERROR', data: ['web.n1'] });
  assert.is(ask('1.1.1.1.in-addr.arpa', 'PTR'), 'forward');
});

test('a network without a way out asks nobody', () => {
  assert.equal(ask('shut', 'A', '10.9.0.2', 'in'), { code: 'NOERROR', data: ['10.9.0.2'] });
  assert.equal(ask('secret.evil.example', 'A', '10.9.0.2', 'in'), { code: 'REFUSED', data: [] });
});

test('who has left is forgotten, in one network or in all', () => {
  const names = table();
  names.remove('both', 'n2');
  assert.is(ask('far', 'A', '172.18.0.4', 'n1', names), 'forward');
  assert.equal(ask('both', 'A', '172.18.0.2', 'n1', names), { code: 'NOERROR', data: ['172.18.0.4'] });
  names.remove('both');
  assert.is(ask('both', 'A', '172.18.0.2', 'n1', names), 'forward');
});

test('too many addresses for a packet: cut off, whole by TCP', () => {
  const names = new NameTable();
  for (let i = 0; i < 100; i++)
    names.add({
      container: `c${i}`,
      network: 'n',
      address: `10.0.0.${i}`,
      servers: [],
      names: ['all', `c${i}.n`],
    });
  const packet = question('all', 'A');
  const udp = answerQuery(names, { network: 'n', source: '10.0.0.1', tcp: false, packet });
  const tcp = answerQuery(names, { network: 'n', source: '10.0.0.1', tcp: true, packet });
  assert.ok(Buffer.isBuffer(udp) && Buffer.isBuffer(tcp));
  if (!Buffer.isBuffer(udp) || !Buffer.isBuffer(tcp)) return;
  assert.ok(udp.length <= 512 && decode(udp).flag_tc);
  assert.is(decode(tcp).answers?.length, 100);
});

test('what is no question gets no answer, whatever bytes it has', () => {
  let seed = 7;
  const byte = (): number => {
    seed = (seed * 1103515245 + 12345) & 0x7fffffff;
    return seed >> 16;
  };
  const base = question('web', 'A');
  for (let i = 0; i < 3000; i++) {
    const packet = Buffer.from(base.subarray(0, (byte() % base.length) + 1));
    for (let k = 0; k < 4; k++) packet[byte() % packet.length] = byte() & 255;
    const query = { network: 'n1', source: '172.18.0.2', tcp: false, packet };
    const reply = answerQuery(table(), query);
    assert.ok(reply === undefined || reply === 'forward' || Buffer.isBuffer(reply));
    failure(query);
  }
  const response = encode({ type: 'response', id: 1, questions: [{ name: 'web', type: 'A' }] });
  assert.is(
    answerQuery(table(), { network: 'n1', source: '172.18.0.2', tcp: false, packet: response }),
    undefined,
  );
});

test('others are asked: with an id of our own, one server after the other; a forged answer is left', async () => {
  const server = createSocket('udp4');
  await new Promise<void>(resolve => server.bind(0, '127.0.0.1', resolve));
  server.on('message', (message, from) => {
    const asked = decode(message);
    const answer = (id: number, data: string): Buffer =>
      encode({
        type: 'response',
        id,
        questions: asked.questions ?? [],
        answers: [{ name: 'x', type: 'A', data }],
      });
    server.send(answer(((asked.id ?? 0) + 1) & 65535, '6.6.6.6'), from.port, from.address);
    server.send(answer(asked.id ?? 0, '1.2.3.4'), from.port, from.address);
  });
  const { port } = server.address();
  const reply = await forward(question('x', 'A'), [`127.0.0.1#${port}`], false);
  server.close();
  const packet = decode(known(reply));
  assert.equal([packet.id, (packet.answers?.[0] as { data?: string } | undefined)?.data], [7, '1.2.3.4']);
  assert.is(await forward(question('x', 'A'), [`127.0.0.1#${port}`], false), undefined);
  assert.is(await forward(Buffer.alloc(3), ['127.0.0.1'], false), undefined);
});

test('the machine’s servers are what its file says now', () => {
  const dir = mkdtempSync(join(tmpdir(), 'tsbox-dns'));
  const path = join(dir, 'resolv.conf');
  const host = new HostServers(path);
  assert.equal(host.servers, ['127.0.0.1']);
  writeFileSync(path, 'nameserver 127.0.0.53\n');
  assert.equal(host.servers, ['127.0.0.53']);
  writeFileSync(path, 'nameserver 10.0.0.1\nnameserver 10.0.0.2\n');
  assert.equal(host.servers, ['10.0.0.1', '10.0.0.2']);
  rmSync(dir, { recursive: true });
});

test.run();
