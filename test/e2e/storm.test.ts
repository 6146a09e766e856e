import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { leftovers, processesOf } from '../support/left.ts';
import { note } from '../support/note.ts';
import { busybox, removeContainers } from '../support/ready.ts';
import { requires } from '../support/requires.ts';
import { eventually } from '../support/within.ts';

/** Many containers at once: none is lost, nothing is left. */
const test = requires(suite('storm'), 'userns', 'busybox');
test.after.each(removeContainers);

const TOTAL = process.env.TSBOX_TEST_LONG ? 200 : 40;
const BATCH = 20;

test(`${TOTAL} containers in batches of ${BATCH}, started, stopped and removed`, async () => {
  const box = (await busybox()).with({ limit: 120_000 });
  const before = counts(box.home.dir, box.home.store);
  for (let first = 0; first < TOTAL; first += BATCH) {
    const names = Array.from({ length: BATCH }, (_, i) => `s${first + i}`);
    const run = (name: string): Promise<string> =>
      box.ok('run', '-d', '--name', name, '--network', 'none', 'busybox', 'sleep', '1000');
    const ids = await Promise.all(names.map(run));
    assert.is(new Set(ids).size, BATCH);
    const running = (await box.ok('ps', '--format', '{{.Names}}')).split('\n');
    assert.equal(running.sort(), [...names].sort());
    assert.is(await box.ok('stop', '-t', '0', ...names), names.join('\n'));
    assert.is((await box.ok('ps', '-aq', '--filter', 'status=exited')).split('\n').length, BATCH);
    assert.is(await box.ok('rm', ...names), names.join('\n'));
  }
  await eventually(10_000, 'all have gone', async () => processesOf(box.home.dir).length === 0);
  const after = counts(box.home.dir, box.home.store);
  note(`before ${JSON.stringify(before)}, after ${JSON.stringify(after)}`);
  assert.equal(after, before);
  assert.equal(leftovers(box.home.store), []);
});

/** Processes, directories of containers, sockets. */
function counts(home: string, store: string): Record<string, number> {
  const list = (path: string): string[] => {
    try {
      return readdirSync(path);
    } catch {
      return [];
    }
  };
  return {
    processes: processesOf(home).length,
    containers: list(join(store, 'containers')).filter(name => /^[0-9a-f]{64}$/.test(name)).length,
    names: list(join(store, 'containers/.names')).length,
    temporary: list(join(store, 'tmp')).length,
    sockets: list(join(home, 'run/tsbox')).filter(name => /^[0-9a-f]{16}$/.test(name)).length,
  };
}

test.run();
