import { createSocket } from 'node:dgram';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { TsboxError } from '../../src/errors.ts';
import type { NetworkDriver, NetworkRequest, PortMapping } from '../../src/network/driver.ts';
import { parsePublish } from '../../src/network/ports.ts';
import { networkDriver } from '../../src/network/select.ts';
import { OP_NAMES } from '../../src/plan/ops.ts';
import { killNetContainers, netContainer } from '../support/net-container.ts';
import { requires } from '../support/requires.ts';
import { eventually, within } from '../support/within.ts';

/** One suite for every network driver, on the real helper; then what only slirp4netns promises. */
const request = (more: Partial<NetworkRequest> = {}): NetworkRequest => ({
  containerId: '0'.repeat(64),
  runtimeDir: '/run/user/1000/tsbox/c',
  ports: [],
  options: {},
  ...more,
});

async function run(driver: NetworkDriver, script: string, more: Parameters<typeof netContainer>[2] = {}) {
  const container = await within(15_000, netContainer(driver, script, more), 'the start');
  const status = await within(20_000, container.ended, script);
  return { status, out: container.stdout(), err: container.stderr() };
}

for (const name of ['none', 'host', 'slirp4netns'] as const) {
  const driver = networkDriver(name);
  const needs =
    name === 'slirp4netns'
      ? (['userns', 'busybox', 'slirp4netns', 'tun'] as const)
      : (['userns', 'busybox'] as const);
  const test = requires(suite(`network driver ${name}`), ...needs);

  test.after.each(killNetContainers);

  test('has its own name', () => assert.is(driver.name, name));

  test('a probe answers and never throws', async () => {
    const probe = await driver.probe();
    assert.type(probe.ok, 'boolean');
    if (!probe.ok) assert.ok(probe.reason && probe.hint);
  });

  test('setup is pure: the same request gives the same plan, of known operations', () => {
    const first = driver.setup(request());
    assert.equal(driver.setup(request()), first);
    for (const op of [...first.ops, ...first.services.flatMap(s => s.ops)])
      assert.ok(OP_NAMES.includes(op.name));
    for (const server of first.nameservers ?? []) assert.match(server, /^[0-9a-f.:]+$/);
  });

  test("the network namespace is new or the machine's, as setup says", async () => {
    const { out, status } = await run(driver, 'readlink /proc/self/ns/net');
    assert.is(status, 0);
    assert.is(out.trim() === readlinkSync('/proc/self/ns/net'), driver.setup(request()).netns === 'host');
  });

  test('loopback is up', async () => {
    // With the machine's network, another run of this suite may be at it: a port of our own, and an answer that is ours.
    const listen = 20_000 + (process.pid % 10_000);
    const word = `word-${process.pid}`;
    const script = `nc -ll -p ${listen} -e echo ${word} & for i in $(seq 40); do nc -w 2 127.0.0.1 ${listen} </dev/null 2>/dev/null && break; sleep 0.1; done; kill $!`;
    assert.match((await run(driver, script)).out, new RegExp(word));
  });

  test('what runs beside the container ends with it', async () => {
    const before = processes('slirp4netns');
    const container = await netContainer(driver, 'sleep 60');
    const during = processes('slirp4netns').filter(pid => !before.includes(pid));
    assert.is(during.length, driver.setup(request()).services.length);
    container.kill();
    assert.is(await within(10_000, container.ended, 'the end'), 137);
    await eventually(5000, 'services gone', () =>
      processes('slirp4netns').every(pid => !during.includes(pid)),
    );
  });

  if (driver.setup(request()).netns === 'new') {
    test('every port may be bound, ping needs no privilege', async () => {
      const { status, err } = await run(
        driver,
        'test "$(cat /proc/sys/net/ipv4/ip_unprivileged_port_start)" = 0 && ping -c 1 -W 2 127.0.0.1',
      );
      assert.is(status, 0, err);
    });

    test("a listener on the machine's loopback cannot be reached", async () => {
      await withServer('127.0.0.1', async port => {
        const script = `for a in 127.0.0.1 10.0.2.2 10.0.2.3; do nc -w 1 $a ${port} </dev/null; done; exit 0`;
        assert.is((await run(driver, script)).out, '');
      });
    });

    test('abstract sockets of the machine cannot be reached', async () => {
      const abstract = `tsbox-test-${process.pid}`;
      const server = createServer(socket => socket.end('reached\n'));
      await new Promise<void>(resolve => server.listen(`\0${abstract}`, resolve));
      try {
        const { out } = await run(driver, `grep -c '@${abstract}' /proc/net/unix`);
        assert.is(out.trim(), '0');
      } finally {
        server.close();
      }
    });
  }

  test.run();
}

