import { spawn } from 'node:child_process';
import { TSBOX } from '../support/cli.ts';
import { which } from '../support/requires.ts';
import type { Scene } from './cases.ts';
import { gigabits, inTurn, standing, verdict } from './iperf.ts';
import { call, type Env, type Medians, measure } from './measure.ts';
import { residentRow } from './memory.ts';

/**
 * Networks beside what they are made of, each pair in one run and in turn: two containers and a bare veth pair, a container's way out
 * and slirp4netns started by hand with the same flags; and what a network adds to `run`.
 */
export async function networkRows(scene: Scene): Promise<string[]> {
  const rows = which('iperf3') ? await throughput(scene.env) : ['networks: iperf3 is not installed'];
  return [...rows, '', ...(await readiness(scene))];
}

interface Way {
  readonly name: string;
  /** How a program is started on the client's side. */
  readonly words: readonly string[];
  readonly server: readonly string[];
  readonly mtu: string;
  readonly stop: () => Promise<unknown>;
}

async function throughput(env: Env): Promise<string[]> {
  return [
    '| Gbit/s, iperf3, one stream | MTU | there | back | there, ratio | target | back, ratio | target |',
    '| --- | ---: | ---: | ---: | ---: | --- | ---: | --- |',
    ...(await compared(env, await containers(env), await barePair(env), 0.9)),
    ...(await withHostServer(env)),
  ];
}

async function withHostServer(env: Env): Promise<string[]> {
  const server = spawn('iperf3', ['-s', '-B', '127.0.0.1', '-p', HOST_PORT], { env, stdio: 'ignore' });
  const ended = new Promise(resolve => server.once('exit', resolve));
  try {
    return await compared(env, await container(env), await slirpByHand(env), 0.97);
  } finally {
    server.kill();
    await ended;
  }
}

async function compared(env: Env, ours: Way, theirs: Way, target: number): Promise<string[]> {
  try {
    if (ours.mtu !== theirs.mtu)
      throw new Error(`${ours.name} has MTU ${ours.mtu}, ${theirs.name} ${theirs.mtu}`);
    const ways = [ours, theirs];
    for (const way of ways) await gigabits(env, way.words, way.server, ['-t', '1']); // names, neighbours, windows
    const there = await inTurn(ways, way => gigabits(env, way.words, way.server, []));
    const back = await inTurn(ways, way => gigabits(env, way.words, way.server, ['-R']));
    const ratio = (found: Map<string, number>): string =>
      verdict(found.get(ours.name), found.get(theirs.name), target);
    const shown = (name: string, found: Map<string, number>): string => (found.get(name) ?? 0).toFixed(2);
    return ways.map(({ name, mtu }, i) => {
      const ratios = i === 0 ? `${ratio(there)} | ${ratio(back)}` : ' | | | ';
      return `| ${name} | ${mtu} | ${shown(name, there)} | ${shown(name, back)} | ${ratios} |`;
    });
  } finally {
    for (const way of [ours, theirs]) await way.stop();
  }
}

const NETWORK = 'bench-net';
const HOST_PORT = '5298';

async function containers(env: Env): Promise<Way> {
  await call(env, TSBOX, 'network', 'create', NETWORK);
  const run = (name: string, ...command: string[]) =>
    call(env, TSBOX, 'run', '-d', '--network', NETWORK, '--name', name, 'host', ...command);
  await run('bench-server', 'iperf3', '-s');
  await run('bench-client', 'sleep', '100000');
  return {
    name: 'container to container on one network',
    words: [TSBOX, 'exec', 'bench-client'],
    server: ['bench-server'],
    mtu: await call(env, TSBOX, 'exec', 'bench-client', 'cat', '/sys/class/net/eth0/mtu'),
    stop: async () => {
      await call(env, TSBOX, 'rm', '-f', 'bench-server', 'bench-client');
      await call(env, TSBOX, 'network', 'rm', NETWORK);
    },
  };
}

/** Two network namespaces in one user namespace and a pair of interfaces between them; says the pid of the first. */
const PAIR = `
unshare --net sh -c 'exec iperf3 -s >/dev/null' & other=$!
until [ "$(readlink /proc/$other/ns/net)" != "$(readlink /proc/$$/ns/net)" ]; do sleep 0.05; done
ip link add v0 mtu 1500 type veth peer name v1 mtu 1500 netns $other
ip addr add 10.99.0.1/24 dev v0; ip link set v0 up
nsenter -t $other -n sh -c 'ip addr add 10.99.0.2/24 dev v1; ip link set v1 up; ip link set lo up'
echo $$ $(ip -o link show v0 | sed 's/.* mtu \\([0-9]*\\).*/\\1/')
read end; kill $other`;

