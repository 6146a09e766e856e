import { spawn, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { collect, statusOf, TSBOX } from '../support/cli.ts';
import { median } from '../support/functions.ts';
import { PROJECT } from '../support/source.ts';
import type { Scene } from './cases.ts';
import { call, type Env, measure, type Work } from './measure.ts';

/**
 * `npm run bench -- walls`: a run with every wall of docs/isolation.md beside one with those off that can be switched off, in turn, and what each wall takes
 * by a clock around its operations in the helper (`make -C helpers clocked`). `chrt -f 20 npm run bench -- walls`, as root, on a busy machine.
 */
const ROUNDS = 40;
const RUN = ['run', '--rm', '--network', 'none'];
const TARGET = 2;

/** What can be switched off, off. */
const WITHOUT = [
  ...['--security-opt', 'seccomp=unconfined', '--security-opt', 'systempaths=unconfined'],
  ...['--security-opt', 'userns=allow', '--ulimit', 'core=-1'],
];
const MORE = ['--security-opt', 'no-new-privileges'];

export async function wallRows(scene: Scene): Promise<string[]> {
  return [...(await together(scene)), '', ...(await each(scene))];
}

async function together({ env, busybox }: Scene): Promise<string[]> {
  const run = (...flags: string[]): Work => ({
    run: async () => void (await call(env, TSBOX, ...RUN, ...flags, busybox, 'true')),
  });
  const tools = { none: run(...WITHOUT), all: run(...MORE), default: run(), privileged: run('--privileged') };
  const all = await measure({ name: 'walls', rounds: ROUNDS, tools });
  const none = all.none ?? Number.NaN;
  const names = { all: 'every wall', default: 'by default', none: 'none', privileged: '`--privileged`' };
  const rows = Object.entries(names).map(([key, name]) => {
    const value = all[key] ?? Number.NaN;
    const met = key === 'all' ? ` (≤ ${TARGET} ms ${value - none <= TARGET ? '✓' : '✗'})` : '';
    return `| ${name} | ${value.toFixed(1)} | ${(value - none).toFixed(1)}${met} | ${(value / none).toFixed(3)} |`;
  });
  return [
    `| \`run --rm --network none busybox true\`, ${ROUNDS} rounds | median, ms | more than with none, ms | ratio |`,
    '| --- | ---: | ---: | ---: |',
    ...rows,
  ];
}

/** Operations of each wall; `last`: of several, the last one belongs to it. */
const WALLS: readonly { name: string; ops: readonly string[]; last?: true }[] = [
  { name: 'system call filter', ops: ['seccomp'] },
  { name: 'masked and read-only paths', ops: ['mask', 'readonly'] },
  { name: 'capabilities: bounding set', ops: ['bound'] },
  { name: 'capabilities: the other sets', ops: ['caps'] },
  { name: 'Landlock', ops: ['landlock'] },
  { name: 'id maps looked at', ops: ['idmap'] },
  { name: 'self-check before exec', ops: ['selfcheck'] },
  { name: 'no user namespaces inside', ops: ['procwrite'], last: true },
  { name: 'session keyring (without the default filter)', ops: ['keyring'] },
  { name: 'limits', ops: ['rlimit'] },
  { name: 'no_new_privs', ops: ['nonewprivs'] },
];

async function each(scene: Scene): Promise<string[]> {
  const helper = clockedHelper(scene.env);
  const taken = new Map<string, number[]>();
  for (let round = 0; round <= ROUNDS; round++) {
    const [usual, other] = [await clocks(scene, helper, MORE), await clocks(scene, helper, WITHOUT)];
    if (round === 0) continue;
    for (const { name, ops, last } of WALLS) {
      const found = ops.flatMap(op => usual.get(op) ?? other.get(op) ?? []);
      const sum = last ? (found.at(-1) ?? 0) : found.reduce((a, b) => a + b, 0);
      taken.set(name, [...(taken.get(name) ?? []), sum / 1000]);
    }
  }
  const rows = [...taken].map(([name, list]) => [name, median(list), Math.min(...list)] as const);
  const total = (at: 1 | 2): string => rows.reduce((sum, row) => sum + row[at], 0).toFixed(0);
  return [
    `| wall, ${ROUNDS} rounds | median, µs | least, µs |`,
    '| --- | ---: | ---: |',
    ...rows.map(([name, middle, least]) => `| ${name} | ${middle.toFixed(0)} | ${least.toFixed(0)} |`),
    `| together | ${total(1)} | ${total(2)} |`,
  ];
}

function clockedHelper({ HOME = '' }: Env): string {
  const dir = join(HOME, 'clocked');
  const done = spawnSync('make', ['-s', '-C', join(PROJECT, 'helpers'), `B=${dir}`, 'clocked'], {
    encoding: 'utf8',
  });
  if (done.status !== 0) throw new Error(`make clocked: ${done.stderr}`);
  return join(dir, 'tsbox-helper-clocked');
}

/** Nanoseconds of each operation of a run, in order. */
async function clocks(
  { env, busybox }: Scene,
  helper: string,
  flags: readonly string[],
): Promise<Map<string, number[]>> {
  const child = spawn(TSBOX, [...RUN, ...flags, busybox, 'true'], {
    env: { ...env, TSBOX_HELPER: helper },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const said = collect(child.stderr);
  if ((await statusOf(child)) !== 0) throw new Error(`run with clocks: ${said()}`);
  const all = new Map<string, number[]>();
  for (const [, op = '', taken] of said().matchAll(/^CLOCK (\w+) (\d+)$/gm))
    all.set(op, [...(all.get(op) ?? []), Number(taken)]);
  return all;
}
