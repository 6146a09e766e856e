import { TSBOX } from '../support/cli.ts';
import type { Scene } from './cases.ts';
import { call, measure } from './measure.ts';

const COUNT = Number(process.env.TSBOX_BENCH_COUNT ?? 100);
const BATCH = 20;
const TARGET = 1.5;

/** `stats --no-stream` of a hundred containers (TSBOX_BENCH_COUNT) beside `ps` of them, in turn. */
export async function statsRow({ env, busybox }: Scene): Promise<string> {
  const tsbox = async (...args: string[]): Promise<void> => void (await call(env, TSBOX, ...args));
  const names = Array.from({ length: COUNT }, (_, i) => `stats${i}`);
  const run = (name: string) =>
    tsbox('run', '-d', '--name', name, '--network', 'none', busybox, 'sleep', '1000');
  for (let first = 0; first < COUNT; first += BATCH)
    await Promise.all(names.slice(first, first + BATCH).map(run));
  const { stats = 0, ps = 1 } = await measure({
    name: 'stats',
    rounds: 15,
    tools: { ps: { run: () => tsbox('ps') }, stats: { run: () => tsbox('stats', '--no-stream') } },
  });
  await tsbox('rm', '-f', ...names);
  const ratio = stats / ps;
  const verdict = `≤ ${TARGET.toFixed(2)} ${ratio <= TARGET ? '✓' : '✗'}`;
  return `\n\`stats --no-stream\` of ${COUNT}: ${stats.toFixed(0)} ms, \`ps\` of them: ${ps.toFixed(0)} ms; ratio ${ratio.toFixed(2)}, ${verdict}`;
}
