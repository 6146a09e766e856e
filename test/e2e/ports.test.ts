import { createServer } from 'node:net';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { busybox, removeContainers } from '../support/ready.ts';
import { freePort } from '../support/registry.ts';
import { requires } from '../support/requires.ts';
import { eventually, within } from '../support/within.ts';

/** A real HTTP server inside, reached through `-p`. */
const test = requires(suite('run -p'), 'userns', 'busybox', 'slirp4netns', 'tun');
test.after.each(removeContainers);

async function httpd(...publish: string[]): Promise<string> {
  const box = await busybox();
  const script = 'mkdir /www && echo "hello from $HOSTNAME" > /www/index.html && exec httpd -f -p 80 -h /www';
  return box.ok(
    'run',
    '-d',
    '--hostname',
    'web',
    ...publish.flatMap(p => ['-p', p]),
    'busybox',
    'sh',
    '-c',
    script,
  );
}

const get = (url: string): Promise<string> =>
  eventually(10_000, url, () =>
    fetch(url, { signal: AbortSignal.timeout(3000) })
      .then(r => (r.ok ? r.text() : undefined))
      .catch(() => undefined),
  );

test('an HTTP server answers on the host', async () => {
  const box = await busybox();
  const port = await freePort();
  const id = await httpd(`127.0.0.1:${port}:80`);
  assert.is(await get(`http://127.0.0.1:${port}/`), 'hello from web\n');
  assert.match(await box.ok('ps'), `127.0.0.1:${port}->80/tcp`);
  await box.ok('rm', '-f', id);
  const after = await fetch(`http://127.0.0.1:${port}/`).catch(() => 'closed');
  assert.is(after, 'closed', 'the port is free again');
});

test('large answers arrive whole, many at once', async () => {
  const box = await busybox();
  const port = await freePort();
  const script =
    'mkdir /www && head -c 5000000 /dev/urandom > /www/big && sha256sum < /www/big | cut -c1-64 > /www/sum && exec httpd -f -p 80 -h /www';
  const id = await box.ok('run', '-d', '-p', `127.0.0.1:${port}:80`, 'busybox', 'sh', '-c', script);
  const sum = (await get(`http://127.0.0.1:${port}/sum`)).trim();
  const { createHash } = await import('node:crypto');
  const bodies = await within(
    60_000,
    Promise.all(
      Array.from({ length: 5 }, async () =>
        Buffer.from(await (await fetch(`http://127.0.0.1:${port}/big`)).arrayBuffer()),
      ),
    ),
  );
  for (const body of bodies) assert.is(createHash('sha256').update(body).digest('hex'), sum);
  await box.ok('rm', '-f', id);
});

test('without an address it listens everywhere, without a host port on any free one', async () => {
  const box = await busybox();
  const id = await httpd('80');
  const ports = JSON.parse(await box.ok('inspect', '-f', '{{json .NetworkSettings.Ports}}', id)) as Record<
    string,
    { HostIp: string; HostPort: string }[]
  >;
  const [binding] = ports['80/tcp'] ?? [];
  assert.is(binding?.HostIp, '0.0.0.0');
  assert.is(await get(`http://127.0.0.1:${binding?.HostPort}/`), 'hello from web\n');
  await box.ok('rm', '-f', id);
});

test('two ports of one server', async () => {
  const box = await busybox();
  const [a, b] = [await freePort(), await freePort()];
  const id = await httpd(`127.0.0.1:${a}:80`, `127.0.0.1:${b}:80`);
  for (const port of [a, b]) assert.is(await get(`http://127.0.0.1:${port}/`), 'hello from web\n');
  await box.ok('rm', '-f', id);
});

test('a port in use is one clear line, and nothing is left', async () => {
  const box = await busybox();
  const server = createServer();
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : 0;
  await box.fails(125, new RegExp(`${port}`), 'run', '--rm', '-p', `127.0.0.1:${port}:80`, 'busybox', 'true');
  server.close();
  assert.is(await box.ok('ps', '-aq'), '');
});

test('malformed specifications, and networks that have no ports', async () => {
  const box = await busybox();
  for (const spec of ['', 'x', '0', '80:99999', '1.2.3.4.5:1:1', '80:80/icmp', '80-82:80-81', '-1:80']) {
    const done = await box('run', '--rm', '-p', spec, 'busybox', 'true');
    assert.is(done.code, 125, `-p '${spec}': ${done.stderr}`);
  }
});

test.run();
