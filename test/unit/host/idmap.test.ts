import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { TsboxError } from '../../../src/errors.ts';
import { defaultConfig } from '../../../src/host/config.ts';
import { keepIdMap, rangesMap } from '../../../src/host/id-ranges.ts';
import { chooseMaps, keepIdMapping, singleMaps, type UsernsMaps } from '../../../src/host/idmap.ts';
import { parseOwnMap } from '../../../src/host/idmap-root.ts';
import { requires } from '../../support/requires.ts';

const test = suite('host/idmap');

test('single: one id, and setgroups is given up', () => {
  assert.equal(singleMaps(1000, 100), {
    mode: 'single',
    uid: [{ inside: 0, outside: 1000, count: 1 }],
    gid: [{ inside: 0, outside: 100, count: 1 }],
    denySetgroups: true,
  });
});

test('single is had everywhere and without a warning', async () => {
  const { maps, warning } = await chooseMaps(defaultConfig(), 'single');
  assert.is(maps.mode, 'single');
  assert.is(maps.uid.length, 1);
  assert.is(warning, undefined);
});

test('the host’s root is in no map of root', async () => {
  if (process.geteuid?.() !== 0) return;
  for (const want of ['auto', 'ranges', 'single'] as const) {
    const { maps } = await chooseMaps(defaultConfig(), want);
    assert.ok(maps.uid.every(l => l.outside > 0) && maps.gid.every(l => l.outside > 0));
    assert.is(maps.uid[0]?.inside, 0);
  }
});

test('keep-id: what the layers were stored with → what is shown', () => {
  const ranges = [{ start: 100000, count: 65536 }];
  const maps = (uid: UsernsMaps['uid']): UsernsMaps => ({
    mode: 'ranges',
    uid,
    gid: uid,
    denySetgroups: false,
  });
  const mapping = keepIdMapping(maps(rangesMap(1000, ranges)), maps(keepIdMap(1000, ranges)));
  // found : shown : count. The user's own files are root's; the first subordinate id is 1, and so on.
  assert.is(mapping.uid, '1000:0:1:0:1:1000:1001:1001:64536');
  assert.is(mapping.gid, mapping.uid);
});

test('ids of the namespace we are in', () => {
  assert.is(parseOwnMap('         0          0 4294967295\n'), undefined);
  assert.equal(parseOwnMap('         0       1000          1\n         1     100000      65536\n'), [
    { start: 0, count: 1 },
    { start: 1, count: 65536 },
  ]);
});

const users = requires(suite('host/idmap of a user with ids'), 'user', 'subid');

users('a newuidmap that cannot work: one line that says which, then single mode', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'tsbox-mapper-'));
  const path = process.env.PATH;
  try {
    assert.is((await chooseMaps(defaultConfig())).maps.mode, 'ranges');
    writeFileSync(join(dir, 'newuidmap'), '#!/bin/sh\n', { mode: 0o755 });
    process.env.PATH = `${dir}:${path}`;
    const { maps, warning } = await chooseMaps(defaultConfig());
    assert.is(maps.mode, 'single');
    assert.ok(warning?.startsWith(`${dir}/newuidmap is not setuid root: `), warning);
    assert.not.match(warning ?? '', /\n/);
    for (const want of ['ranges', 'keep-id'] as const) {
      const error = await chooseMaps(defaultConfig(), want).then(
        () => undefined,
        (e: unknown) => e,
      );
      assert.ok(error instanceof TsboxError && error.code === 'SUBID' && error.hint);
    }
  } finally {
    process.env.PATH = path;
    rmSync(dir, { recursive: true });
  }
});

test.run();
users.run();