const none = requires(suite('network none'), 'userns', 'busybox');

none('nothing but loopback', async () => {
  const { out } = await run(networkDriver('none'), 'ip -o link | cut -d: -f2; ip route');
  assert.is(out.trim(), 'lo');
});

none('ports are refused', () => {
  assert.throws(
    () => networkDriver('none').setup(request({ ports: [port(8080, 80)] })),
    (e: unknown) => e instanceof TsboxError && e.code === 'USAGE',
  );
});

none.run();

const slirp = requires(suite('network slirp4netns'), 'userns', 'busybox', 'slirp4netns', 'tun');
const driver = networkDriver('slirp4netns');
slirp.after.each(killNetContainers);

slirp('address, route, MTU', async () => {
  const { out } = await run(
    driver,
    'ip -o -4 addr show tap0; ip route; cat /sys/class/net/lo/mtu >/dev/null; ip link show tap0',
  );
  assert.match(out, /inet 10\.0\.2\.100\/24/);
  assert.match(out, /default via 10\.0\.2\.2/);
  assert.match(out, /mtu 65520/);
});

slirp('options change them', async () => {
  const { out } = await run(
    driver,
    'ip -o -4 addr show tap0; ip route; ip link show tap0; ip -6 -o addr show tap0',
    {
      options: { mtu: '1500', cidr: '10.99.7.0/25', enable_ipv6: 'true' },
    },
  );
  assert.match(out, /inet 10\.99\.7\.100\/25/);
  assert.match(out, /default via 10\.99\.7\.2/);
  assert.match(out, /mtu 1500/);
});

slirp('allow_host_loopback opens the gateway to loopback, as asked', async () => {
  await withServer('127.0.0.1', async listening => {
    const { out } = await run(driver, `nc -w 3 10.0.2.2 ${listening} </dev/null`, {
      options: { allow_host_loopback: 'true' },
    });
    assert.match(out, /^reached from /);
  });
});

slirp('loopback is closed over IPv6, too', async () => {
  await withServer('::1', async listening => {
    const { out } = await run(
      driver,
      `sleep 1; for a in ::1 fd00::2 fd00::3; do nc -w 1 $a ${listening} </dev/null; done; exit 0`,
      { options: { enable_ipv6: 'true' } },
    );
    assert.is(out, '');
  });
});

slirp('published TCP ports answer; clients never look like 127.0.0.1 (CVE-2021-20199)', async () => {
  const [mapping] = await parsePublish(['127.0.0.1::8000']);
  assert.ok(mapping);
  const container = await netContainer(driver, 'nc -ll -p 8000 -e cat /proc/net/tcp /proc/net/tcp6', {
    ports: [mapping],
  });
  const sockets = await within(10_000, readAll(mapping.hostPort), 'the answer');
  container.kill();
  await within(10_000, container.ended, 'the end');
  // Addresses are hexadecimal and in the order of the machine: 10.0.2.100:8000 and 10.0.2.2.
  assert.match(sockets, /6402000A:1F40 \w*0202000A:/);
  assert.not.match(sockets, /:1F40 \w*0100007F:/);
});

slirp('published UDP ports answer; on loopback only where that is open, and setup says so', async () => {
  const [mapping] = await parsePublish(['127.0.0.1::5353/udp']);
  assert.ok(mapping);
  const echo =
    'const s = require("dgram").createSocket("udp4"); s.on("message", (m, from) => s.send(m, from.port, from.address)); s.bind(5353)';
  const options = { allow_host_loopback: 'true' };
  assert.equal(driver.setup(request({ ports: [mapping], options })).warnings, []);
  assert.match(driver.setup(request({ ports: [mapping] })).warnings?.[0] ?? '', /do not reach clients/);
  const container = await netContainer(driver, `exec '${process.execPath}' -e '${echo}'`, {
    ports: [mapping],
    options,
  });
  assert.is(await within(10_000, askUdp(mapping.hostPort, 'ping'), 'the answer'), 'ping');
  container.kill();
  await within(10_000, container.ended, 'the end');
});

