import { statfs } from 'node:fs/promises';
import { TsboxError } from '../errors.ts';
import { layerCompression } from '../oci/media-types.ts';

/** One layer that is to come. */
export interface MissingLayer {
  readonly mediaType: string;
  /** Bytes of the blob. */
  readonly size: number;
  readonly blobMissing: boolean;
  readonly treeMissing: boolean;
}

// Layers of distributions expand two to four times; the low end, so that no pull is refused that would have fitted.
const EXPANSION = 2;

/** Bytes that these layers will take. `keepBlobs`: the blobs stay beside the unpacked trees. */
export function neededSpace(layers: readonly MissingLayer[], keepBlobs: boolean): number {
  return layers.reduce((sum, layer) => {
    const blob = layer.blobMissing && keepBlobs ? layer.size : 0;
    const factor = layerCompression(layer.mediaType) === 'none' ? 1 : EXPANSION;
    return sum + blob + (layer.treeMissing ? layer.size * factor : 0);
  }, 0);
}

/** Throws NO_SPACE when the file system of the store has less than `needed` bytes for us. */
export async function checkSpace(root: string, needed: number, name: string): Promise<void> {
  const { bavail, bsize } = await statfs(root);
  const free = bavail * bsize;
  if (needed <= free) return;
  const text = `${name} needs about ${megabytes(needed)}, but ${root} has ${megabytes(free)} left`;
  throw new TsboxError('NO_SPACE', text, {
    hint: 'remove images with tsbox rmi, or choose another store with --root',
    check: 'store-space',
  });
}

function megabytes(bytes: number): string {
  return bytes < 1e9 ? `${Math.ceil(bytes / 1e6)} MB` : `${(bytes / 1e9).toFixed(1)} GB`;
}
