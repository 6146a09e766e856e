import { spawn } from 'node:child_process';
import { performance } from 'node:perf_hooks';
import { collect, statusOf } from '../support/cli.ts';
import { median } from '../support/functions.ts';

export type Env = Readonly<Record<string, string>>;

/** One piece of work as each tool does it; `before` is not timed. */
export interface Case {
  readonly name: string;
  /** Rounds; in each, every tool takes its turn. */
  readonly rounds: number;
  readonly tools: Readonly<Record<string, Work>>;
  /** Greatest ratio to podman that we want to reach. */
  readonly target?: number;
  /** What goes through it: shown as MB/s, too. */
  readonly megabytes?: number;
  /** The same for the single-file executable. */
  readonly singleTarget?: number;
}

/** The name of the single-file executable among the tools. */
export const SINGLE = 'single file';

export interface Work {
  readonly before?: (round: number) => Promise<void>;
  readonly run: (round: number) => Promise<void>;
}

/** Medians in milliseconds. */
export type Medians = Readonly<Record<string, number>>;

/** Tools take turns, so that a slow moment of the machine hits all of them. The first round warms caches and is dropped. */
export async function measure(work: Case): Promise<Medians> {
  const times = new Map<string, number[]>();
  for (let round = 0; round <= work.rounds; round++) {
    for (const [tool, { before, run }] of Object.entries(work.tools)) {
      await before?.(round);
      await settled();
      const begun = performance.now();
      await run(round);
      const took = performance.now() - begun;
      if (round > 0) times.set(tool, [...(times.get(tool) ?? []), took]);
    }
  }
  return Object.fromEntries([...times].map(([tool, list]) => [tool, median(list)]));
}

/**
 * The kernel takes a network namespace apart after its last process has gone, for some 30 ms and with locks that a new one
 * needs (cleanup_net): that belongs to the tool before, not to the next.
 */
const settled = (): Promise<void> => new Promise(resolve => setTimeout(resolve, 200));

/** Runs a program to its end; rejects with its words when it fails. Returns its stdout. */
export async function call(env: Env, program: string, ...args: string[]): Promise<string> {
  const child = spawn(program, args, { env, cwd: env.HOME, stdio: ['ignore', 'pipe', 'pipe'] });
  const [out, err] = [collect(child.stdout), collect(child.stderr)];
  const status = await statusOf(child);
  if (status !== 0) throw new Error(`${program} ${args.join(' ')}: status ${status}: ${err()}`);
  return out().trim();
}

const ms = (value: number | undefined): string =>
  value === undefined
    ? ''
    : value < 100
      ? value.toFixed(1)
      : value < 2000
        ? value.toFixed(0)
        : `${(value / 1000).toFixed(2)} s`;

export const COLUMNS = ['tsbox', SINGLE, 'podman', 'crun', 'bwrap'];
export const HEAD = [
  `| work (median, ms) | ${COLUMNS.join(' | ')} | tsbox / podman | target | ${SINGLE} / podman | target |`,
  `| --- |${' ---: |'.repeat(COLUMNS.length)} ---: | ---: | ---: | ---: |`,
];

const shown = (value: number | undefined, megabytes: number | undefined): string =>
  value === undefined || megabytes === undefined
    ? ms(value)
    : `${ms(value)} (${Math.round((megabytes * 1000) / value)} MB/s)`;

export function row(work: Case, medians: Medians): string {
  const cells = [
    ...besidePodman(medians.tsbox, medians, work.target),
    ...besidePodman(medians[SINGLE], medians, work.singleTarget),
  ];
  return `| ${[work.name, ...COLUMNS.map(tool => shown(medians[tool], work.megabytes)), ...cells].join(' | ')} |`;
}

/** The ratio, and what it should be. */
function besidePodman(ours: number | undefined, medians: Medians, target: number | undefined): string[] {
  const ratio = (ours ?? Number.NaN) / (medians.podman ?? Number.NaN);
  const known = Number.isFinite(ratio);
  const met = target === undefined || !known ? '' : ratio <= target ? ' ✓' : ' ✗';
  return [known ? ratio.toFixed(2) : '', target === undefined ? '' : `≤ ${target.toFixed(2)}${met}`];
}
