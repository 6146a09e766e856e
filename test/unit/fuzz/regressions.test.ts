import { readdirSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { decode, encode, readCorpus } from '../../fuzz/corpus.ts';
import { Chance, mutate } from '../../fuzz/mutate.ts';
import { allowed, TARGETS } from '../../fuzz/targets.ts';

/** The inputs that once broke a parser, and those that reach the most of its code. */
const test = suite('fuzz: kept inputs');
const names = Object.keys(TARGETS);

for (const name of names) {
  test(`${name}: seeds, corpus and what once broke it`, async () => {
    const target = TARGETS[name];
    const kept = [...readCorpus('regressions', name), ...readCorpus('corpus', name)];
    for (const input of [...(target?.seeds ?? []), ...kept]) await target?.run(input);
    assert.ok(readCorpus('corpus', name).length > 0, 'it has a corpus');
  });
}

test('every kept file belongs to a target', () => {
  for (const kind of ['corpus', 'regressions'])
    for (const file of readdirSync(new URL(`../../fuzz/${kind}`, import.meta.url)))
      assert.ok(names.includes(file.replace(/\.txt$/, '')), `${kind}/${file}`);
});

test('the fuzzer can fail: what is thrown is a finding, a refusal is not', () => {
  assert.throws(() => allowed(() => JSON.parse('{')), SyntaxError);
  assert.throws(() => allowed(() => decodeURIComponent('%')), URIError);
  allowed(() => {});
});

test('changed inputs are repeatable, different and not too long', () => {
  const input = Buffer.from('some input');
  const all = (seed: number) => {
    const chance = new Chance(seed);
    return Array.from({ length: 200 }, () =>
      mutate(input, Buffer.from('other'), ['word'], chance, 50).toString('hex'),
    );
  };
  assert.equal(all(1), all(1));
  assert.ok(new Set([...all(1), ...all(2)]).size > 300);
  assert.ok(all(3).every(hex => hex.length <= 100));
});

test('an input is written and read back', () => {
  for (const input of [Buffer.alloc(0), Buffer.alloc(1024), Buffer.from('\0\xff\n', 'latin1')])
    assert.equal(decode(encode(input)), input);
});

test.run();
