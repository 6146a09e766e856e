import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Engine } from './context.ts';
import { treeSizes } from './tree-sizes.ts';

/** Bytes that each container has written: docker's size of its writable layer. For `vfs`, which has no such layer, its whole copy. */
export async function containerSizes(engine: Engine, ids: readonly string[]): Promise<number[]> {
  const paths = ids.map(id => {
    const upper = join('containers', id, 'upper');
    return existsSync(join(engine.paths.root, upper)) ? upper : join('containers', id, 'vfs');
  });
  return treeSizes(engine, paths);
}
