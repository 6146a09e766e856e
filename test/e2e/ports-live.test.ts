import { readdirSync, readFileSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { busybox, removeContainers } from '../support/ready.ts';
import { freePort } from '../support/registry.ts';
import { requires } from '../support/requires.ts';
import { eventually, within } from '../support/within.ts';

/** Ports of a container that runs: what is forwarded how, what comes and goes, and what happens when somebody dies. */
const test = requires(suite('ports of a running container'), 'userns', 'busybox', 'slirp4netns', 'tun');
test.after.each(removeContainers);

const HTTPD = 'mkdir -p /www && echo "hello from $HOSTNAME" > /www/index.html && exec httpd -f -p 80 -h /www';
const HELLO = 'hello from web\n';

async function web(...flags: string[]): Promise<string> {
  const box = await busybox();
  return box.ok('run', '-d', '--name', 'web', '--hostname', 'web', ...flags, 'busybox', 'sh', '-c', HTTPD);
}

const get = (url: string): Promise<string> =>
  eventually(10_000, url, () =>
    fetch(url, { signal: AbortSignal.timeout(3000) })
      .then(r => (r.ok ? r.text() : undefined))
      .catch(() => undefined),
  );

/** How a connection that sends `text` ends: what came, or the error's code. */
function talk(port: number, text = '', host = '127.0.0.1'): Promise<string> {
  return within(
    10_000,
    new Promise(resolve => {
      let all = '';
      const socket: Socket = connect(port, host);
      socket.setEncoding('latin1').on('data', chunk => {
        all += chunk;
      });
      socket.on('error', (e: NodeJS.ErrnoException) => resolve(e.code ?? 'error'));
      socket.on('end', () => resolve(all));
      socket.end(text);
    }),
    `port ${port}`,
  );
}

/** Pids of this user's forwarders. */
const forwarders = (): number[] =>
  readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .map(Number)
    .filter(pid => {
      try {
        const mine = readFileSync(`/proc/${pid}/status`, 'utf8').includes(`\nUid:\t${process.getuid?.()}\t`);
        return mine && readFileSync(`/proc/${pid}/cmdline`, 'utf8').startsWith('tsbox: ports ');
      } catch {
        return false;
      }
    });

test('everywhere is every IPv4 and every IPv6 address; random ports are the same in both', async () => {
  const box = await busybox();
  await web('-p', '80');
  const [first, second] = (await box.ok('port', 'web', '80')).split('\n');
  const port = Number(first?.split(':').at(-1));
  assert.is(first, `0.0.0.0:${port}`);
  assert.is(await get(`http://127.0.0.1:${port}/`), HELLO);
  if (second === undefined) return; // a machine without IPv6
  assert.is(second, `[::]:${port}`);
  assert.is(await get(`http://[::1]:${port}/`), HELLO);
});

test('a port comes and goes while it runs, and is there after a restart', async () => {
  const box = await busybox();
  const port = await freePort();
  await web();
  assert.is(forwarders().length, 0, 'without ports there is no forwarder');
  assert.is(await box.ok('port', 'add', 'web', `127.0.0.1:${port}:80`), `80/tcp -> 127.0.0.1:${port}`);
  assert.is(await get(`http://127.0.0.1:${port}/`), HELLO);
  assert.match(await box.ok('ps'), new RegExp(`127.0.0.1:${port}->80/tcp`));
  await box.ok('restart', '-t', '0', 'web');
  assert.is(await get(`http://127.0.0.1:${port}/`), HELLO);
  assert.is(await box.ok('port', 'rm', 'web', `${port}:80`), `80/tcp -> 127.0.0.1:${port}`);
  assert.is(await talk(port), 'ECONNREFUSED');
  assert.is(await box.ok('port', 'web'), '');
  await box.fails(1, /no public port '80' published for web/, 'port', 'rm', 'web', '80');
  await box.ok('rm', '-f', 'web');
  await eventually(3000, 'the forwarder gone', () => forwarders().length === 0);
});

test('a specification that fails changes nothing; who has the port is named', async () => {
  const box = await busybox();
  const [one, two] = [await freePort(), await freePort()];
  await web('-p', `127.0.0.1:${one}:80`);
  const asked = [`127.0.0.1:${two}:80`, `127.0.0.1:${one}:81`];
  await box.fails(125, new RegExp(`:${one}/tcp .*in use by container web`), 'port', 'add', 'web', ...asked);
  assert.is(await talk(two), 'ECONNREFUSED');
  assert.is(await box.ok('port', 'web'), `80/tcp -> 127.0.0.1:${one}`);
  const server = createServer().listen(two, '127.0.0.1');
  const mine = new RegExp(`:${two}/tcp .*in use by .*\\(pid ${process.pid}\\)`);
  await box.fails(125, mine, 'run', '--rm', '-p', `127.0.0.1:${two}:80`, 'busybox', 'true');
  server.close();
  await box.fails(1, /not running/, 'port', 'add', await box.ok('create', 'busybox', 'true'), '8080:80');
});

test('slirp4netns’ own forwarding: all of a change or nothing', async () => {
  const box = await busybox();
  const [port, taken] = [await freePort(), await freePort()];
  await web('--network', 'slirp4netns:port_handler=slirp4netns', '-p', `127.0.0.1:${taken}:80`);
  const both = [`127.0.0.1:${port}:80`, `127.0.0.1:${taken}:81`];
  await box.fails(125, /cannot be published/, 'port', 'add', 'web', ...both);
  assert.is(await talk(port), 'ECONNREFUSED');
  assert.is(await box.ok('port', 'web'), `80/tcp -> 127.0.0.1:${taken}`);
  await box.ok('port', 'add', 'web', `127.0.0.1:${port}:80`);
  assert.is(await get(`http://127.0.0.1:${port}/`), HELLO);
  await box.ok('port', 'rm', 'web', `127.0.0.1:${port}:80`);
  assert.is(await talk(port), 'ECONNREFUSED');
});

test('who has the port on IPv6 alone does not keep it from IPv4', async () => {
  const box = await busybox();
  const port = await freePort();
  await box.ok('run', '-d', '--name', 'six', '-p', `[::]:${port}:80`, 'busybox', 'sh', '-c', HTTPD);
  await web();
  await box.ok('port', 'add', 'web', `${port}:80`);
  assert.is(await get(`http://127.0.0.1:${port}/`), HELLO);
  assert.is(await box.ok('port', 'web'), `80/tcp -> 0.0.0.0:${port}`);
  await box.ok('port', 'rm', 'web', `${port}:80`);
  assert.is(await talk(port), 'ECONNREFUSED');
});

test('where nobody listens, or on 127.0.0.1 alone, the client is told at once', async () => {
  const box = await busybox();
  const [port, hidden] = [await freePort(), await freePort()];
  const publish = ['-p', `127.0.0.1:${port}:81`, '-p', `127.0.0.1:${hidden}:82`];
  const id = await box.ok('run', '-d', ...publish, 'busybox', 'httpd', '-f', '-p', '127.0.0.1:82');
  await eventually(5000, 'the server', async () => {
    const own = await box('exec', id, 'sh', '-c', 'nc -w 1 127.0.0.1 82 </dev/null');
    return own.code === 0;
  });
  for (const to of [port, hidden]) assert.is(await talk(to, 'GET / HTTP/1.0\r\n\r\n'), 'ECONNRESET');
});

test('proxy=v2: the server is told who the client is', async () => {
  const box = await busybox();
  const port = await freePort();
  const serve = 'exec nc -ll -p 80 -e cat';
  await box.ok('run', '-d', '-p', `127.0.0.1:${port}:80,proxy=v2`, 'busybox', 'sh', '-c', serve);
  const heard = await eventually(5000, 'an answer', async () => {
    const said = await talk(port, 'payload');
    return said.endsWith('payload') && said;
  });
  const bytes = Buffer.from(heard, 'latin1');
  assert.is(bytes.subarray(0, 12).toString('hex'), '0d0a0d0a000d0a515549540a');
  assert.equal([...bytes.subarray(12, 24)], [0x21, 0x11, 0, 12, 127, 0, 0, 1, 127, 0, 0, 1]);
  assert.is(bytes.readUInt16BE(26), port);
  assert.is(bytes.subarray(28).toString(), 'payload');
});

test('one end of a connection may end before the other', async () => {
  const box = await busybox();
  const port = await freePort();
  const count = 'exec nc -ll -p 80 -e sh -c "wc -c"';
  await box.ok('run', '-d', '-p', `127.0.0.1:${port}:80`, 'busybox', 'sh', '-c', count);
  const text = 'x'.repeat(3_000_000);
  const answer = await eventually(10_000, 'an answer', async () => {
    const said = await talk(port, text);
    return /^\d/.test(said) && said;
  });
  assert.is(answer.trim(), '3000000');
});

test('a forwarder that is killed is missed, and comes back', async () => {
  const box = await busybox();
  const port = await freePort();
  await web('-p', `127.0.0.1:${port}:80`);
  await get(`http://127.0.0.1:${port}/`);
  const [pid = 0] = forwarders();
  process.kill(pid, 'SIGKILL');
  await eventually(3000, 'its end', () => !forwarders().includes(pid));
  const told = await box('port', 'web');
  assert.match(told.stderr, /the port forwarder of web is gone/);
  await box.ok('port', 'add', 'web');
  assert.is(await get(`http://127.0.0.1:${port}/`), HELLO);
});

test('a port that somebody took meanwhile comes back when it is free again', async () => {
  const box = await busybox();
  const [first, second] = [await freePort(), await freePort()];
  await web('-p', `127.0.0.1:${first}:80`, '-p', `127.0.0.1:${second}:80`);
  await get(`http://127.0.0.1:${first}/`);
  const [pid = 0] = forwarders();
  process.kill(pid, 'SIGKILL');
  await eventually(3000, 'its end', () => !forwarders().includes(pid));
  const other = createServer().listen(second, '127.0.0.1');
  await new Promise(resolve => other.once('listening', resolve));
  await box.fails(125, new RegExp(`port 127.0.0.1:${second}`), 'port', 'add', 'web');
  await new Promise(resolve => other.close(resolve));
  await box.ok('port', 'add', 'web');
  for (const port of [first, second]) assert.is(await get(`http://127.0.0.1:${port}/`), HELLO);
});

test('a supervisor that is killed takes the forwarder along, and the port is free', async () => {
  const box = await busybox();
  const port = await freePort();
  const id = await web('-p', `127.0.0.1:${port}:80`);
  await get(`http://127.0.0.1:${port}/`);
  const supervisor = readdirSync('/proc').find(pid => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8').startsWith(`tsbox: supervise ${id}`);
    } catch {
      return false;
    }
  });
  process.kill(Number(supervisor), 'SIGKILL');
  await eventually(3000, 'the forwarder gone', () => forwarders().length === 0);
  assert.is(await talk(port), 'ECONNREFUSED');
  await box.ok('rm', '-f', 'web');
});

test('the forwarder has no capability and few system calls, and is small', async () => {
  await web('-p', `127.0.0.1:${await freePort()}:80`);
  const [pid = 0] = forwarders();
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  assert.match(status, /^CapPrm:\s*0000000000000000$/m);
  assert.match(status, /^CapEff:\s*0000000000000000$/m);
  assert.match(status, /^NoNewPrivs:\s*1$/m);
  assert.match(status, /^Seccomp:\s*2$/m);
  const rss = Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1]);
  assert.ok(rss < 2048, `${rss} kB resident`);
});

test.run();
