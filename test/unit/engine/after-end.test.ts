import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { afterEnd } from '../../../src/engine/after-end.ts';
import {
  markStopped,
  readRestart,
  resetRestart,
  restartWaiter,
} from '../../../src/store/containers-restart.ts';
import { addContainer, engineOf, tempStore } from '../../support/container-store.ts';
import { eventually, within } from '../../support/within.ts';

/** The waits that end without a start; those with one are tested with real containers. */
const test = suite('engine/after-end');

async function waiting() {
  const paths = tempStore();
  const restart = { name: 'always', maximumRetryCount: 0 } as const;
  const record = await addContainer(paths, { name: 'again', restart }, { status: 'exited' });
  await resetRestart(paths, record);
  const ended = afterEnd(engineOf(paths), record.id);
  ended.catch(() => {}); // looked at below
  await eventually(5000, 'it waits', () => restartWaiter(paths, record.id) !== '');
  return { paths, record, ended };
}

test('removed during the wait: no failure, and nothing is made anew', async () => {
  const { paths, record, ended } = await waiting();
  rmSync(join(paths.containers, record.id), { recursive: true });
  await within(10_000, ended);
  assert.not(existsSync(join(paths.containers, record.id)));
});

test('stopped during the wait: nobody waits any more', async () => {
  const { paths, record, ended } = await waiting();
  await markStopped(paths, record.id);
  await within(10_000, ended);
  const { waiter, count } = await readRestart(paths, record.id);
  assert.equal([waiter, count], ['', 1]);
});

test.run();
