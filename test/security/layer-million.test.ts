// run as: ranges

import { readdirSync, readFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { removeTree } from '../../src/engine/remove-tree.ts';
import { beginLayer } from '../../src/engine/unpack.ts';
import { leftovers, openLayerScene } from '../support/layer-scene.ts';
import { note } from '../support/note.ts';
import { requires } from '../support/requires.ts';
import { dir, END, file } from '../support/tar-bytes.ts';
import { within } from '../support/within.ts';

/** A layer of a million entries must not need memory for each: what unpacks them stays small. */
const test = requires(suite('security: a million entries'), 'userns');
const long = requires(test, 'long');

const FILES = 1000;
const MAX_MIB = 200;

/** The largest resident set that any process unpacking layers of this test has had, MiB. */
function peakOfUnpackers(): number {
  const peaks = readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .map(pid => {
      try {
        const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
        if (!command.includes('"task":"apply"')) return 0;
        return Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024;
      } catch {
        return 0;
      }
    });
  return Math.max(0, ...peaks);
}

test('a hundred thousand entries need no more memory than a few', async () => unpacked(100));
long('is unpacked in little memory', async () => unpacked(1000));

/** Feeds that many directories of a thousand files, and looks at what the process that unpacks them takes. */
async function unpacked(directories: number): Promise<void> {
  const scene = await openLayerScene();
  const sink = await beginLayer(scene.engine, {});
  let peak = 0;
  const feed = async () => {
    for (let d = 0; d < directories; d++) {
      const files = Array.from({ length: FILES }, (_, f) => file(`dir${d}/file${f}`));
      await sink.write(Buffer.concat([dir(`dir${d}`), ...files]));
      // The peak is the process's own: looking now and then is enough.
      if (d % 50 === 0 || d === directories - 1) peak = Math.max(peak, peakOfUnpackers());
    }
    await sink.write(END);
    return sink.end();
  };
  const record = await within(1_800_000, feed());
  assert.is(record.entries, directories * (FILES + 1));
  note(`peak ${Math.round(peak)} MiB for ${record.entries} entries`);
  assert.ok(peak > 20, 'it was measured');
  assert.ok(peak < MAX_MIB, `${Math.round(peak)} MiB`);
  assert.is(leftovers(scene).length, 1);
  await removeTree(scene.engine, 'layers', { mapped: true });
}

test.run();
