import { join } from 'node:path';
import { TsboxError } from '../errors.ts';
import { shortDigest } from '../oci/digest.ts';
import { LayerStore } from '../store/layers.ts';
import type { Engine } from './context.ts';
import { enterHost } from './machine.ts';
import { startPack } from './pack-process.ts';

/**
 * The archive of an unpacked layer, made anew because its blob was dropped. Its bytes are not those it once came from: its
 * digest is its own. Throws NOT_FOUND when the layer is not here either.
 */
export async function* packedLayer(engine: Engine, diffId: string): AsyncGenerator<Buffer> {
  const layers = new LayerStore(engine.paths.layers);
  if (!(await layers.has(diffId))) {
    throw new TsboxError('NOT_FOUND', `layer ${shortDigest(diffId)} is here neither packed nor unpacked`, {
      hint: 'pull the image again',
    });
  }
  const pack = await startPack(await enterHost(engine), join(layers.path(diffId), 'fs'));
  try {
    for await (const chunk of pack.stream as AsyncIterable<Buffer>) yield chunk;
    await pack.done;
  } finally {
    await pack.stop();
  }
}
