import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { GroupFile } from '../../../src/engine/group-file.ts';
import { parseGroupFile, readGroupFile, writeGroupFile } from '../../../src/engine/group-file.ts';
import { GroupRecord } from '../../../src/engine/group-record.ts';
import { sweep } from '../../../src/engine/sweep.ts';
import { newId } from '../../../src/store/atomic.ts';
import { ownIdentity } from '../../../src/store/containers-owner.ts';
import { engineOf, tempStore } from '../../support/container-store.ts';

const test = suite('engine/group-record');
const DEAD = `${process.pid}-1-00000000-0000-0000-0000-000000000000`;

/** Plain directories stand for groups. */
function scene() {
  const paths = tempStore();
  const id = newId();
  const group = (name: string, maker = ownIdentity()): GroupFile & { path: string } => {
    const path = join(paths.root, 'cgroup', name);
    mkdirSync(path, { recursive: true });
    return { version: 1, id, driver: 'cgroupfs', path, maker, limits: [] };
  };
  const files = (): string[] => readdirSync(join(paths.root, 'groups'));
  return { engine: engineOf(paths), id, group, files };
}

for (const first of ['publish', 'discard'] as const) {
  test(`two starts at once: the one with the lock is the container's (the first to ${first})`, () => {
    const { engine, id, group, files } = scene();
    const [winner, loser] = [group('a'), group('b')];
    const won = new GroupRecord(engine, winner);
    const lost = new GroupRecord(engine, loser);
    assert.is(readGroupFile(engine, id), undefined);
    if (first === 'discard') lost.discard();
    won.publish();
    if (first === 'publish') lost.discard();
    assert.is(readGroupFile(engine, id)?.path, winner.path);
    assert.equal([existsSync(winner.path), existsSync(loser.path)], [true, false]);
    assert.equal(files(), [`${id.slice(0, 16)}.json`]);
  });
}

test('a start that fails after it was published leaves its group to its helper', () => {
  const { engine, id, group } = scene();
  const record = new GroupRecord(engine, group('a'));
  record.publish();
  record.discard();
  assert.ok(readGroupFile(engine, id));
});

test('the group of the last run, whose supervisor was killed, goes with the next start', () => {
  const { engine, id, group } = scene();
  const [old, now] = [group('old', DEAD), group('now')];
  writeGroupFile(engine, old);
  new GroupRecord(engine, now).publish();
  assert.is(existsSync(old.path), false);
  assert.is(parseGroupFile(engine, id)?.path, now.path);
});

test('a sweep: the group of a start that was killed goes, that of a living one stays', async () => {
  const { engine, id, group, files } = scene();
  const [dead, living, last] = [group('dead', DEAD), group('living'), group('last', DEAD)];
  writeGroupFile(engine, last);
  new GroupRecord(engine, dead);
  const record = new GroupRecord(engine, living);
  await sweep(engine);
  assert.equal(
    [dead, living, last].map(each => existsSync(each.path)),
    [false, true, false],
  );
  record.publish();
  assert.is(readGroupFile(engine, id)?.path, living.path);
  assert.equal(files(), [`${id.slice(0, 16)}.json`]);
});

test.run();
