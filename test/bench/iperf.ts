import { spawn } from 'node:child_process';
import { collect } from '../support/cli.ts';
import { call, type Env } from './measure.ts';

/**
 * Seconds that each way is measured for, in slices: which processor each process lands on changes the throughput of three processes on two
 * processors by half, and stays as it is for as long as one iperf3 runs.
 */
const SECONDS = Number(process.env.TSBOX_BENCH_SECONDS ?? 6);
const SLICE = 2;
const SLICES = Math.max(3, Math.ceil(SECONDS / SLICE));

/** One stream; `-R` in `more`: from the server to the client. `words`: how a program is started where the client is. */
export async function gigabits(
  env: Env,
  words: readonly string[],
  server: readonly string[],
  more: readonly string[],
): Promise<number> {
  const [program = '', ...args] = [...words, 'iperf3', '-J', '-c', ...server, '-t', String(SLICE), ...more];
  const { end } = JSON.parse(await call(env, program, ...args)) as {
    end: { sum_received: { bits_per_second: number } };
  };
  return end.sum_received.bits_per_second / 1e9;
}

/** Means by name. Each round begins at the other end of the list: who comes first has no advantage. */
export async function inTurn<T extends { readonly name: string }>(
  ways: readonly T[],
  work: (way: T) => Promise<number>,
  rounds = SLICES,
): Promise<Map<string, number>> {
  const all = new Map<string, number[]>(ways.map(way => [way.name, []]));
  for (let round = 0; round < rounds; round++)
    for (const way of round % 2 ? [...ways].reverse() : ways) all.get(way.name)?.push(await work(way));
  return new Map([...all].map(([name, list]) => [name, list.reduce((sum, n) => sum + n, 0) / list.length]));
}

/** Two cells, `0.95` and `≥ 0.90 ✓`: ours to theirs, and what it should be. */
export function verdict(
  ours: number | undefined,
  theirs: number | undefined,
  atLeast: number | undefined,
): string {
  const ratio = (ours ?? Number.NaN) / (theirs ?? Number.NaN);
  if (atLeast === undefined) return `${ratio.toFixed(2)} | `;
  return `${ratio.toFixed(2)} | ≥ ${atLeast.toFixed(2)} ${ratio >= atLeast ? '✓' : '✗'}`;
}

/** A process that says a line when it is ready and stays until its stdin ends. Resolves with that line. */
export async function standing(
  env: Env,
  program: string,
  ...args: string[]
): Promise<{ line: string; stop: () => Promise<void> }> {
  const child = spawn(program, args, { env, cwd: env.HOME, stdio: ['pipe', 'pipe', 'pipe'] });
  const errors = collect(child.stderr);
  const ended = new Promise<void>(resolve => child.once('close', () => resolve()));
  const first = new Promise<string>((resolve, reject) => {
    let text = '';
    child.stdout.on('data', (chunk: Buffer) => {
      text += chunk;
      if (text.includes('\n')) resolve(text.trim());
    });
    child.once('close', () => reject(new Error(`${program} ended: ${errors()}`)));
  });
  const stop = async (): Promise<void> => {
    child.stdin.end();
    await ended;
  };
  return { line: await first, stop };
}