slirp('several ports at once, and a range', async () => {
  const ports = await parsePublish(['127.0.0.1::7001-7008']);
  assert.is(ports.length, 8);
  const container = await netContainer(
    driver,
    'for p in 1 2 3 4 5 6 7 8; do nc -ll -p 700$p -e echo $p & done; wait',
    { ports },
  );
  for (const [i, mapping] of ports.entries())
    assert.is(await within(10_000, readAll(mapping.hostPort), `port ${i}`), `${i + 1}\n`);
  container.kill();
  await within(10_000, container.ended, 'the end');
});

slirp('a port that is taken: the error names it and says why, the container is gone', async () => {
  await withServer('127.0.0.1', async listening => {
    const before = processes('slirp4netns');
    const error = await failure(
      netContainer(driver, 'sleep 60', { ports: [port(listening, 80, '127.0.0.1')] }),
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

slirp('an address that this machine does not have', async () => {
  const error = await failure(netContainer(driver, 'sleep 60', { ports: [port(18080, 80, '203.0.113.9')] }));
  assert.is(error.code, 'PORT');
  assert.match(error.message, /does not have that address/);
});

slirp('an address that is IPv6 is refused before anything starts', () => {
  assert.throws(() => driver.setup(request({ ports: [port(8080, 80, '::1')] })), /forwards IPv4 only/);
});

slirp('a runtime directory longer than a socket path may be', async () => {
  const base = await mkdtemp(join(tmpdir(), 'tsbox-long-'));
  const runtimeDir = join(base, 'd'.repeat(120), 'e'.repeat(60));
  await mkdir(runtimeDir, { recursive: true });
  try {
    const ports = await parsePublish(['127.0.0.1::9000']);
    const container = await netContainer(driver, 'nc -ll -p 9000 -e echo far', { ports, runtimeDir });
    assert.is(await within(10_000, readAll(ports[0]?.hostPort ?? 0), 'the answer'), 'far\n');
    container.kill();
    await within(10_000, container.ended, 'the end');
  } finally {
    await rm(base, { recursive: true, force: true });
  }
});

slirp(
  'it runs in a sandbox: no new privileges, a filter, no capabilities but the one for ports, another root',
  async () => {
    const before = processes('slirp4netns');
    const container = await netContainer(driver, 'sleep 60');
    try {
      const [pid] = processes('slirp4netns').filter(p => !before.includes(p));
      const status = readFileSync(`/proc/${pid}/status`, 'utf8');
      assert.match(status, /^NoNewPrivs:\s*1$/m);
      assert.match(status, /^Seccomp:\s*2$/m);
      assert.match(status, /^CapEff:\s*0000000000000400$/m);
    } finally {
      container.kill();
      await within(10_000, container.ended, 'the end');
    }
  },
);

slirp('nothing of the environment reaches it', async () => {
  const before = processes('slirp4netns');
  process.env.G_MESSAGES_DEBUG = 'canary';
  const container = await netContainer(driver, 'sleep 60').finally(() => {
    delete process.env.G_MESSAGES_DEBUG;
  });
  try {
    const [pid] = processes('slirp4netns').filter(p => !before.includes(p));
    let environ = '';
    try {
      environ = readFileSync(`/proc/${pid}/environ`, 'utf8');
    } catch {
      // Not dumpable once it has dropped its capabilities: then nobody reads it at all.
    }
    assert.not.match(environ, /canary/);
  } finally {
    container.kill();
    await within(10_000, container.ended, 'the end');
  }
});

slirp.run();

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

async function askUdp(to: number, text: string): Promise<string> {
  const socket = createSocket('udp4');
  let answer: string | undefined;
  socket.on('message', data => {
    answer = data.toString();
  });
  try {
    return await eventually(8000, 'an answer', () => {
      if (answer === undefined) socket.send(text, to, '127.0.0.1');
      return answer;
    });
  } finally {
    socket.close();
  }
}

async function failure(work: Promise<unknown>): Promise<TsboxError> {
  const error = await work.then(
    () => undefined,
    e => e,
  );
  assert.instance(error, TsboxError);
  return error as TsboxError;
}
