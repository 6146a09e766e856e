import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { withClaim } from '../../../src/store/claims.ts';
import { takeNamedWorkDir } from '../../../src/store/workdir.ts';
import { rejects } from '../../support/container-store.ts';
import { within } from '../../support/within.ts';

const test = suite<{ dir: string }>('store: claims');

test.before.each(context => {
  context.dir = mkdtempSync(join(tmpdir(), 'tsbox-claim-'));
});
test.after.each(({ dir }) => rmSync(dir, { recursive: true }));

test('one at a time for the same thing, at once for others', async ({ dir }) => {
  let [inside, most, waits] = [0, 0, 0];
  const work = async (): Promise<void> => {
    most = Math.max(most, ++inside);
    await sleep(10);
    inside--;
  };
  const claim = () => withClaim(dir, 'same', { onWait: () => waits++ }, work);
  await within(5000, Promise.all([claim(), claim(), claim(), claim()]));
  assert.equal([most, waits], [1, 3]);
  most = 0;
  await Promise.all(['a', 'b', 'c'].map(what => withClaim(dir, what, {}, work)));
  assert.is(most, 3);
  assert.equal(readdirSync(dir), []);
});

test('a failure lets go; what a dead holder left is taken over', async ({ dir }) => {
  await rejects(
    withClaim(dir, 'x', {}, async () => {
      throw Object.assign(new Error('as told'), { code: 'OURS', hint: '-' });
    }),
    'OURS',
  );
  mkdirSync(join(dir, 'claim-x'));
  assert.is(await withClaim(dir, 'x', {}, async () => 'mine'), 'mine');
});

test('a wait can be called off', async ({ dir }) => {
  const held = await takeNamedWorkDir(join(dir, 'claim-x'));
  const stop = new AbortController();
  setTimeout(() => stop.abort(), 20);
  const error = await withClaim(dir, 'x', { signal: stop.signal }, async () => 'never').catch(e => e);
  assert.is(error.code, 'ABORTED');
  await held?.release();
});

test.run();
