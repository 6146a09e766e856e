import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type End, restartDelay } from '../../../src/engine/restart-policy.ts';
import type { RestartPolicy } from '../../../src/store/container-record.ts';

const test = suite('engine/restart-policy');

const policy = (name: RestartPolicy['name'], maximumRetryCount = 0): RestartPolicy => ({
  name,
  maximumRetryCount,
});
const end = (more: Partial<End> = {}): End => ({ exitCode: 1, stopped: false, ran: 50, ...more });
const FIRST = { count: 0, delay: 0 };

test('who is started again', () => {
  const table: ReadonlyArray<readonly [RestartPolicy, Partial<End>, number, boolean]> = [
    [policy('no'), {}, 0, false],
    [policy('always'), {}, 0, true],
    [policy('always'), { exitCode: 0 }, 0, true],
    [policy('always'), { stopped: true }, 0, false],
    [policy('unless-stopped'), { exitCode: 0 }, 0, true],
    [policy('unless-stopped'), { stopped: true }, 0, false],
    [policy('on-failure'), {}, 1000, true],
    [policy('on-failure'), { exitCode: 0 }, 0, false],
    [policy('on-failure', 3), {}, 2, true],
    [policy('on-failure', 3), {}, 3, false],
    [policy('on-failure', 3), { stopped: true }, 0, false],
  ];
  for (const [each, more, count, again] of table) {
    const delay = restartDelay(each, end(more), { count, delay: 0 });
    assert.is(delay !== undefined, again, JSON.stringify([each, more, count]));
  }
});

test('the wait: 100 ms, doubled up to a minute, anew after ten seconds', () => {
  const waits: number[] = [];
  for (let delay = 0; waits.length < 13; ) {
    delay = restartDelay(policy('always'), end(), { count: waits.length, delay }) ?? -1;
    waits.push(delay);
  }
  assert.equal(waits.slice(0, 4), [100, 200, 400, 800]);
  assert.equal(waits.slice(9, 12), [51_200, 60_000, 60_000]);
  assert.is(restartDelay(policy('always'), end({ ran: 10_000 }), { count: 9, delay: 51_200 }), 100);
  assert.is(restartDelay(policy('always'), end({ ran: 9_999 }), { count: 9, delay: 200 }), 400);
  assert.is(restartDelay(policy('always'), end(), FIRST), 100);
});

test.run();
