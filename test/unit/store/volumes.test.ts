import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  checkVolumeName,
  ensureVolume,
  findVolume,
  listVolumeRecords,
  makeVolume,
  readVolume,
  setVolumeAside,
  volumeData,
} from '../../../src/store/volumes.ts';
import { rejects, tempStore } from '../../support/container-store.ts';

const volumes = suite('store/volumes');

volumes("docker's grammar", () => {
  for (const name of ['ab', 'data-1', 'a.b_c', '9lives', 'a'.repeat(255)]) checkVolumeName(name);
  for (const name of ['', 'a', '.ab', '_ab', 'a/b', '../x', 'a b', 'ä1', 'a'.repeat(256), 'a\0b']) {
    assert.throws(
      () => checkVolumeName(name),
      (e: { code: string }) => e.code === 'USAGE',
      JSON.stringify(name),
    );
  }
});

volumes('made once; making it again keeps what it is and holds', async () => {
  const paths = tempStore();
  const first = await makeVolume(paths, 'data', { labels: { a: '1' } });
  assert.is(first.made, true);
  writeFileSync(join(volumeData(paths, 'data'), 'file'), 'x');
  const again = await makeVolume(paths, 'data', { labels: { a: '2' }, anonymous: true });
  assert.is(again.made, false);
  assert.equal(again.record, first.record);
  assert.ok(existsSync(join(volumeData(paths, 'data'), 'file')));
  assert.is(await ensureVolume(paths, 'data'), false);
});

volumes('thirty make one volume: one does, nothing half-made is left', async () => {
  const paths = tempStore();
  const results = await Promise.all(Array.from({ length: 30 }, () => makeVolume(paths, 'data')));
  assert.is(results.filter(r => r.made).length, 1);
  assert.equal(readdirSync(paths.volumes), ['data']);
  assert.equal(readdirSync(join(paths.volumes, 'data')).sort(), ['_data', 'volume.json']);
});

volumes('listed by name; damaged and half-made ones left out', async () => {
  const paths = tempStore();
  for (const name of ['zz', 'aa', 'mm']) await makeVolume(paths, name);
  mkdirSync(join(paths.volumes, 'bad'));
  writeFileSync(join(paths.volumes, 'bad/volume.json'), '{');
  mkdirSync(join(paths.volumes, '.new-0.1-1-x'));
  assert.equal(
    (await listVolumeRecords(paths)).map(v => v.name),
    ['aa', 'mm', 'zz'],
  );
});

volumes('what is not there', async () => {
  const paths = tempStore();
  await makeVolume(paths, 'database');
  await rejects(
    readVolume(paths, 'databse'),
    'NOT_FOUND',
    /no such volume: databse/,
    /did you mean database\?/,
  );
  for (const name of ['', '..', '../volumes/database', 'a\0b', 'nothing-like-it']) {
    assert.is(await findVolume(paths, name), undefined);
    await rejects(readVolume(paths, name), 'NOT_FOUND', /no such volume/, /volume ls/);
  }
});

volumes('set aside and put back', async () => {
  const paths = tempStore();
  await makeVolume(paths, 'data');
  const aside = await setVolumeAside(paths, 'data');
  assert.is(await findVolume(paths, 'data'), undefined);
  assert.ok(existsSync(join(paths.root, aside?.relative ?? 'nowhere', '_data')));
  await aside?.putBack();
  assert.ok(await findVolume(paths, 'data'));
  assert.is(await setVolumeAside(paths, 'never-made'), undefined);
});

volumes.run();
