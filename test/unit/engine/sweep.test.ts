import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { sweep } from '../../../src/engine/sweep.ts';
import { newId } from '../../../src/store/atomic.ts';
import { listContainerRecords, reserveContainer } from '../../../src/store/containers.ts';
import { listFleeting, markFleeting, unmarkFleeting } from '../../../src/store/containers-fleeting.ts';
import { ownIdentity } from '../../../src/store/containers-owner.ts';
import { holderOf, takeName } from '../../../src/store/names.ts';
import { addContainer, engineOf, recordOf, tempStore, writeState } from '../../support/container-store.ts';

const sweeping = suite('engine/sweep');
const DEAD = `${process.pid}-1-00000000-0000-0000-0000-000000000000`;
const never = async (): Promise<boolean> => false;

sweeping('drafts of the dead go, drafts of the living stay', async () => {
  const paths = tempStore();
  const mine = `.new-${newId()}.${ownIdentity()}`;
  for (const parent of [paths.containers, paths.volumes]) {
    for (const entry of [mine, `.new-${newId()}.${DEAD}`]) {
      mkdirSync(join(parent, entry, 'deep'), { recursive: true });
    }
  }
  await sweep(engineOf(paths));
  assert.equal(readdirSync(paths.containers), [mine]);
  assert.equal(readdirSync(paths.volumes), [mine]);
});

sweeping('names and drafts of names', async () => {
  const paths = tempStore();
  await addContainer(paths, { name: 'kept' });
  await takeName(paths, 'stale', newId(), DEAD, never);
  await takeName(paths, 'making', newId(), ownIdentity(), never);
  const names = join(paths.containers, '.names');
  mkdirSync(join(names, 'empty')); // its holder was killed while giving it back
  for (const identity of [DEAD, ownIdentity()]) {
    mkdirSync(join(names, `.new-${newId()}.${identity}`));
  }
  await sweep(engineOf(paths));
  assert.is(await holderOf(paths, 'stale'), undefined);
  assert.is(existsSync(join(names, 'empty')), false);
  assert.ok(await holderOf(paths, 'kept'));
  assert.ok(await holderOf(paths, 'making'));
  assert.is(readdirSync(names).filter(n => n.startsWith('.')).length, 1);
});

sweeping('a container whose maker lives, or that runs, or that waits for its start, stays', async () => {
  const paths = tempStore();
  await reserveContainer(paths, recordOf({ name: 'mine', autoRemove: true }), { transient: true });
  const runs = await addContainer(paths, { name: 'runs', autoRemove: true }, {});
  const waits = await addContainer(paths, { name: 'waits', autoRemove: true });
  for (const { id } of [runs, waits]) {
    await unmarkFleeting(paths, id); // its maker is us
    await markFleeting(paths, { id, identity: DEAD, transient: false });
  }
  await sweep(engineOf(paths));
  assert.equal((await listContainerRecords(paths)).map(r => r.name).sort(), ['mine', 'runs', 'waits']);
  assert.is((await listFleeting(paths)).length, 3);
});

sweeping('a container of run that has been started is one like any other', async () => {
  const paths = tempStore();
  const { id } = await addContainer(paths, { name: 'runs' }, {}); // and it still does
  await unmarkFleeting(paths, id);
  await markFleeting(paths, { id, identity: DEAD, transient: true });
  const record = await addContainer(paths, { name: 'web' });
  await markFleeting(paths, { id: record.id, identity: DEAD, transient: true });
  writeState(paths, record.id, { status: 'exited' });
  await markFleeting(paths, { id: newId(), identity: DEAD, transient: true }); // and one that is gone
  await sweep(engineOf(paths));
  assert.equal(await listFleeting(paths), []);
  assert.is((await listContainerRecords(paths)).length, 2);
});

sweeping('what a living remover works on is left to it', async () => {
  const paths = tempStore();
  mkdirSync(join(paths.tmp, `gone-${newId()}.${ownIdentity()}`));
  await sweep(engineOf(paths));
  assert.is(readdirSync(paths.tmp).length, 1);
});

sweeping('an empty or missing store is nothing to sweep', async () => {
  const paths = tempStore();
  await sweep(engineOf(paths));
  await sweep(
    engineOf({ ...paths, containers: '/nonexistent/c', volumes: '/nonexistent/v', tmp: '/nonexistent/t' }),
  );
  assert.is(existsSync(paths.containers), true);
});

sweeping.run();
