import { createHash } from 'node:crypto';
import { type ApplyResult, LayerApplier } from './apply.ts';
import { decompress, type GrowthLimits } from './decompress.ts';
import type { Ownership } from './metadata.ts';
import { TarReader } from './tar-reader.ts';

export interface UnpackOptions {
  /** The layer's directory without a slash at its end; empty when it is the root of the process. */
  readonly root: string;
  readonly ownership: Ownership;
  readonly limits?: GrowthLimits;
}

export interface UnpackResult extends ApplyResult {
  /** `sha256:…` of the uncompressed archive, all of it. */
  readonly diffId: string;
}

/** Decompresses, hashes and applies a layer in one pass. Throws LAYER or NO_SPACE; the directory then holds a part of it. */
export async function unpackLayer(
  source: AsyncIterable<Buffer>,
  options: UnpackOptions,
): Promise<UnpackResult> {
  const hash = createHash('sha256');
  const applier = new LayerApplier(options.root, options.ownership);
  const reader = new TarReader(applier);
  try {
    for await (const piece of decompress(source, options.limits)) {
      hash.update(piece);
      reader.push(piece);
    }
    reader.finish();
    return { ...applier.finish(), diffId: `sha256:${hash.digest('hex')}` };
  } finally {
    applier.close();
  }
}
