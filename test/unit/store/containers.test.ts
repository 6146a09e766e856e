import { chmodSync, existsSync, mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { newId } from '../../../src/store/atomic.ts';
import {
  findContainer,
  findContainerId,
  forgetContainer,
  listContainerRecords,
  readContainerRecord,
  reserveContainer,
} from '../../../src/store/containers.ts';
import { listFleeting } from '../../../src/store/containers-fleeting.ts';
import { holderOf, takeName } from '../../../src/store/names.ts';
import { addContainer, recordOf, rejects, tempStore } from '../../support/container-store.ts';

const containers = suite('store/containers');
const never = async (): Promise<boolean> => false;

containers('what is reserved can be read, under its name', async () => {
  const paths = tempStore();
  const record = recordOf({ name: 'web' });
  assert.equal(await reserveContainer(paths, record), record);
  const { oomScoreAdj, ...written } = record; // JSON has no undefined
  assert.is(oomScoreAdj, undefined);
  assert.equal(await readContainerRecord(paths, record.id), written);
  assert.is((await holderOf(paths, 'web'))?.id, record.id);
  assert.is(statSync(join(paths.containers, record.id)).mode & 0o777, 0o700);
  assert.equal(hidden(paths.containers), ['.names']);
});

containers('a taken name names its holder; nothing of the loser is left', async () => {
  const paths = tempStore();
  const first = await addContainer(paths, { name: 'web' });
  const second = recordOf({ name: 'web' });
  await rejects(
    reserveContainer(paths, second),
    'CONFLICT',
    new RegExp(`"web" is already in use by container ${first.id.slice(0, 12)}`),
    /tsbox rm web/,
  );
  assert.is(existsSync(join(paths.containers, second.id)), false);
  assert.equal(
    (await listContainerRecords(paths)).map(r => r.id),
    [first.id],
  );
  assert.equal(hidden(paths.containers), ['.names']);
});

containers('fifty containers of one name: exactly one is made', async () => {
  const paths = tempStore();
  const records = Array.from({ length: 50 }, () => recordOf({ name: 'web' }));
  const results = await Promise.allSettled(records.map(r => reserveContainer(paths, r)));
  const made = results.filter(r => r.status === 'fulfilled');
  assert.is(made.length, 1);
  for (const result of results) {
    if (result.status === 'rejected') assert.is((result.reason as { code: string }).code, 'CONFLICT');
  }
  const listed = await listContainerRecords(paths);
  assert.is(listed.length, 1);
  assert.is((await findContainer(paths, 'web')).id, listed[0]?.id);
});

containers('a container without a name gets one that is free', async () => {
  const paths = tempStore();
  const made = await Promise.all(Array.from({ length: 50 }, () => reserveContainer(paths, recordOf())));
  assert.is(new Set(made.map(r => r.name)).size, 50);
  for (const record of made) assert.is((await findContainer(paths, record.name)).id, record.id);
});

containers('the name of a maker that died half-way is free, that of a living one is not', async () => {
  const paths = tempStore();
  const dead = newId();
  await takeName(paths, 'web', dead, `${process.pid}-1-another-boot`, never);
  const record = await addContainer(paths, { name: 'web' });
  assert.is((await findContainer(paths, 'web')).id, record.id);
  // The directory is not there yet, its maker is.
  rmSync(join(paths.containers, record.id), { recursive: true });
  await rejects(reserveContainer(paths, recordOf({ name: 'web' })), 'CONFLICT');
});

containers('when the directory cannot be made, the name is given back', async () => {
  if (process.getuid?.() === 0) return; // root writes anywhere
  const paths = tempStore();
  mkdirSync(join(paths.containers, '.names'));
  chmodSync(paths.containers, 0o500);
  await rejects(reserveContainer(paths, recordOf({ name: 'web' })), 'IO', /cannot make container/, /^$/);
  chmodSync(paths.containers, 0o700);
  assert.is(await holderOf(paths, 'web'), undefined);
});

containers(
  'found by id, name, slash and name, beginning of the id; a name wins over a beginning',
  async () => {
    const paths = tempStore();
    const a = await addContainer(paths, { id: `aaaa${'0'.repeat(60)}`, name: 'web' });
    const b = await addContainer(paths, { id: `aabb${'0'.repeat(60)}`, name: 'aaaa' });
    for (const text of [a.id, 'web', '/web', 'aaaa0', a.id.slice(0, 12)]) {
      assert.is(await findContainerId(paths, text), a.id, text);
    }
    assert.is(await findContainerId(paths, 'aaaa'), b.id);
    await rejects(
      findContainerId(paths, 'aa'),
      'USAGE',
      /2 containers have an id that begins with aa/,
      /more digits/,
    );
  },
);

containers('what is not there: a suggestion, and no path is followed', async () => {
  const paths = tempStore();
  await addContainer(paths, { name: 'webserver' });
  await rejects(
    findContainer(paths, 'websrver'),
    'NOT_FOUND',
    /no such container: websrver/,
    /did you mean webserver\?/,
  );
  for (const text of ['', '.', '..', '.names', '../containers', 'zz', 'a\0b', '/', 'f'.repeat(64)]) {
    await rejects(findContainer(paths, text), 'NOT_FOUND', /no such container/, /tsbox ps -a/);
  }
});

containers('a container whose name entry was lost is still found by its name', async () => {
  const paths = tempStore();
  const record = await addContainer(paths, { name: 'web' });
  rmSync(join(paths.containers, '.names'), { recursive: true });
  assert.is((await findContainer(paths, 'web')).id, record.id);
});

containers('listing: newest first, damaged and half-made ones left out', async () => {
  const paths = tempStore();
  const times = ['2026-01-01T00:00:00.000Z', '2026-01-03T00:00:00.000Z', '2026-01-02T00:00:00.000Z'];
  for (const created of times) await addContainer(paths, { created });
  const [damaged, empty, stranger] = [newId(), newId(), newId()];
  for (const [id, text] of [
    [damaged, '{"version":1,'],
    [stranger, '{"version":2}'],
  ] as const) {
    mkdirSync(join(paths.containers, id));
    writeFileSync(join(paths.containers, id, 'config.json'), text);
  }
  mkdirSync(join(paths.containers, empty));
  mkdirSync(join(paths.containers, `.new-${newId()}.1-1-x`));
  assert.equal(
    (await listContainerRecords(paths)).map(r => r.created),
    [...times].sort().reverse(),
  );
  await rejects(findContainer(paths, damaged), 'STORE_CORRUPT', /is damaged/, /tsbox rm -f/);
  await rejects(findContainer(paths, stranger), 'STORE_VERSION', /another version/, /tsbox rm -f/);
  await rejects(findContainer(paths, empty), 'NOT_FOUND');
  assert.is(await findContainerId(paths, empty), empty, 'rm -f can reach it');
});

containers('a record that is somebody else’s or no object is refused', async () => {
  const paths = tempStore();
  const other = JSON.stringify(recordOf());
  for (const text of [other, 'null', '[]', '7', '']) {
    const id = newId();
    mkdirSync(join(paths.containers, id));
    writeFileSync(join(paths.containers, id, 'config.json'), text);
    const error = await readContainerRecord(paths, id).catch((e: { code: string }) => e.code);
    assert.ok(error === 'STORE_CORRUPT' || error === 'STORE_VERSION', text);
  }
});

containers('forgotten: name free, directory gone, what was in it handed to the remover', async () => {
  const paths = tempStore();
  const record = await addContainer(paths, { name: 'web', autoRemove: true });
  assert.equal(
    (await listFleeting(paths)).map(f => f.id),
    [record.id],
  );
  const removed: string[] = [];
  await forgetContainer(paths, record.id, async relative => {
    removed.push(relative);
    assert.is(existsSync(join(paths.root, relative, 'config.json')), true);
    assert.is(existsSync(join(paths.containers, record.id)), false);
    assert.is(await holderOf(paths, 'web'), undefined);
  });
  assert.is(removed.length, 1);
  assert.match(removed[0] ?? '', /^tmp\/gone-/);
  assert.equal(await listFleeting(paths), []);
  await forgetContainer(paths, record.id, async relative => void removed.push(relative));
  assert.is(removed.length, 1, 'forgetting twice is nothing');
});

containers('a damaged container gives its name back too', async () => {
  const paths = tempStore();
  const record = await addContainer(paths, { name: 'web' });
  writeFileSync(join(paths.containers, record.id, 'config.json'), 'x');
  await forgetContainer(paths, record.id);
  assert.is(await holderOf(paths, 'web'), undefined);
  assert.equal(readdirSync(paths.tmp), []);
});

containers('twenty forget one container at once: one of them removes it', async () => {
  const paths = tempStore();
  const record = await addContainer(paths, { name: 'web' });
  let removed = 0;
  const remove = async (): Promise<void> => void removed++;
  await Promise.all(Array.from({ length: 20 }, () => forgetContainer(paths, record.id, remove)));
  assert.is(removed, 1);
  assert.is(await holderOf(paths, 'web'), undefined);
});

containers('five hundred containers are listed quickly', async () => {
  const paths = tempStore();
  for (let i = 0; i < 500; i++) await addContainer(paths, { name: `c${i}`, autoRemove: true });
  const begin = performance.now();
  assert.is((await listContainerRecords(paths)).length, 500);
  assert.ok(performance.now() - begin < 1000, 'far from the 20 ms it takes, but no quadratic blunder');
});

const hidden = (directory: string): string[] => readdirSync(directory).filter(n => n.startsWith('.'));

containers.run();
