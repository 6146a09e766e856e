import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { attach } from '../../../src/engine/attach.ts';
import { kill } from '../../../src/engine/kill.ts';
import { remove } from '../../../src/engine/remove.ts';
import { stop } from '../../../src/engine/stop.ts';
import { createVolume, listVolumes, removeVolume } from '../../../src/engine/volumes.ts';
import { wait } from '../../../src/engine/wait.ts';
import { addContainer, engineOf, rejects, tempStore, volumeMount } from '../../support/container-store.ts';

/** The rules that need no process; what really ends containers is tested with real ones. */
const ends = suite('engine/stop kill wait rm');

ends('stop of one that does not run is nothing, wait gives its status', async () => {
  const paths = tempStore();
  await addContainer(paths, { name: 'made' });
  await addContainer(paths, { name: 'done' }, { status: 'exited', exit_code: 7 });
  const engine = engineOf(paths);
  await stop(engine, 'made');
  await stop(engine, 'done', { timeout: 0 });
  assert.is(await wait(engine, 'made'), 0);
  assert.is(await wait(engine, 'done'), 7);
});

ends('kill and attach of one that does not run', async () => {
  const paths = tempStore();
  const engine = engineOf(paths);
  await addContainer(paths, { name: 'done' }, { status: 'exited' });
  await rejects(
    kill(engine, 'done'),
    'BAD_STATE',
    /cannot kill container done: it is not running \(exited\)/,
  );
  await rejects(kill(engine, 'done', 'HUP'), 'BAD_STATE', /not running/);
  await rejects(
    attach(engine, 'done'),
    'BAD_STATE',
    /cannot attach to container done/,
    /tsbox start -a done/,
  );
});

ends('an unknown signal is told before the container is looked for', async () => {
  const engine = engineOf(tempStore());
  for (const signal of ['NOPE', '0', '65', '-9', '', 'SIG']) {
    await rejects(kill(engine, 'nobody', signal), 'USAGE', /signal/);
  }
});

ends('a running container is not removed', async () => {
  const paths = tempStore();
  const record = await addContainer(paths, { name: 'web' }, {});
  await rejects(remove(engineOf(paths), 'web'), 'BAD_STATE', /it is running/, /tsbox rm -f/);
  assert.ok(existsSync(join(paths.containers, record.id, 'config.json')));
});

ends('nobody', async () => {
  const engine = engineOf(tempStore());
  // Begun one by one: a rejection that nobody waits for yet would end the process.
  for (const verb of [stop, kill, wait, remove, attach]) {
    await rejects(verb(engine, 'x1'), 'NOT_FOUND', /no such container: x1/);
  }
});

ends('volumes: made, listed, kept while used', async () => {
  const paths = tempStore();
  const engine = engineOf(paths);
  const made = await createVolume(engine, 'data', { a: 'b' });
  assert.is(made.mountpoint, join(paths.volumes, 'data/_data'));
  assert.equal(await createVolume(engine, 'data'), made);
  const anonymous = await createVolume(engine);
  assert.match(anonymous.name, /^[0-9a-f]{64}$/);
  assert.is(anonymous.anonymous, true);
  assert.is((await listVolumes(engine)).length, 2);
  await addContainer(paths, { name: 'web', mounts: [volumeMount('data')] });
  await addContainer(paths, { name: 'job', mounts: [volumeMount('data')] }, { status: 'exited' });
  await rejects(removeVolume(engine, 'data'), 'CONFLICT', /data is in use by .*web.*/, /tsbox rm .*job/);
  assert.ok(existsSync(made.mountpoint));
  await rejects(removeVolume(engine, 'nope'), 'NOT_FOUND', /no such volume: nope/);
  await removeVolume(engine, 'nope', { force: true });
  await rejects(createVolume(engine, '../x'), 'USAGE', /invalid volume name/);
});

ends.run();
