import { spawn } from 'node:child_process';
import { collect } from '../support/cli.ts';
import { median } from '../support/functions.ts';
import { call, type Env } from './measure.ts';

/** Seconds of one iperf3. */
const SECONDS = process.env.TSBOX_BENCH_SECONDS ?? '2';
const ROUNDS = 3;

/** One stream; `-R` in `more`: from the server to the client. `words`: how a program is started where the client is. */
export async function gigabits(
  env: Env,
  words: readonly string[],
  server: readonly string[],
  more: readonly string[],
): Promise<number> {
  const [program = '', ...args] = [...words, 'iperf3', '-J', '-c', ...server, '-t', SECONDS, ...more];
  const { end } = JSON.parse(await call(env, program, ...args)) as {
    end: { sum_received: { bits_per_second: number } };
  };
  return end.sum_received.bits_per_second / 1e9;
}

/** Medians by name. Each round begins at the other end of the list: who comes first has no advantage. */
export async function inTurn<T extends { readonly name: string }>(
  ways: readonly T[],
  work: (way: T) => Promise<number>,
): Promise<Map<string, number>> {
  const all = new Map<string, number[]>(ways.map(way => [way.name, []]));
  for (let round = 0; round < ROUNDS; round++)
    for (const way of round % 2 ? [...ways].reverse() : ways) all.get(way.name)?.push(await work(way));
  return new Map([...all].map(([name, list]) => [name, median(list)]));
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
