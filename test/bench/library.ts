import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import type { Sandbox, Tsbox } from '../../src/index.ts';
import { PROJECT } from '../support/source.ts';
import type { Scene } from './cases.ts';
import { call, type Env } from './measure.ts';

/** What programs get that import the package: run, warm containers, their forks, many of them. */
const NONE = { network: 'none', autoRemove: true } as const;

interface Times {
  readonly p50: number;
  readonly p99: number;
}

/** Works take turns, so that a slow moment of the machine hits all of them; the first two rounds warm up. */
async function inTurn(rounds: number, works: Record<string, () => Promise<unknown>>) {
  const lists = new Map<string, number[]>(Object.keys(works).map(name => [name, []]));
  for (let round = -2; round < rounds; round++) {
    for (const [name, work] of Object.entries(works)) {
      const begun = performance.now();
      await work();
      if (round >= 0) lists.get(name)?.push(performance.now() - begun);
    }
  }
  return Object.fromEntries([...lists].map(([name, list]) => [name, timesOf(list)]));
}

function timesOf(list: number[]): Times {
  const sorted = list.toSorted((a, b) => a - b);
  const at = (part: number): number =>
    sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0;
  return { p50: at(0.5), p99: at(0.99) };
}

/** Rows of a table of its own: work, tsbox, the other, ratio, target. */
export async function libraryRows(scene: Scene, rounds = 30): Promise<string[]> {
  const { Tsbox } = (await import(join(PROJECT, 'dist/index.js'))) as typeof import('../../src/index.ts');
  Object.assign(process.env, scene.env);
  const tsbox = await Tsbox.open();
  await tsbox.pull(scene.busybox);
  await using box = await tsbox.sandbox({ image: scene.busybox });
  return [
    '| library, in process | p50 ms | p99 ms | beside | p50 ms | ratio | target |',
    '| --- | ---: | ---: | --- | ---: | ---: | ---: |',
    ...(await single(tsbox, box, scene, rounds)),
    await storm(tsbox, scene.busybox),
    await idle(tsbox, scene.busybox),
  ];
}

const line = (work: string, us: Times, other: string, them: Times | undefined, target: string): string => {
  const beside = them ? `${other} | ${them.p50.toFixed(1)} | ${(us.p50 / them.p50).toFixed(2)}` : ' | | ';
  return `| ${work} | ${us.p50.toFixed(1)} | ${us.p99.toFixed(1)} | ${beside} | ${target} |`;
};

async function single(tsbox: Tsbox, box: Sandbox, scene: Scene, rounds: number): Promise<string[]> {
  const { env, peers } = scene;
  const run = () => tsbox.capture({ ...NONE, image: scene.busybox, command: ['true'] });
  const fork = async () => {
    for (const one of await box.fork()) await one.close();
  };
  const ours = { run, exec: () => box.exec(['true']) };
  const t = await inTurn(rounds, { ...ours, ...peerWorks(env, peers) });
  const forks = await inTurn(rounds, { run, fork });
  return [
    line('`run` of `true`', t.run as Times, 'crun, prepared bundle', t.crun, '≤ 1.60'),
    line('`Sandbox.exec` of `true`', t.exec as Times, 'bubblewrap, whole run', t.bwrap, '≤ 1.00, p99 ≤ 3.00'),
    line('`fork(1)`, then `close`', forks.fork as Times, '`run`', forks.run, '≤ 1.30'),
  ];
}

function peerWorks(env: Env, peers: Scene['peers']): Record<string, () => Promise<unknown>> {
  const { bundle, bwrap, rootfs } = peers;
  let count = 0;
  const crun = () =>
    call(env, 'crun', '--cgroup-manager=disabled', 'run', '-b', bundle ?? '', `library${count++}`);
  const words = ['--unshare-all', '--bind', rootfs, '/', '--proc', '/proc', '--dev', '/dev', '/bin/true'];
  return {
    ...(bundle !== undefined && { crun }),
    ...(bwrap && { bwrap: () => call(env, 'bwrap', ...words) }),
  };
}

/** Made, used once and removed, eight at a time. */
async function storm(tsbox: Tsbox, image: string): Promise<string> {
  const count = Number(process.env.TSBOX_BENCH_SANDBOXES ?? 1000);
  let left = count;
  const lane = async () => {
    while (left-- > 0) {
      await using one = await tsbox.sandbox({ image });
      await one.exec(['true']);
    }
  };
  const before = process.memoryUsage.rss();
  const begun = performance.now();
  await Promise.all(Array.from({ length: 8 }, lane));
  const rate = (count * 1000) / (performance.now() - begun);
  const grown = (process.memoryUsage.rss() - before) / 2 ** 20;
  return `| ${count} sandboxes made, used, removed | | | ${rate.toFixed(0)} a second, ${grown.toFixed(0)} MiB more in this process | | | ≥ 100 a second |`;
}

/** Proportional set sizes of all processes of idle sandboxes. */
async function idle(tsbox: Tsbox, image: string): Promise<string> {
  const count = Number(process.env.TSBOX_BENCH_IDLE ?? 100);
  const boxes: Sandbox[] = [];
  for (let i = 0; i < count; i += 10)
    boxes.push(...(await Promise.all(Array.from({ length: 10 }, () => tsbox.sandbox({ image })))));
  const states = await tsbox.containers();
  const pss = boxes.reduce((sum, { id }) => {
    const pid = states.find(s => s.id === id)?.pid ?? 0;
    return sum + (pid ? pssOf(pid) + pssOf(parentOf(pid)) : 0);
  }, 0);
  await Promise.all(boxes.map(box => box.close()));
  return `| ${count} idle sandboxes | | | ${(pss / count / 1024).toFixed(2)} MB PSS each | | | ≤ 2.5 MB |`;
}

const parentOf = (pid: number): number =>
  Number(/^PPid:\s*(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0);

/** KiB. Pid 1 is not dumpable, and shows its own to root alone: what it shares with its parent is taken twice then. */
function pssOf(pid: number): number {
  try {
    return Number(/^Pss:\s*(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1] ?? 0);
  } catch {
    return Number(/^VmRSS:\s*(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0);
  }
}
