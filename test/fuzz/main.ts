import { writeCorpus } from './corpus.ts';
import { fuzz } from './fuzz.ts';
import { TARGETS } from './targets.ts';

/**
 * `node --import tsx test/fuzz/main.ts [SECONDS] [TARGET…]`: fuzzes by hand, longer than the tests do, and keeps in `corpus/`
 * what reached something new.
 */
const [seconds = '30', ...names] = process.argv.slice(2);
const seed = Date.now() % 2 ** 31;
for (const name of names.length > 0 ? names : Object.keys(TARGETS)) {
  const { inputs, blocks, kept } = await fuzz(name, Number(seconds), seed);
  writeCorpus(name, kept);
  process.stdout.write(`${name}: ${inputs} inputs, ${blocks} blocks, ${kept.length} kept, seed ${seed}\n`);
}
