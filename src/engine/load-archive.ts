import { posix } from 'node:path';
import { TsboxError } from '../errors.ts';
import type { BlobDescriptor } from '../store/blobs.ts';
import type { MemberHint, MemberWriter } from './load-eager.ts';

/** An image archive, whatever holds it: files by name. Names are never used as paths of the store. */
export interface ArchiveFiles {
  /** A small file; undefined when there is none of that name. Throws LAYER when it is larger than `maxBytes`. */
  read(name: string, maxBytes: number): Promise<Buffer | undefined>;
  /** Makes sure that a file's content is in the blob store and says what it is; undefined when there is none. */
  store(name: string, diffId?: string): Promise<BlobDescriptor | undefined>;
}

/** Where the large files of an archive go. */
export type OpenWriter = (hint: MemberHint) => Promise<MemberWriter>;

/** `./a/../b` is `b`; what would climb out of the archive ends at its top. */
export const normalName = (name: string): string => posix.join('/', name).slice(1).replace(/\/$/, '');

export function tooLarge(name: string, maxBytes: number): TsboxError {
  return new TsboxError('LAYER', `${JSON.stringify(name)} in the archive is larger than ${maxBytes} bytes`);
}
