import { chmodSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { writeEtcFiles } from '../../../src/engine/etc-files.ts';
import { addContainer, engineOf, tempStore } from '../../support/container-store.ts';

/** What a start writes for the container. */
const test = suite('engine/etc-files');
const setup = { netns: 'new', ops: [], services: [] } as const;
const NAMES = ['hosts', 'hostname', 'resolv.conf'];

test('as it should be already: not replaced, since another start may be binding it; else new', async () => {
  const paths = tempStore();
  const [engine, record] = [engineOf(paths), await addContainer(paths)];
  const dir = join(paths.containers, record.id);
  const inodes = (): number[] => NAMES.map(name => statSync(join(dir, name)).ino);
  writeEtcFiles(engine, record, setup);
  const [before, text] = [inodes(), readFileSync(join(dir, 'hosts'), 'utf8')];
  assert.equal(readFileSync(join(dir, 'hostname'), 'utf8'), 'box\n');
  writeEtcFiles(engine, record, setup);
  assert.equal(inodes(), before);
  // What a container may have done to its own.
  writeFileSync(join(dir, 'hosts'), 'mine\n');
  chmodSync(join(dir, 'hostname'), 0o600);
  writeEtcFiles(engine, record, setup);
  const after = inodes();
  assert.equal(
    after.map((inode, i) => inode === before[i]),
    [false, false, true],
  );
  assert.is(readFileSync(join(dir, 'hosts'), 'utf8'), text);
  assert.equal(
    NAMES.map(name => statSync(join(dir, name)).mode & 0o777),
    [0o644, 0o644, 0o644],
  );
  assert.equal(
    readdirSync(dir).filter(name => NAMES.some(n => name.startsWith(`${n}.`))),
    [],
  );
  assert.ok(existsSync(join(dir, 'config.json')));
});

test.run();
