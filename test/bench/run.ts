import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmodSync, chownSync, existsSync, mkdirSync, mkdtempSync, readFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { statusOf, TSBOX } from '../support/cli.ts';
import { ensureDebianRootfs } from '../support/debian.ts';
import { busyboxImage, layerWith, SHELL_CONFIG } from '../support/images.ts';
import { push } from '../support/push.ts';
import { startRegistry } from '../support/registry.ts';
import { DEBIAN_ROOTFS } from '../support/requires.ts';
import { singleFile } from '../support/runner/single-file.ts';
import { removeTree, stageFor, workBase } from '../support/runner/tree.ts';
import { makeUser, removeUser } from '../support/runner/users.ts';
import { sealedEnv } from '../support/sealed-env.ts';
import { cases, type Scene } from './cases.ts';
import { cgroupRows } from './cgroup.ts';
import { libraryRows } from './library.ts';
import { call, HEAD, measure, row } from './measure.ts';
import { memoryRow } from './memory.ts';
import { networkRows } from './networks.ts';
import { setUpPeers } from './peers.ts';
import { portRows } from './ports.ts';
import { psLoadRow } from './ps-load.ts';
import { psRow } from './ps-many.ts';
import { statsRow } from './stats.ts';
import { wallRows } from './walls.ts';

/**
 * `npm run bench [-- FILTER…]`: tsbox beside podman, crun and bubblewrap, where they are installed, on the same work in one
 * run, in turn. Prints a Markdown table of medians and ratios. Times of different runs are not comparable; ratios are.
 * Root has it done by a normal user made for the purpose.
 */
const script = fileURLToPath(import.meta.url);
const project = dirname(dirname(dirname(script)));
const filters = process.argv.slice(2);
const say = (line: string): void => void process.stdout.write(`${line}\n`);

/** crun refuses to run on a machine with hybrid cgroups; where it cannot see the second hierarchy, it does. */
const HIDE_HYBRID = 'umount -l /sys/fs/cgroup/unified 2>/dev/null; exec "$@"';

async function asNormalUser(): Promise<number> {
  const problem = ensureDebianRootfs();
  if (problem) say(problem);
  const workDir = mkdtempSync(join(workBase(), 'tsbox-b'));
  chmodSync(workDir, 0o711);
  const user = makeUser('ranges', workDir);
  // short: below a long home podman's sockets do not work, and each of its commands waits for twenty seconds
  const home = mkdtempSync(join(workBase(), 'b'));
  const stop = (): void => {
    removeUser(user);
    removeTree(workDir);
    removeTree(home);
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(130));
  process.on('exit', stop);
  const stage = stageFor([user], project, workDir);
  chownSync(home, user.uid, user.gid);
  const bench = [stage.node, '--import', 'tsx', join(stage.root, 'test/bench/run.ts'), ...filters];
  const become = ['setpriv', `--reuid=${user.uid}`, `--regid=${user.gid}`, '--clear-groups', '--', ...bench];
  const inPure = [join(stage.root, 'test/bench/cgroup-v2.sh'), `${user.uid}`, `${user.gid}`, ...bench];
  const where = filters.includes('cgroup') ? inPure : ['sh', '-c', HIDE_HYBRID, 'sh', ...become];
  const child = spawn('unshare', ['--mount', ...where], {
    cwd: stage.root,
    env: { ...sealedEnv(home, user.name), ...ownSettings(), TSBOX_TEST_HOME: home },
    stdio: 'inherit',
  });
  return statusOf(child);
}

/** TSBOX_BENCH_SECONDS and the like are for us: nothing else of the caller's environment reaches the user. */
const ownSettings = (): Record<string, string> =>
  Object.fromEntries(
    Object.entries(process.env).flatMap(([name, value]) =>
      name.startsWith('TSBOX_BENCH_') && value !== undefined ? [[name, value]] : [],
    ),
  );

