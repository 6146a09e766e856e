import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { newId } from '../../../src/store/atomic.ts';
import {
  checkName,
  generateName,
  holderOf,
  isName,
  listNames,
  releaseName,
  takeName,
} from '../../../src/store/names.ts';
import { tempStore } from '../../support/container-store.ts';

const names = suite('store/names');
const never = async (): Promise<boolean> => false;
const always = async (): Promise<boolean> => true;

names("docker's grammar", () => {
  const good = ['ab', 'a1', 'Web.server-1_x', '0a', 'a'.repeat(255)];
  const bad = ['', 'a', '.ab', '-ab', '_ab', 'a b', 'a/b', '..', 'ä1', 'a\n', 'a\0b', 'a'.repeat(256)];
  for (const name of good) checkName(name);
  for (const name of bad) {
    assert.throws(
      () => checkName(name),
      (e: { code: string }) => e.code === 'USAGE',
      JSON.stringify(name),
    );
    assert.is(isName(name), false);
  }
});

names('a name is taken once and names its holder', async () => {
  const paths = tempStore();
  const [a, b] = [newId(), newId()];
  assert.is(await takeName(paths, 'web', a, 'me', never), undefined);
  assert.is(await takeName(paths, 'web', b, 'me', never), a);
  assert.equal(await holderOf(paths, 'web'), { id: a, identity: 'me' });
  assert.equal(await listNames(paths), ['web']);
  assert.equal(readdirSync(join(paths.containers, '.names')), ['web'], 'no draft is left');
});

names('only its holder gives a name back', async () => {
  const paths = tempStore();
  const [a, b] = [newId(), newId()];
  await takeName(paths, 'web', a, 'me', never);
  await releaseName(paths, 'web', b);
  assert.is((await holderOf(paths, 'web'))?.id, a);
  await releaseName(paths, 'web', a);
  await releaseName(paths, 'web', a);
  assert.is(await holderOf(paths, 'web'), undefined);
  assert.equal(await listNames(paths), []);
});

names('fifty want one name: exactly one gets it', async () => {
  const paths = tempStore();
  const ids = Array.from({ length: 50 }, () => newId());
  const holders = await Promise.all(ids.map(id => takeName(paths, 'web', id, 'me', never)));
  assert.is(holders.filter(h => h === undefined).length, 1);
  const winner = ids[holders.indexOf(undefined)];
  assert.equal([...new Set(holders.filter(h => h !== undefined))], [winner]);
  assert.is((await holderOf(paths, 'web'))?.id, winner);
});

names('fifty want a stale name: one gets it, and keeps it', async () => {
  for (let round = 0; round < 20; round++) {
    const paths = tempStore();
    const dead = newId();
    await takeName(paths, 'web', dead, 'dead', never);
    const ids = Array.from({ length: 50 }, () => newId());
    const stale = async (id: string): Promise<boolean> => id === dead;
    const holders = await Promise.all(ids.map(id => takeName(paths, 'web', id, 'me', stale)));
    assert.is(holders.filter(h => h === undefined).length, 1, `round ${round}`);
    assert.is((await holderOf(paths, 'web'))?.id, ids[holders.indexOf(undefined)]);
  }
});

names('an entry without a holder, left by a kill between two steps, is free', async () => {
  const paths = tempStore();
  mkdirSync(join(paths.containers, '.names', 'web'), { recursive: true });
  const id = newId();
  assert.is(await takeName(paths, 'web', id, 'me', never), undefined);
  assert.is(readFileSync(join(paths.containers, '.names/web', id), 'utf8'), 'me');
});

names('a holder that is stale gives way whoever it is', async () => {
  const paths = tempStore();
  const [a, b] = [newId(), newId()];
  await takeName(paths, 'web', a, 'me', never);
  assert.is(await takeName(paths, 'web', b, 'me', always), undefined);
  assert.is((await holderOf(paths, 'web'))?.id, b);
});

names('generated names fit the grammar and rarely repeat', () => {
  const seen = new Set<string>();
  for (let i = 0; i < 500; i++) {
    const name = generateName(i % 2);
    checkName(name);
    assert.match(name, i % 2 ? /^[a-z]+_[a-z]+\d$/ : /^[a-z]+_[a-z]+$/);
    seen.add(name);
  }
  assert.ok(seen.size > 480, `${seen.size} different ones of 500`);
});

names.run();
