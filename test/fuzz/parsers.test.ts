import { suite } from 'uvu';
import { note } from '../support/note.ts';
import { fuzz } from './fuzz.ts';
import { TARGETS } from './targets.ts';

/**
 * Every parser of what strangers write, fuzzed with the coverage of its code as guide. FUZZ_SECONDS for each: a second by
 * default, 60 with --long. In CI 60 for what a registry sends before anything of it is trusted, and a sixth of it for the
 * others. A finding prints the input as a line for `regressions/`.
 */
const test = suite('fuzz: parsers');
const isLong = Boolean(process.env.TSBOX_TEST_LONG);
const all = Number(process.env.FUZZ_SECONDS ?? (isLong ? 60 : 1));
const FIRST = new Set(['tar', 'pax', 'manifest', 'reference']);
const secondsOf = (name: string): number =>
  isLong || FIRST.has(name) ? all : Math.max(1, Math.round(all / 6));
// What a change is judged by begins the same each time; new ground is for the long run.
const seed = Number(process.env.FUZZ_SEED ?? (isLong ? Date.now() % 2 ** 31 : 1));

for (const name of Object.keys(TARGETS)) {
  test(`${name} refuses or reads whatever comes`, async () => {
    const seconds = secondsOf(name);
    const { inputs, blocks } = await fuzz(name, seconds, seed);
    note(`${name}: ${inputs} inputs in ${seconds} s, ${blocks} blocks reached`);
    if (inputs < 20) throw new Error(`only ${inputs} inputs`);
  });
}

test.run();
