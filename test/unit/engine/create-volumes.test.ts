import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ensureVolumes } from '../../../src/engine/create-volumes.ts';
import { findVolume } from '../../../src/store/volumes.ts';
import { Cleanup } from '../../../src/util/cleanup.ts';
import { addContainer, engineOf, recordOf, tempStore, volumeMount } from '../../support/container-store.ts';

const test = suite('engine/create-volumes');

/** The volume after the undo of a `run` that has made it and failed; `others`: who mounts it meanwhile. */
async function afterFailure(others: readonly string[]) {
  const paths = tempStore();
  const cleanup = new Cleanup();
  const mounts = [volumeMount('data')];
  await ensureVolumes(engineOf(paths), recordOf({ name: 'fails', mounts }), cleanup);
  assert.ok(await findVolume(paths, 'data'));
  for (const name of others) await addContainer(paths, { name, mounts });
  await cleanup.run(error => assert.unreachable(String(error)));
  return findVolume(paths, 'data');
}

test('a volume that was made for a run that fails goes with it', async () => {
  assert.is(await afterFailure([]), undefined);
});

test('one that another container mounts by then stays', async () => {
  assert.ok(await afterFailure(['second']));
});

test.run();
