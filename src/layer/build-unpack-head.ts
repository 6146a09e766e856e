import { TsboxError } from '../errors.ts';
import { DEFAULT_LIMITS, decompress, type InflateForeign } from './decompress.ts';
import { readBlock } from './entry.ts';

export interface DecompressOptions {
  readonly maxRatio: number;
  readonly foreign: InflateForeign;
}

/** The plain bytes of an archive: gzip, zstd, xz, bzip2, or as it is. */
export const decompressed = (
  source: AsyncIterable<Buffer>,
  { maxRatio, foreign }: DecompressOptions,
): AsyncIterable<Buffer> => decompress(source, { ...DEFAULT_LIMITS, maxRatio }, foreign);

/** True for a tar archive, compressed or not, by its content: what ADD unpacks. What cannot be decompressed is a file like any other. */
export async function isTar(source: AsyncIterable<Buffer>, options: DecompressOptions): Promise<boolean> {
  try {
    let head = Buffer.alloc(0);
    for await (const piece of decompressed(source, options)) {
      head = Buffer.concat([head, piece]);
      if (head.length >= 512) break;
    }
    return head.length >= 512 && readBlock(head, 0) !== undefined;
  } catch (error) {
    if (error instanceof TsboxError && error.code === 'HOST') throw error;
    return false;
  }
}
