import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import type { Reporter, Tsbox } from '../../src/index.ts';
import { busyboxImage } from './images.ts';
import { PROJECT } from './source.ts';
import { tempHome } from './temp-home.ts';

/** The built package, as programs import it, on a store of the test's own. */
export async function openLibrary(
  name = 'library',
  signal?: AbortSignal,
  reporter?: Reporter,
): Promise<Tsbox> {
  const { Tsbox } = (await import(join(PROJECT, 'dist/index.js'))) as typeof import('../../src/index.ts');
  const home = tempHome(name);
  const root = join(home.dir, `${name}-store`);
  const runtimeDir = join(home.dir, `${name}-run`);
  mkdirSync(runtimeDir, { recursive: true, mode: 0o700 });
  return Tsbox.open({ root, runtimeDir, ...(signal && { signal }), ...(reporter && { reporter }) });
}

/** An image of one layer with busybox. */
export async function loadedImage(tsbox: Tsbox, name: string): Promise<void> {
  const [layer = Buffer.alloc(0)] = busyboxImage().layers;
  await tsbox.import(Readable.from([layer]), name);
}
