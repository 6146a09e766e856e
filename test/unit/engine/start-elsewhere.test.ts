import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { suite } from 'uvu';
import { untilStarted } from '../../../src/engine/start-elsewhere.ts';
import { addContainer, engineOf, rejects, tempStore } from '../../support/container-store.ts';
import { within } from '../../support/within.ts';

const test = suite('engine/start-elsewhere');

/** A container whose lock somebody else holds, as an export of it does; `free` ends that. */
async function heldContainer() {
  const paths = tempStore();
  const record = await addContainer(paths, { name: 'held' });
  const lock = join(paths.containers, record.id, 'lock');
  const child = spawn('flock', [lock, 'sh', '-c', 'echo held; exec cat'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  await once(child.stdout, 'data');
  const free = async () => {
    child.stdin.end();
    await once(child, 'close');
  };
  return { paths, record, free };
}

test('an abort ends the wait, and one that came before it does', async () => {
  const { paths, record, free } = await heldContainer();
  const control = new AbortController();
  const engine = engineOf(paths, control.signal);
  const waiting = rejects(untilStarted(engine, record), 'ABORTED', /waiting for held was cancelled/, /^/);
  setTimeout(() => control.abort(), 100);
  try {
    await within(10_000, waiting, 'an aborted wait');
    await rejects(untilStarted(engine, record), 'ABORTED', /held/, /^/);
  } finally {
    await free();
  }
});

test.run();
