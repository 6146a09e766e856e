import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Bus } from '../../../src/cgroup/dbus.ts';
import { decodeMessage, encodeCall, Marshaller, messageLength } from '../../../src/cgroup/dbus-message.ts';
import { TsboxError } from '../../../src/errors.ts';
import { within } from '../../support/within.ts';

const test = suite('cgroup/dbus');

test('alignment: an array of structures, counted without its padding', () => {
  const m = new Marshaller().byte(1).array(8, [e => e.string('a').u32(7)]);
  assert.is(m.bytes.toString('hex'), '01000000' + '0c000000' + '01000000' + '6100' + '0000' + '07000000');
});

test('a call is read back as it was written, whatever its length', () => {
  const text = 'x'.repeat(5000);
  const bytes = encodeCall(
    {
      destination: 'a.b',
      path: '/p',
      interface: 'i.f',
      member: 'Do',
      signature: 'su',
      body: m => m.string(text).u32(9),
    },
    3,
  );
  assert.is(messageLength(bytes), bytes.length);
  const { type, member, body } = decodeMessage(bytes);
  assert.equal([type, member, body], ['call', 'Do', [text, 9]]);
  for (let n = 0; n < 16; n++) assert.is(messageLength(bytes.subarray(0, n)), undefined);
});

test('what is no message is refused', () => {
  assert.throws(() => messageLength(Buffer.from('B'.repeat(16))), /little-endian/);
  const long = encodeCall({ path: '/', interface: 'i', member: 'm' }, 1);
  long.writeUInt32LE(0xffff_ffff, 4);
  assert.throws(() => messageLength(long), /too long/);
  const torn = encodeCall({ path: '/', interface: 'i', member: 'm' }, 1);
  torn.writeUInt32LE(0xffff, 20);
  assert.throws(() => decodeMessage(torn));
});

/** Type 2: an answer, 3: an error, 4: a signal, in answer to the call with this serial. */
function reply(type: number, serial: number, body: Marshaller, signature: string, member = ''): Buffer {
  const text = (field: number, kind: string, value: string) => (m: Marshaller) =>
    m.byte(field).variant(kind, v => v.string(value));
  const head = new Marshaller().byte(0x6c).byte(type).byte(0).byte(1).u32(body.bytes.length).u32(99);
  head.array(8, [
    m => m.byte(5).variant('u', v => v.u32(serial)),
    m => m.byte(8).variant('g', v => v.signature(signature)),
    ...(member === '' ? [] : [text(type === 3 ? 4 : 3, 's', member)]),
  ]);
  return Buffer.concat([head.align(8).bytes, body.bytes]);
}

/** Accepts anybody, then gives each call to `answer`, in pieces of three bytes: nothing may depend on where a read ends. */
function serve(
  answer: (member: string, serial: number) => Buffer[],
  greeting = 'OK 0123\r\n',
  name = 'bus',
): Promise<[Server, string]> {
  const path = join(mkdtempSync(join(tmpdir(), 'bus-')), name);
  const server = createServer((socket: Socket) => {
    let bytes = Buffer.alloc(0);
    let greeted = false;
    socket.on('data', chunk => {
      bytes = Buffer.concat([bytes, chunk]);
      const begin = bytes.indexOf('BEGIN\r\n');
      if (!greeted && begin >= 0) {
        greeted = true;
        bytes = bytes.subarray(begin + 7);
        // systemd: what came with the handshake gets no answer.
        if (name === 'private') bytes = Buffer.alloc(0);
        socket.write(greeting);
      }
      for (
        let n = messageLength(bytes);
        greeted && n !== undefined && bytes.length >= n;
        n = messageLength(bytes)
      ) {
        const call = decodeMessage(bytes.subarray(0, n));
        const serial = bytes.readUInt32LE(8);
        bytes = bytes.subarray(n);
        const all = Buffer.concat(answer(call.member ?? '', serial));
        for (let at = 0; at < all.length; at += 3) socket.write(all.subarray(at, at + 3));
      }
    });
  });
  return new Promise(resolve => server.listen(path, () => resolve([server, path])));
}

const end = (server: Server, path: string): void => {
  server.close();
  rmSync(join(path, '..'), { recursive: true, force: true });
};

test('an answer, and a signal that came before it was waited for', async () => {
  const [server, path] = await serve((member, serial) => {
    if (member !== 'Start') return [reply(2, serial, new Marshaller(), '')];
    const removed = new Marshaller().u32(1).string('/job/1').string('u.scope').string('done');
    return [
      reply(2, serial, new Marshaller().string('/job/1'), 'o'),
      reply(4, 0, removed, 'uoss', 'JobRemoved'),
    ];
  });
  const bus = new Bus(path, connect(path));
  bus.match("type='signal'");
  const answer = await within(5000, bus.call({ path: '/', interface: 'i', member: 'Start' }));
  assert.equal(answer.body, ['/job/1']);
  const signal = await within(
    5000,
    bus.signal(s => s.member === 'JobRemoved'),
  );
  assert.equal(signal.body, [1, '/job/1', 'u.scope', 'done']);
  bus.close();
  end(server, path);
});

test('systemd itself: no Hello, and the call comes after its OK', async () => {
  const members: string[] = [];
  const [server, path] = await serve(
    (member, serial) => {
      members.push(member);
      return [reply(2, serial, new Marshaller().string('/job/1'), 'o')];
    },
    'OK 0123\r\n',
    'private',
  );
  const bus = new Bus(path, connect(path));
  bus.match("type='signal'");
  const answer = await within(5000, bus.call({ path: '/', interface: 'i', member: 'Start' }));
  assert.equal(answer.body, ['/job/1']);
  assert.equal(members, ['Start']);
  bus.close();
  end(server, path);
});

const failure = async (work: Promise<unknown>): Promise<string> =>
  within(5000, work).then(
    () => 'none',
    error => (error instanceof TsboxError ? `${error.code} ${error.message}` : String(error)),
  );

test('an error of systemd is its sentence', async () => {
  const [server, path] = await serve((_, serial) => [
    reply(
      3,
      serial,
      new Marshaller().string('Unit x.slice not found.'),
      's',
      'org.freedesktop.systemd1.NoSuchUnit',
    ),
  ]);
  const bus = new Bus(path, connect(path));
  assert.is(
    await failure(bus.call({ path: '/', interface: 'i', member: 'm' })),
    'HOST systemd: Unit x.slice not found.',
  );
  bus.close();
  end(server, path);
});

test('nobody there, one that rejects us, one that talks nonsense: an error, never a wait for ever', async () => {
  const missing = new Bus('/nonexistent/bus', connect('/nonexistent/bus'));
  assert.match(
    await failure(missing.call({ path: '/', interface: 'i', member: 'm' })),
    /HOST D-Bus at .*ENOENT/,
  );
  for (const [greeting, pattern] of [
    ['REJECTED EXTERNAL\r\n', /does not accept us/],
    [`OK 1\r\n${'B'.repeat(32)}`, /little-endian/],
  ] as const) {
    const [server, path] = await serve(() => [], greeting);
    const bus = new Bus(path, connect(path));
    assert.match(await failure(bus.call({ path: '/', interface: 'i', member: 'm' })), pattern);
    end(server, path);
  }
});

test.run();
