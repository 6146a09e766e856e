import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Engine } from '../../../src/engine/context.ts';
import { percentsNow } from '../../../src/engine/stats-last.ts';
import type { Sample } from '../../../src/engine/stats-sample.ts';

const test = suite('stats-last');
let runtime = '';
test.before.each(() => {
  runtime = mkdtempSync(join(tmpdir(), 'stats-'));
});
test.after.each(() => rmSync(runtime, { recursive: true }));

/** It began 100 s after boot; `used` in seconds. */
const sample = (at: number, used: number, start = 10_000): Sample => ({
  id: 'a',
  start,
  at,
  microseconds: used * 1e6,
  stats: {} as Sample['stats'],
});
const percent = (...samples: Sample[]): number[] =>
  percentsNow({ paths: { runtime } } as Engine, samples).map(Math.round);

test('the first look: over its life', () => {
  assert.equal(percent(sample(110, 5)), [50]);
});

test('then since the last look', () => {
  percent(sample(110, 5));
  assert.equal(percent(sample(112, 5.5)), [25]);
  assert.equal(percent(sample(113, 5.5)), [0]);
});

test('within half a second the former result, whose look stays', () => {
  percent(sample(110, 5));
  assert.equal(percent(sample(110.3, 5.3)), [50]);
  assert.equal(percent(sample(110.6, 5.6)), [100]);
});

test('a look of long ago, of another run, of before a reboot: over its life', () => {
  percent(sample(110, 5));
  assert.equal(percent(sample(200, 5)), [5]);
  assert.equal(percent(sample(201, 1, 20_000)), [100]);
  assert.equal(percent(sample(150, 25)), [50]);
});

test('what does not run uses nothing; the look at one keeps those at others', () => {
  assert.equal(percent(sample(110, 5), { ...sample(110, 0, 0), id: 'b' }), [50, 0]);
  percent({ ...sample(111, 1), id: 'b' });
  assert.equal(percent(sample(112, 5.5)), [25]);
});

test('a damaged file counts as none, and is replaced', () => {
  writeFileSync(join(runtime, 'stats.json'), '{"version":1,"looks":');
  assert.equal(percent(sample(110, 5)), [50]);
  assert.is(JSON.parse(readFileSync(join(runtime, 'stats.json'), 'utf8')).version, 1);
});

test.run();
