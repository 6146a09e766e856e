import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { healthCommand, healthDelay, nextHealth } from '../../../src/engine/health-rules.ts';
import type { HealthCheck } from '../../../src/store/container-record.ts';
import type { HealthFile } from '../../../src/store/containers-health.ts';

const test = suite('engine/health-rules');

const check: HealthCheck = {
  test: ['CMD-SHELL', 'true'],
  interval: 30_000,
  timeout: 1000,
  startPeriod: 5000,
  startInterval: 500,
  retries: 3,
};
const start: HealthFile = { version: 1, start: 1, status: 'starting', failingStreak: 0, log: [] };
const result = (ExitCode: number) => ({ Start: '', End: '', ExitCode, Output: '' });

/** Results with the age at which they came → status and streak after each. */
function play(...results: ReadonlyArray<readonly [code: number, age: number]>): string[] {
  let health = start;
  return results.map(([code, age]) => {
    health = nextHealth(check, health, result(code), age);
    return `${health.status} ${health.failingStreak}`;
  });
}

test('failures in the start period are excused until the first success', () => {
  assert.equal(play([1, 100], [1, 4999]), ['starting 0', 'starting 0']);
  assert.equal(play([1, 5000], [1, 6000], [1, 7000]), ['starting 1', 'starting 2', 'unhealthy 3']);
  assert.equal(play([0, 100], [1, 200], [1, 300], [-1, 400]), [
    'healthy 0',
    'healthy 1',
    'healthy 2',
    'unhealthy 3',
  ]);
});

test('one success is enough', () => {
  assert.equal(play([1, 6000], [1, 6000], [1, 6000], [0, 6000]).at(-1), 'healthy 0');
});

test('five results are kept', () => {
  let health = start;
  for (let i = 0; i < 9; i++) health = nextHealth(check, health, result(i), 0);
  assert.equal(
    health.log.map(each => each.ExitCode),
    [4, 5, 6, 7, 8],
  );
});

test('when the next check is', () => {
  assert.is(healthDelay(check, 'starting', 100), 500);
  assert.is(healthDelay(check, 'starting', 5000), 30_000);
  assert.is(healthDelay(check, 'healthy', 100), 30_000);
});

test('what is executed', () => {
  assert.equal(healthCommand(check), ['/bin/sh', '-c', 'true']);
  assert.equal(healthCommand({ ...check, test: ['CMD', 'curl', '-f', 'x y'] }), ['curl', '-f', 'x y']);
});

test.run();
