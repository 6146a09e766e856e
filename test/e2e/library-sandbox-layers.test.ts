import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Tsbox } from '../../src/index.ts';
import { loadedImage, openLibrary } from '../support/library.ts';
import { requires } from '../support/requires.ts';
import { PROJECT } from '../support/source.ts';
import { eventually, within } from '../support/within.ts';

/** Layers of snapshots are there as long as somebody has a handle, and no longer. */
const test = requires(suite('layers of snapshots'), 'userns', 'busybox');
let tsbox: Tsbox;

test.before(async () => {
  tsbox = await openLibrary('layers');
  await loadedImage(tsbox, 'box');
});

const entries = (directory: string): string[] =>
  readdirSync(join(tsbox.root, directory)).filter(name => !name.startsWith('.'));

/** A process of its own that says what it has made, and is then killed. */
async function killedAfter(script: string): Promise<void> {
  const place = { root: tsbox.root, runtimeDir: join(dirname(tsbox.root), 'layers-run') };
  const program = `
    import { Tsbox } from ${JSON.stringify(join(PROJECT, 'dist/index.js'))};
    const tsbox = await Tsbox.open(${JSON.stringify(place)});
    const box = await tsbox.sandbox({ image: 'box' });
    await box.writeFile('/file', 'x');
    ${script}
    console.log('made');
    setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = new Promise(resolve => child.once('exit', resolve));
  await within(60_000, new Promise(resolve => child.stdout.once('data', resolve)), 'the other process');
  assert.is(entries('layers').length, 2);
  child.kill('SIGKILL');
  await ended;
}

test('the handle alone is enough, whatever else is removed', async () => {
  const box = await tsbox.sandbox({ image: 'box' });
  await box.writeFile('/file', 'kept');
  const snapshot = await box.snapshot();
  await box.close();
  await tsbox.pruneImages({ all: true });
  const [fork] = await snapshot.start();
  assert.is(String(await fork?.readFile('/file')), 'kept');
  await fork?.close();
  assert.is(entries('layers').length, 2);
  await snapshot.remove();
  assert.equal(
    entries('tmp').filter(name => name.startsWith('held-')),
    [],
  );
  await tsbox.pruneImages({ all: true });
  assert.equal(entries('layers'), []);
  await loadedImage(tsbox, 'box');
});

test('killed with a handle only, the next command takes its layer', async () => {
  await killedAfter('await box.snapshot(); await box.close();');
  await tsbox.sweep();
  assert.equal([entries('layers').length, entries('tmp')], [1, []]);
});

test('killed with forks, everything goes with it', async () => {
  await killedAfter('await (await box.snapshot()).start(3); await box.exec(["true"]);');
  await eventually(60_000, 'nothing is left', () => entries('containers').length === 0);
  await eventually(60_000, 'only the image is left', () => entries('layers').length === 1);
  await eventually(60_000, 'no mark is left', () => entries('tmp').length === 0);
});

test.run();
