import { readdirSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { TsboxError } from '../../src/errors.ts';
import type { NetworkRequest, PortMapping } from '../../src/network/driver.ts';
import { parsePublish } from '../../src/network/ports.ts';
import { networkDriver } from '../../src/network/select.ts';
import { askUdp } from '../support/ask-udp.ts';
import { killNetContainers, netContainer } from '../support/net-container.ts';
import { requires } from '../support/requires.ts';
import { eventually, within } from '../support/within.ts';

/** One suite for both that forward ports, on the real helper; then what only one of them promises. */
const driver = networkDriver('slirp4netns');
const request = (more: Partial<NetworkRequest> = {}): NetworkRequest => ({
  containerId: '0'.repeat(64),
  runtimeDir: '/run/user/1000/tsbox/c',
  ports: [],
  options: {},
  ...more,
});

const ECHO =
  'const s = require("dgram").createSocket("udp4"); s.on("message", (m, from) => s.send(m, from.port, from.address)); s.bind(5353)';

for (const handler of ['builtin', 'slirp4netns'] as const) {
  const test = requires(suite(`port driver ${handler}`), 'userns', 'busybox', 'slirp4netns', 'tun');
  const options = { port_handler: handler };
  test.after.each(killNetContainers);

  test('published TCP ports answer; clients never look like 127.0.0.1 (CVE-2021-20199)', async () => {
    const container = await netContainer(driver, 'nc -ll -p 8000 -e cat /proc/net/tcp /proc/net/tcp6', {
      ports: await parsePublish(['127.0.0.1::8000']),
      options,
    });
    const sockets = await within(10_000, readAll(portOf(container.served)), 'the answer');
    container.kill();
    await within(10_000, container.ended, 'the end');
    // Addresses are hexadecimal and in the order of the machine: 10.0.2.100:8000, and the container or 10.0.2.2.
    assert.match(
      sockets,
      handler === 'builtin' ? /6402000A:1F40 \w*6402000A:/ : /6402000A:1F40 \w*0202000A:/,
    );
    assert.not.match(sockets, /:1F40 \w*0100007F:/);
  });

  test('published UDP ports answer', async () => {
    const more = handler === 'slirp4netns' ? { allow_host_loopback: 'true' } : {};
    const container = await netContainer(driver, `exec '${process.execPath}' -e '${ECHO}'`, {
      ports: await parsePublish(['127.0.0.1::5353/udp']),
      options: { ...options, ...more },
    });
    const words = Array.from({ length: 12 }, (_, i) => `client ${i}`);
    const answers = Promise.all(words.map(word => askUdp(portOf(container.served), word)));
    assert.equal(await within(10_000, answers, 'the answers'), words, 'each client its own');
    container.kill();
    await within(10_000, container.ended, 'the end');
  });

  test('several ports at once, and a range', async () => {
    const ports = await parsePublish(['127.0.0.1::7001-7008']);
    assert.is(ports.length, 8);
    const container = await netContainer(
      driver,
      'for p in 1 2 3 4 5 6 7 8; do nc -ll -p 700$p -e echo $p & done; wait',
      { ports, options },
    );
    assert.is(container.served.length, 8);
    for (const { hostPort, containerPort } of container.served)
      assert.is(await within(10_000, readAll(hostPort), 'the answer'), `${containerPort - 7000}\n`);
    container.kill();
    await within(10_000, container.ended, 'the end');
  });

  test('a port that is taken: the error names it and says why, the container is gone', async () => {
    await withServer('127.0.0.1', async listening => {
      const before = processes('slirp4netns');
      const error = await failure(
        netContainer(driver, 'sleep 60', { ports: [port(listening, 80, '127.0.0.1')], options }),
      );
      assert.is(error.code, 'PORT');
      assert.match(
        error.message,
        new RegExp(`127\\.0\\.0\\.1:${listening}/tcp cannot be published: address already in use`),
      );
      await eventually(5000, 'slirp4netns gone', () =>
        processes('slirp4netns').every(pid => before.includes(pid)),
      );
    });
  });

  test('an address that this machine does not have', async () => {
    const asked = { ports: [port(18080, 80, '203.0.113.9')], options };
    const error = await failure(netContainer(driver, 'sleep 60', asked));
    assert.is(error.code, 'PORT');
    assert.match(error.message, /does not have that address/);
  });

  test('a range of which one is taken', async () => {
    await withServer('127.0.0.1', async listening => {
      const ports = await parsePublish([`127.0.0.1:${listening}-${listening + 9}:8000`]);
      const container = await netContainer(driver, 'nc -ll -p 8000 -e echo here', { ports, options });
      assert.ok(portOf(container.served) > listening);
      assert.is(await within(10_000, readAll(portOf(container.served)), 'the answer'), 'here\n');
      container.kill();
      await within(10_000, container.ended, 'the end');
    });
  });

  test('a runtime directory longer than a socket path may be', async () => {
    const base = await mkdtemp(join(tmpdir(), 'tsbox-long-'));
    const runtimeDir = join(base, 'd'.repeat(120), 'e'.repeat(60));
    await mkdir(runtimeDir, { recursive: true });
    try {
      const ports = await parsePublish(['127.0.0.1::9000']);
      const container = await netContainer(driver, 'nc -ll -p 9000 -e echo far', {
        ports,
        options,
        runtimeDir,
      });
      assert.is(await within(10_000, readAll(portOf(container.served)), 'the answer'), 'far\n');
      container.kill();
      await within(10_000, container.ended, 'the end');
    } finally {
      await rm(base, { recursive: true, force: true });
    }
  });

  test.run();
}

const slirp = suite('port driver slirp4netns, its limits');

slirp('an address that is IPv6 is refused before anything starts', () => {
  const asked = request({ ports: [port(8080, 80, '::1')], options: { port_handler: 'slirp4netns' } });
  assert.throws(() => driver.setup(asked), /forwards IPv4 only/);
});

slirp('UDP on loopback only where that is open: setup says so', () => {
  const ports = [{ ...port(5353, 5353, '127.0.0.1'), protocol: 'udp' as const }];
  const own = { port_handler: 'slirp4netns' };
  const warnings = (options: Record<string, string>) => driver.setup(request({ ports, options })).warnings;
  assert.equal(warnings({ ...own, allow_host_loopback: 'true' }), []);
  assert.match(warnings(own)?.[0] ?? '', /do not reach clients/);
  assert.equal(warnings({}), []);
});

slirp.run();

const portOf = (served: readonly PortMapping[]): number => served[0]?.hostPort ?? 0;

const port = (hostPort: number, containerPort: number, hostIp = '0.0.0.0'): PortMapping => ({
  hostIp,
  hostPort,
  containerPort,
  protocol: 'tcp',
});

/** Pids of processes of that program, of this user. */
function processes(comm: string): number[] {
  return readdirSync('/proc')
    .filter(entry => /^\d+$/.test(entry))
    .filter(pid => {
      try {
        const status = readFileSync(`/proc/${pid}/status`, 'utf8');
        return status.startsWith(`Name:\t${comm}\n`) && status.includes(`\nUid:\t${process.getuid?.()}\t`);
      } catch {
        return false;
      }
    })
    .map(Number);
}

async function withServer(host: string, body: (port: number) => Promise<void>): Promise<void> {
  const server: Server = createServer(socket => socket.end(`reached from ${socket.remoteAddress}\n`));
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, host, resolve));
  try {
    await body((server.address() as AddressInfo).port);
  } finally {
    server.close();
  }
}

/** Everything that a connection to 127.0.0.1 gives; tries again while the other side is not listening yet. */
const readAll = (to: number): Promise<string> =>
  eventually(8000, `port ${to}`, () => readOnce(to).catch(() => undefined));

function readOnce(to: number): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    let text = '';
    const socket: Socket = connect(to, '127.0.0.1');
    socket.setEncoding('utf8').on('data', chunk => {
      text += chunk;
    });
    socket.on('error', reject).on('close', () => resolve(text || undefined));
  });
}

async function failure(work: Promise<unknown>): Promise<TsboxError> {
  const error = await work.then(
    () => undefined,
    e => e,
  );
  assert.instance(error, TsboxError);
  return error as TsboxError;
}
