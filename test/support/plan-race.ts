import { helperPath } from '../../src/host/binaries.ts';
import { defaultConfig } from '../../src/host/config.ts';
import { chooseMaps } from '../../src/host/idmap.ts';
import { type Op, optional } from '../../src/plan/ops.ts';
import { enter } from '../../src/runtime/enter.ts';
import { swapping } from './attack-program.ts';
import { within } from './within.ts';

/**
 * Walks operations in a user namespace of the caller while `swapped` is exchanged: each operation is one round of what the helper does with
 * a path of a container, thousands of them in a second. None of them has to succeed.
 */
export async function raceOps(cwd: string, swapped: string, before: Op[], rounds: Op[]): Promise<void> {
  const { maps } = await chooseMaps(defaultConfig(), 'auto');
  const race = await swapping(swapped);
  try {
    const plan = [...before, ...rounds.map(optional)];
    const { result } = enter({ helper: helperPath(), cwd, maps }, plan, { name: 'race' });
    await within(120_000, result, 'a race');
  } finally {
    await race.stop();
  }
}
