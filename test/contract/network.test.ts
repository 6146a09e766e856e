import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { TsboxError } from '../../src/errors.ts';
import type { NetworkDriver, NetworkRequest, PortMapping } from '../../src/network/driver.ts';
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

for (const name of ['none', 'host', 'slirp4netns', 'pasta'] as const) {
  const driver = networkDriver(name);
  const outside = name === 'slirp4netns' || name === 'pasta';
  const needs = outside ? (['userns', 'busybox', name, 'tun'] as const) : (['userns', 'busybox'] as const);
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
    const program = name === 'pasta' ? 'passt' : 'slirp4netns';
    const before = processes(program);
    const container = await netContainer(driver, 'sleep 60');
    const during = processes(program).filter(pid => !before.includes(pid));
    assert.is(during.length, driver.setup(request()).services.length);
    container.kill();
    assert.is(await within(10_000, container.ended, 'the end'), 137);
    await eventually(5000, 'services gone', () => processes(program).every(pid => !during.includes(pid)));
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
        // pasta executes the build of it for this processor: passt.avx2
        return (
          new RegExp(`^Name:\t${comm}(\\.\\w+)?\n`).test(status) &&
          status.includes(`\nUid:\t${process.getuid?.()}\t`)
        );
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
