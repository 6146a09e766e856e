import { readdirSync, readFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { beginLayer } from '../../src/engine/unpack.ts';
import { inside, leftovers, openLayerScene } from '../support/layer-scene.ts';
import { note } from '../support/note.ts';
import { requires } from '../support/requires.ts';
import { dir, END, file } from '../support/tar-bytes.ts';
import { within } from '../support/within.ts';

/** A layer of a million entries must not need memory for each: what unpacks them stays small. */
const test = requires(suite('security: a million entries'), 'userns', 'long');

const DIRECTORIES = 1000;
const FILES = 1000;
const MAX_MIB = 250;

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

test('is unpacked in little memory', async () => {
  const scene = await openLayerScene();
  const sink = await beginLayer(scene.engine, {});
  let peak = 0;
  const feed = async () => {
    for (let d = 0; d < DIRECTORIES; d++) {
      const files = Array.from({ length: FILES }, (_, f) => file(`dir${d}/file${f}`));
      await sink.write(Buffer.concat([dir(`dir${d}`), ...files]));
      peak = Math.max(peak, peakOfUnpackers());
    }
    await sink.write(END);
    return sink.end();
  };
  const record = await within(220_000, feed());
  assert.is(record.entries, DIRECTORIES * (FILES + 1));
  note(`peak ${Math.round(peak)} MiB for ${record.entries} entries`);
  assert.ok(peak > 20, 'it was measured');
  assert.ok(peak < MAX_MIB, `${Math.round(peak)} MiB`);
  assert.is(leftovers(scene).length, 1);
  await inside(scene, '/bin/rm', ['-rf', scene.engine.paths.layers]);
});

test.run();
