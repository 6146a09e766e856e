import { createServer, type Server } from 'node:net';
import * as assert from 'uvu/assert';
import { escapeSuite } from '../support/escape.ts';

/** 10.0.2.2 and fd00::2 of slirp4netns are the host, and its loopback with it: services that trust whoever comes from there. */
const test = escapeSuite(['slirp host loopback over IPv4 and IPv6'], {
  drivers: 'any',
  needs: ['slirp4netns', 'tun'],
});

async function listen(host: string, answer: string): Promise<{ server: Server; port: number }> {
  const server = createServer(socket => socket.on('error', () => {}).end(answer));
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, host, resolve));
  const address = server.address();
  return { server, port: typeof address === 'object' && address ? address.port : 0 };
}

test('listeners on 127.0.0.1, ::1 and 127.x are out of reach by every address', async ({ run, canary }) => {
  const servers = await Promise.all(
    ['127.0.0.1', '::1', '127.5.6.7'].map(host => listen(host, canary.secret)),
  );
  const addresses = [
    '10.0.2.2',
    '10.0.2.3',
    '127.0.0.1',
    '127.5.6.7',
    '::1',
    'fd00::2',
    'fd00::3',
    'fe80::2%tap0',
    '::ffff:127.0.0.1',
    '::ffff:10.0.2.2',
  ];
  const ask = servers
    .flatMap(({ port }) => addresses.map(a => `nc -w 2 ${a} ${port} </dev/null &`))
    .join('\n');
  for (const network of ['slirp4netns', 'slirp4netns:enable_ipv6=true']) {
    const done = await run(
      '--network',
      network,
      'busybox',
      'sh',
      '-c',
      `sleep 0.3; { ${ask}\nwait; } 2>/dev/null; echo end`,
    );
    assert.is(done.stdout, 'end\n', done.stderr);
  }
  for (const { server } of servers) server.close();
});

test('with allow_host_loopback it is there: it would have been seen', async ({ run, canary }) => {
  const { server, port } = await listen('127.0.0.1', canary.secret);
  const done = await run(
    '--network',
    'slirp4netns:allow_host_loopback=true',
    'busybox',
    'sh',
    '-c',
    `nc -w 2 10.0.2.2 ${port} </dev/null`,
  );
  assert.is(done.stdout, canary.secret, done.stderr);
  server.close();
});

test.run();