/** A shell script in a network namespace of its own. */
const apart = (env: Env, script: string) =>
  standing(env, 'unshare', '--user', '--map-root-user', '--net', 'sh', '-c', script);

async function barePair(env: Env): Promise<Way> {
  const { line, stop } = await apart(env, PAIR);
  const [pid = '', mtu = ''] = line.split(' ');
  return { name: 'bare veth pair', words: inside(pid), server: ['10.99.0.2'], mtu, stop };
}

const inside = (pid: string): string[] => ['nsenter', '-t', pid, '-U', '-n', '--preserve-credentials'];

async function container(env: Env): Promise<Way> {
  const network = ['--network', 'slirp4netns:allow_host_loopback=true'];
  await call(env, TSBOX, 'run', '-d', ...network, '--name', 'bench-out', 'host', 'sleep', '100000');
  return {
    name: 'container to host',
    words: [TSBOX, 'exec', 'bench-out'],
    server: ['10.0.2.2', '-p', HOST_PORT],
    mtu: await call(env, TSBOX, 'exec', 'bench-out', 'cat', '/sys/class/net/tap0/mtu'),
    stop: () => call(env, TSBOX, 'rm', '-f', 'bench-out'),
  };
}

/** With the flags that tsbox gives it. */
const SLIRP = '--configure --mtu=65520 --enable-sandbox --enable-seccomp --ready-fd=3 --exit-fd=0';

async function slirpByHand(env: Env): Promise<Way> {
  const spot = await apart(env, 'echo $$; read end');
  const start = `slirp4netns ${SLIRP} ${spot.line} tap0 3>&1 >/dev/null`;
  const slirp = await standing(env, 'sh', '-c', `${start} | { head -c 1; echo; cat >/dev/null; }`);
  const mtu = await call(env, ...(inside(spot.line) as [string]), 'ip', '-o', 'link', 'show', 'tap0');
  return {
    name: 'slirp4netns by hand',
    words: inside(spot.line),
    server: ['10.0.2.2', '-p', HOST_PORT],
    mtu: /mtu (\d+)/.exec(mtu)?.[1] ?? '',
    stop: async () => {
      await slirp.stop();
      await spot.stop();
    },
  };
}

const ADDS_MS = 15;

/** `run --rm` of `true` with each network beside none. A network that has a container already, and one of which it is the first. */
async function readiness({ env, busybox }: Scene): Promise<string[]> {
  const tsbox = async (...args: string[]): Promise<void> => void (await call(env, TSBOX, ...args));
  const run = (network: string) => ({
    run: () => tsbox('run', '--rm', '--network', network, busybox, 'true'),
  });
  for (const name of ['bench-used', 'bench-first']) await tsbox('network', 'create', name);
  await tsbox('run', '-d', '--network', 'bench-used', '--name', 'bench-holds', busybox, 'sleep', '100000');
  const tools = {
    none: run('none'),
    slirp4netns: run('slirp4netns'),
    'a network in use': run('bench-used'),
    'a network, its first container': run('bench-first'),
  };
  const times = await measure({ name: 'readiness', rounds: 15, tools });
  const holder = residentRow('process of all networks of a user', /^tsbox: network/, 2);
  await tsbox('rm', '-f', 'bench-holds');
  await tsbox('network', 'rm', 'bench-used', 'bench-first');
  return [
    '| `run --rm` of `true` | median, ms | adds, ms | target |',
    '| --- | ---: | ---: | --- |',
    ...Object.keys(tools).map(name => readinessRow(name, times)),
    '',
    holder,
  ];
}

function readinessRow(name: string, times: Medians): string {
  const adds = (times[name] ?? Number.NaN) - (times.none ?? Number.NaN);
  const target = name === 'none' ? ' | ' : `${adds.toFixed(1)} | ≤ ${ADDS_MS} ${adds <= ADDS_MS ? '✓' : '✗'}`;
  return `| network ${name} | ${times[name]?.toFixed(1)} | ${target} |`;
}