async function bench(): Promise<void> {
  const made = process.env.TSBOX_TEST_HOME === undefined;
  const home = process.env.TSBOX_TEST_HOME ?? mkdtempSync(join(workBase(), 'b'));
  process.env.TSBOX_TEST_HOME = home;
  mkdirSync(join(home, 'run'), { recursive: true, mode: 0o700 });
  const env = sealedEnv(home, userInfo().username);
  const registry = await startRegistry();
  try {
    const loads = isWanted('load') ? await pushLoads(registry) : [];
    await table(await setScene(env, registry), loads);
  } finally {
    await registry.stop();
    if (made) removeTree(home);
  }
}

type Registry = Awaited<ReturnType<typeof startRegistry>>;

async function setScene(env: Record<string, string>, registry: Registry): Promise<Scene> {
  const image = busyboxImage();
  await push(registry, 'bench/busybox', 'latest', image);
  const debian = existsSync(DEBIAN_ROOTFS) && apart() === undefined;
  if (debian) await pushDebian(registry);
  const peers = setUpPeers(env, registry.host, image.layers[0] ?? Buffer.alloc(0));
  const name = (repository: string): string => `${registry.host}/bench/${repository}`;
  return {
    env,
    peers,
    exe: existsSync(singleFile(project)) ? singleFile(project) : undefined,
    busybox: name('busybox'),
    debian: debian ? name('debian') : undefined,
    fiveLayers: debian ? name('five') : undefined,
  };
}

async function pushDebian(registry: Registry): Promise<void> {
  const base = readFileSync(DEBIAN_ROOTFS);
  await push(registry, 'bench/debian', 'latest', { layers: [base], config: SHELL_CONFIG });
  const layers = [base, ...[1, 2, 3, 4].map(textLayer)];
  await push(registry, 'bench/five', 'latest', { layers, config: SHELL_CONFIG });
}

const isWanted = (name: string): boolean => filters.length === 0 || filters.includes(name);

/** Four images that have nothing in common. */
async function pushLoads(registry: Registry): Promise<string[]> {
  const names = [1, 2, 3, 4].map(i => `bench/load${i}`);
  for (const [i, name] of names.entries())
    await push(registry, name, 'latest', {
      layers: [1, 2, 3].map(n => textLayer(10 * i + n)),
      config: SHELL_CONFIG,
    });
  return names.map(name => `${registry.host}/${name}`);
}

/** 300 files of 50 kB that compress to about a half. */
function textLayer(number: number): Buffer {
  const file = (i: number): string => randomBytes(25_000).toString('hex') + i;
  const names = Array.from({ length: 300 }, (_, i) => [`opt/layer${number}/file${i}`, file(i)]);
  return layerWith(Object.fromEntries(names));
}

/** What is run by its name alone. */
const APART: Readonly<Record<string, (scene: Scene) => Promise<string[]>>> = {
  cgroup: cgroupRows,
  ports: ({ env }) => portRows(env),
  networks: networkRows,
  walls: wallRows,
};

const apart = () => (filters.length === 1 ? APART[filters[0] ?? ''] : undefined);

async function table(scene: Scene, loads: readonly string[]): Promise<void> {
  const rows = apart();
  if (rows) {
    for (const line of await rows(scene)) say(line);
    return;
  }
  const tools = [TSBOX, ...(scene.peers.podman ? ['podman'] : [])];
  const quickest = ['--network', 'none', '--name', 'long', scene.busybox, 'sleep', '10000'];
  for (const tool of tools) await call(scene.env, tool, 'run', '-d', ...quickest);
  for (const line of HEAD) say(line);
  for (const work of cases(scene)) {
    if (filters.length > 0 && !filters.some(f => work.name.includes(f))) continue;
    try {
      say(row(work, await measure(work)));
    } catch (error) {
      say(`${work.name}: ${(error as Error).message}`);
    }
  }
  if (loads.length > 0) say(await psLoadRow(scene, loads));
  say(memoryRow());
  if (isWanted('ps')) say(await psRow(scene));
  if (isWanted('stats')) say(await statsRow(scene));
  if (isWanted('library')) for (const line of await libraryRows(scene)) say(line);
  for (const tool of tools) await call(scene.env, tool, 'rm', '-f', 'long');
}

if (process.getuid?.() === 0) process.exitCode = await asNormalUser();
else await bench();
