import { type FileHandle, open } from 'node:fs/promises';
import { hasErrno, TsboxError } from '../errors.ts';
import { digestHex } from '../oci/digest.ts';
import type { Descriptor } from '../oci/manifest.ts';
import { ioError } from '../store/atomic.ts';
import type { BlobStore } from '../store/blobs.ts';

/** A file of an image archive. */
export interface Member {
  /** `blobs/sha256/…`, `index.json`. */
  readonly name: string;
  /** Bytes. */
  readonly size: number;
  readonly content: Buffer | FileHandle;
}

export const blobName = (digest: string): string => `blobs/sha256/${digestHex(digest)}`;

export function document(name: string, value: object): Member {
  const content = Buffer.from(JSON.stringify(value));
  return { name, size: content.length, content };
}

/**
 * Opens each blob once. All are open before the first byte is written: a blob that is removed meanwhile is saved all the
 * same, and one that is missing is found before anything was made. The caller closes them (`closeMembers`).
 */
export async function openBlobs(blobs: BlobStore, wanted: readonly Descriptor[]): Promise<Member[]> {
  const members: Member[] = [];
  try {
    for (const descriptor of new Map(wanted.map(each => [each.digest, each])).values())
      members.push(await openBlob(blobs.path(descriptor.digest), descriptor));
    return members;
  } catch (error) {
    await closeMembers(members);
    throw error;
  }
}

async function openBlob(path: string, { digest, size }: Descriptor): Promise<Member> {
  const content = await open(path, 'r').catch((error: unknown) => {
    if (!hasErrno(error, 'ENOENT')) throw ioError(error, `cannot read blob ${digest}`);
    throw damaged(`blob ${digest} of an image is missing`);
  });
  const status = await content.stat();
  if (status.size === size) return { name: blobName(digest), size, content };
  await content.close();
  throw damaged(`blob ${digest} of an image has ${status.size} bytes instead of ${size}`);
}

const damaged = (what: string): TsboxError =>
  new TsboxError('STORE_CORRUPT', what, {
    hint: 'tsbox system check mends the store; pull or load the image again',
  });

export async function closeMembers(members: readonly Member[]): Promise<void> {
  await Promise.all(members.map(async ({ content }) => Buffer.isBuffer(content) || content.close()));
}

/** The bytes of a member, as many as it says. Throws STORE_CORRUPT when the file has another length by now. */
export async function* bytesOf({ name, size, content }: Member): AsyncGenerator<Buffer> {
  if (Buffer.isBuffer(content)) {
    yield content;
    return;
  }
  let left = size;
  for await (const chunk of content.createReadStream({
    start: 0,
    highWaterMark: 1 << 20,
    autoClose: false,
  })) {
    left -= (chunk as Buffer).length;
    if (left < 0) break;
    yield chunk as Buffer;
  }
  if (left !== 0) throw new TsboxError('STORE_CORRUPT', `${name} has changed its length while it was read`);
}
