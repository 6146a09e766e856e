import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { sweep } from '../../src/engine/sweep.ts';
import { takeGarbage } from '../../src/store/workdir.ts';
import { type LayerScene, leftovers, openLayerScene } from '../support/layer-scene.ts';
import { requires } from '../support/requires.ts';
import { dir, file, symlink } from '../support/tar-bytes.ts';
import { eventually } from '../support/within.ts';

/** SIGKILL at any moment leaves a directory that the next command sweeps, and no process. */
const test = requires(suite<{ scene: LayerScene }>('security: killed while unpacking'), 'userns');

test.before.each(async context => {
  context.scene = await openLayerScene();
});

const WRITER = fileURLToPath(new URL('../support/layer-writer.ts', import.meta.url));

/** Processes whose root or open directory is in the store: the unpackers of this test. */
function unpackersIn(store: string): string[] {
  return readdirSync('/proc').filter(pid => {
    try {
      if (!readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('"task":"apply"')) return false;
      return (
        readlinkSync(`/proc/${pid}/fd/0`).startsWith(store) ||
        readlinkSync(`/proc/${pid}/root`).startsWith(store)
      );
    } catch {
      return false;
    }
  });
}

const PART = Buffer.concat([
  dir('etc'),
  file('etc/owned', 'x'.repeat(1000), { uid: 5, gid: 5 }),
  dir('closed', { mode: 0, uid: 7 }),
  file('closed/inner', 'x'),
  symlink('link', 'etc'),
  dir('caf\xe9'),
  file('caf\xe9/\xff', 'y'),
  // More than is read at once, so that what comes before is written.
  file('half', 'z'.repeat(2_000_000)).subarray(0, 1_000_000),
]);

test('the tree of a killed command is swept, the unpacker ends by itself', async ({ scene }) => {
  const { root, runtime, tmp } = scene.engine.paths;
  const child = spawn(process.execPath, ['--import', 'tsx', WRITER, root, runtime], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  child.stdin.write(PART);
  await once(child.stdout, 'data');
  const [work = ''] = await eventually(20_000, 'the file that is half there', () => {
    const names = readdirSync(tmp);
    return existsSync(join(tmp, names[0] ?? '', 'fs/half')) ? names : undefined;
  });
  assert.is(await takeGarbage(join(tmp, work)), undefined, 'it is held');
  await sweep(scene.engine);
  assert.equal(leftovers(scene), [work], 'nobody sweeps what is held');
  child.kill('SIGKILL');
  await once(child, 'exit');
  await eventually(20_000, 'the unpacker is gone', () => unpackersIn(root).length === 0);
  await sweep(scene.engine);
  assert.equal(leftovers(scene), []);
});

test.run();
