import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { TSBOX } from '../support/cli.ts';
import { removeTree } from '../support/runner/tree.ts';
import type { Scene } from './cases.ts';
import { call, type Env, measure } from './measure.ts';

const [FEW, MANY] = [5, 500];
const BATCH = 10;
const TARGET = 2;

/** `ps -a` of five hundred containers beside `ps -a` of five, each in a store of its own, in turn. */
export async function psRow({ env }: Scene): Promise<string> {
  const stores = await Promise.all([FEW, MANY].map(count => storeWith(env, count)));
  const [few, many] = stores.map(store => ({
    run: async () => void (await call(store.env, TSBOX, 'ps', '-a')),
  }));
  if (!few || !many) return '';
  const times = await measure({ name: 'ps', rounds: 15, tools: { few, many } });
  for (const { dir } of stores) removeTree(dir);
  const ratio = (times.many ?? 0) / (times.few ?? 1);
  const verdict = `≤ ${TARGET.toFixed(2)} ${ratio <= TARGET ? '✓' : '✗'}`;
  return `\n\`ps -a\` of ${MANY}: ${times.many?.toFixed(0)} ms, of ${FEW}: ${times.few?.toFixed(0)} ms; ratio ${ratio.toFixed(2)}, ${verdict}`;
}

async function storeWith(env: Env, count: number): Promise<{ dir: string; env: Env }> {
  const dir = join(env.HOME ?? '', `ps${count}`);
  mkdirSync(join(dir, 'run'), { recursive: true, mode: 0o700 });
  const own = { ...env, TSBOX_ROOT: join(dir, 'root'), TSBOX_RUNTIME_DIR: join(dir, 'run') };
  const create = () =>
    call(own, TSBOX, 'create', '--network', 'none', '--storage-driver', 'host', 'host', 'true');
  for (let made = 0; made < count; made += BATCH)
    await Promise.all(Array.from({ length: Math.min(BATCH, count - made) }, create));
  return { dir, env: own };
}
