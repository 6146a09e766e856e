import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { TSBOX } from '../support/cli.ts';
import { nginxDirectory } from '../support/nginx.ts';
import { which } from '../support/requires.ts';
import { processesOf } from '../support/runner/leaks.ts';
import { gigabits, inTurn, verdict } from './iperf.ts';
import { call, type Env } from './measure.ts';
import { residentRow } from './memory.ts';

/**
 * Published ports, side by side in one run: `builtin`, slirp4netns' own forwarding, rootlesskit's builtin driver (which is podman's,
 * too), and loopback. The same iperf3 and nginx everywhere, in turn, one stream, means of slices of two seconds. TSBOX_BENCH_SECONDS: of each way, default 6. What is forwarded never
 * passes a tap: all of it is between two loopbacks, whose MTU is the same everywhere.
 */

interface Way {
  readonly name: string;
  readonly iperf: number;
  readonly http?: number;
  readonly stop: () => Promise<unknown>;
}

export async function portRows(env: Env): Promise<string[]> {
  if (!which('iperf3')) return ['ports: iperf3 is not installed'];
  const ways = [await bare(env), await ours(env, 'builtin'), await ours(env, 'slirp4netns')];
  if (which('rootlesskit')) ways.push(await rootlesskit(env));
  try {
    for (const way of ways) await settled(env, way);
    return [
      ...(await throughput(env, ways)),
      ...(await connections(env, ways)),
      residentRow('forwarder', /^tsbox: ports/, 2),
    ];
  } finally {
    for (const way of ways) await way.stop();
  }
}

async function throughput(env: Env, ways: readonly Way[]): Promise<string[]> {
  const at = ({ iperf }: Way): string[] => ['127.0.0.1', '-p', String(iperf)];
  const into = await inTurn(ways, way => gigabits(env, [], at(way), []));
  const out = await inTurn(ways, way => gigabits(env, [], at(way), ['-R']));
  const head = [
    '| Gbit/s, iperf3 | into the container | out of it | builtin / it, into | target | builtin / it, out | target |',
    '| --- | ---: | ---: | ---: | --- | ---: | --- |',
  ];
  const ratio = (found: Map<string, number>, name: string): string =>
    verdict(found.get('builtin'), found.get(name), TARGETS[name]);
  return [
    ...head,
    ...ways.map(({ name }) => {
      const value = (found: Map<string, number>): string => (found.get(name) ?? 0).toFixed(1);
      return `| ${name} | ${value(into)} | ${value(out)} | ${ratio(into, name)} | ${ratio(out, name)} |`;
    }),
  ];
}

const TARGETS: Readonly<Record<string, number>> = { rootlesskit: 1.05, slirp4netns: 3 };
const CONNECTIONS = 5000;

async function connections(env: Env, ways: readonly Way[]): Promise<string[]> {
  if (!which('wrk')) return ['connections: wrk is not installed'];
  const web = ways.filter(way => way.http !== undefined);
  const rates = await inTurn(web, way => connectionsPerSecond(env, way.http ?? 0), 3);
  return web.map(
    ({ name }) =>
      `connections per second, a request each, ${name}: ${(rates.get(name) ?? 0).toFixed(0)}${name === 'builtin' ? ` (≥ ${CONNECTIONS} ${(rates.get(name) ?? 0) >= CONNECTIONS ? '✓' : '✗'})` : ''}`,
  );
}

async function connectionsPerSecond(env: Env, port: number): Promise<number> {
  const url = `http://127.0.0.1:${port}/`;
  const text = await call(env, 'wrk', '-t1', '-c32', '-d2', '-H', 'Connection: close', url);
  return Number(/Requests\/sec:\s+([\d.]+)/.exec(text)?.[1]);
}

async function ours(env: Env, handler: 'builtin' | 'slirp4netns'): Promise<Way> {
  const [iperf, http] = [await freePort(), await freePort()];
  const name = `bench-${handler}`;
  const network = ['--network', `slirp4netns:port_handler=${handler}`];
  const publish = ['-p', `127.0.0.1:${iperf}:5201`, '-p', `127.0.0.1:${http}:8080`];
  const files = ['-v', `${webDirectory(env)}:/srv`];
  const servers = which('nginx') ? 'nginx -e stderr -c /srv/nginx.conf & exec iperf3 -s' : 'exec iperf3 -s';
  await call(
    env,
    TSBOX,
    'run',
    '-d',
    '--name',
    name,
    ...network,
    ...publish,
    ...files,
    'host',
    'sh',
    '-c',
    servers,
  );
  const way = { name: handler, iperf, stop: () => call(env, TSBOX, 'rm', '-f', name) };
  return which('nginx') ? { ...way, http } : way;
}

/** A server that answers with a few bytes and closes, with nothing to write to but stderr. */
function webDirectory(env: Env): string {
  const dir = join(env.HOME ?? '', 'bench-web');
  nginxDirectory(dir);
  return dir;
}

async function bare(env: Env): Promise<Way> {
  const iperf = await freePort();
  const server = spawn('iperf3', ['-s', '-p', String(iperf)], { env, stdio: 'ignore' });
  return { name: 'bare loopback', iperf, stop: () => end(server) };
}

async function rootlesskit(env: Env): Promise<Way> {
  const iperf = await freePort();
  const flags = ['--net=slirp4netns', '--disable-host-loopback', '--port-driver=builtin', '--mtu=65520'];
  const inside = ['iperf3', '-s', '-p', '5201'];
  const server = spawn('rootlesskit', [...flags, `--publish=127.0.0.1:${iperf}:5201/tcp`, ...inside], {
    env,
    stdio: 'ignore',
    detached: true,
  });
  return { name: 'rootlesskit', iperf, stop: () => end(server) };
}

/** With what it has started: rootlesskit's parent leaves its child to end by itself. */
async function end(server: ChildProcess): Promise<void> {
  const ended = new Promise(resolve => server.once('exit', resolve));
  const pid = server.pid ?? 0;
  const mine = processesOf(owner => owner === process.getuid?.());
  for (const child of mine.filter(p => parentOf(p.pid) === pid)) process.kill(child.pid, 'SIGTERM');
  server.kill();
  await ended;
}

function parentOf(pid: number): number {
  try {
    return Number(/\) \S (\d+)/.exec(readFileSync(`/proc/${pid}/stat`, 'utf8'))?.[1]);
  } catch {
    return 0;
  }
}

async function settled(env: Env, way: Way): Promise<void> {
  for (let left = 50; left > 0; left--) {
    const asked = await call(env, 'iperf3', '-c', '127.0.0.1', '-p', String(way.iperf), '-n', '1').then(
      () => true,
      () => false,
    );
    if (asked) return;
    await new Promise(resolve => setTimeout(resolve, 100));
  }
  throw new Error(`${way.name} does not answer`);
}

function freePort(): Promise<number> {
  return new Promise(resolve => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });
}
